import type { Db } from '../db/database.js';
import type { Extension, ExtensionScope } from '../generated/prisma/client.js';
import type { AnswerBudget } from './answer-budget.js';
import type { Revision } from './extension-revisions.js';
import { nameKeys } from './extensions.js';
import { accept, Faults, list, type Rule } from './rules.js';
import { partId, readAct, type ServiceInput } from './service-fields.js';
import { fewServices } from './service-reads.js';
import { type Origin, type WrittenService, writeService } from './service-writes.js';
import type { PartKey } from './states.js';

/**
 * What is done to the one extension that the input gives: without a revision its value replaces the
 * stored one as a whole, and null removes it.
 */
export type ExtensionAct = { scope: ExtensionScope; revision?: Revision };

/**
 * Writes one extension of a service, of a state or of a task, active or completed. Concurrent
 * revisions each work on what the other left.
 * @param input `serviceId` and, by the scope, `stateId` or `taskId` say whose
 * @throws Invalid, listing every fault; NotFound of the service, the part or the record; Conflict,
 *   Unavailable, OutcomeUnknown
 */
export async function writeExtension(
  db: Db,
  origin: Origin,
  { scope, revision }: ExtensionAct,
  input: ServiceInput,
): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const owner = { scope, ownerId: readOwnerId(scope, input, faults) };
  const act = readAct(input, origin, faults, owner);
  const event = `${scope}_UPDATED` as const;
  const write = { event, columns: {}, ...(revision ? { revision } : {}), ...act };
  return writeService(db, origin, write, faults);
}

function readOwnerId(scope: ExtensionScope, { fields }: ServiceInput, faults: Faults): number {
  if (scope === 'SERVICE') return 0;
  const field = scope === 'STATE' ? 'stateId' : 'taskId';
  return faults.require(partId, [field], fields[field], 0);
}

const mostListed = 1_000;

/** The names that extensions are asked for by; what cannot be one is simply not there. */
export const extensionNames: Rule<readonly string[]> = list((name) => accept(String(name)), 0, 100);

export type ExtensionFilter = {
  scope: ExtensionScope;
  names?: readonly string[] | undefined;
  /** Of the call that asks. */
  budget: AnswerBudget;
};

/**
 * The extensions of several states or tasks, or of services under the id 0, by their names. One
 * statement, and one before it that adds up their sizes where those may be too much.
 * @throws AnswerTooLarge
 */
export async function listExtensions(
  { prisma, tenant }: Db,
  { scope, names, budget }: ExtensionFilter,
  owners: readonly PartKey[],
): Promise<Extension[]> {
  const ids = [...new Set(owners.map(({ id }) => id))];
  const services = [...new Set(owners.map(({ serviceId }) => serviceId))];
  const where = {
    tenant,
    serviceId: { in: services },
    scope,
    // A statement takes a limited number of values: of many parts all of their services are read.
    ...(ids.length > mostListed ? {} : { ownerId: { in: ids } }),
    ...(names === undefined ? {} : { nameKey: { in: nameKeys(names) } }),
  };
  const read = () => prisma.extension.findMany({ where, orderBy: { nameKey: 'asc' } });
  if (services.length <= fewServices) {
    const extensions = await read();
    budget.read(extensions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    return extensions;
  }
  return budget.inTurn(async () => {
    const { _sum: sum } = await prisma.extension.aggregate({ where, _sum: { sizeBytes: true } });
    budget.read(sum.sizeBytes ?? 0);
    return read();
  });
}
