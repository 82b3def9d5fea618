import type { Db } from '../db/database.js';
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
  const columns = { ...readServiceFields(input, faults), customer_id: customer };
  return writeService(db, origin, { ...act, event: 'SERVICE_ASSOCIATED', columns, moves: true }, faults);
}
