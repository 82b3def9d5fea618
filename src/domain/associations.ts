import type { Db } from '../db/database.js';
import { readExpiry } from './expiry.js';
import { Faults } from './rules.js';
import { customerId, readAct, readServiceFields, type ServiceInput } from './service-fields.js';
import { type Origin, type WrittenService, writeService } from './service-writes.js';

/**
 * Moves a service to a customer, from anonymous or from another one: the last call wins. The given
 * fields are updated and each given extension replaces what is stored under its name, in one atomic
 * act that history records. A completed service can be moved too. The same customer again applies
 * the rest and makes no history entry (legacy contract, what associate does).
 * @param input `serviceId` and `customerId` are required; `timestamp` is the time of the association
 * @throws Invalid, listing every fault; NotFound, Conflict, Unavailable, OutcomeUnknown
 */
export async function associateService(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults);
  const customer = faults.require(customerId, ['customerId'], input.fields['customerId'], '');
  const columns = { customer_id: customer, ...readServiceFields(input, faults) };
  const expiry = readExpiry(input.fields, faults);
  const write = { event: 'SERVICE_ASSOCIATED', association: 'ASSOCIATE', columns, expiry, ...act } as const;
  return writeService(db, origin, write, faults);
}

/**
 * Takes the newest association back: the service goes to the owner it had before. Undone again, it
 * is redone. Fields and extensions stay as they are.
 * @param input `serviceId` is required; `expectedVersion`, `reason`, `actor` and `timestamp` may be given
 * @throws Conflict with only the start to go back to, or to anonymous without a contact key; Invalid,
 *   NotFound, Unavailable, OutcomeUnknown
 */
export async function undoAssociation(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults);
  const write = { event: 'SERVICE_ASSOCIATED', association: 'UNDO', columns: {}, ...act } as const;
  return writeService(db, origin, write, faults);
}
