import type { Db } from '../db/database.js';
import { Conflict, type Fault, NotFound, Unavailable } from '../errors.js';
import type { Purge, PurgeOperation } from '../generated/prisma/client.js';
import { findOutcome, hashCommand, idempotencyKey } from './idempotency.js';
import { advanceStatement, cancelStatement, startStatement } from './purge-statements.js';
import { accept, dateTime, Faults, nullable, oneOf, type Rule, refuse } from './rules.js';
import type { Origin } from './service-writes.js';

export type { Purge };

/** All that a purge can be of; `started` are the services that are active, anonymous those without a customer. */
export const purgeOperations = [
  'ALL',
  'STARTED',
  'STARTED_ANONYMOUS',
  'COMPLETED',
  'COMPLETED_ANONYMOUS',
] as const satisfies readonly PurgeOperation[];

export type PurgeInput = {
  /** `operation`, `startedTo`, `dryRun` and `idempotencyKey`, as they came. */
  fields: Readonly<Record<string, unknown>>;
  /** What the front itself found wrong, to be answered together with the rest. */
  faults: readonly Fault[];
};

export type StartedPurge = {
  purge: Purge;
  /** Whether the same call had started it before. */
  replayed: boolean;
};

/**
 * Begins to delete the services of the operation that were started before `startedTo`, and counts
 * them; `advancePurge` deletes them, batch by batch. A dry run only counts, and is done at once.
 * @throws Invalid, listing every fault; Conflict, Unavailable, OutcomeUnknown
 */
export async function startPurge(db: Db, origin: Origin, input: PurgeInput): Promise<StartedPurge> {
  const { receivedAt, principal, requestId } = origin;
  const { key, ...asked } = readPurge(input, receivedAt);
  const commandHash = hashCommand({ act: 'purge', ...asked });
  const statement = startStatement(db.tenant, {
    ...asked,
    key,
    commandHash,
    principal,
    requestId,
    receivedAt,
  });
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const [purge] = await db.write<Purge>(statement);
    if (purge) return { purge, replayed: false };
    const outcome = key === null ? undefined : await findOutcome(db, { key, commandHash, receivedAt });
    // As the statement builds it.
    const known = outcome as { purgeId: string } | undefined;
    if (known) return { purge: await getPurge(db, BigInt(known.purgeId)), replayed: true };
  }
  throw new Unavailable('The idempotency key changes too fast: try again.');
}

/** A key may be older than it is kept for, and is taken away by the first attempt. */
const mostAttempts = 3;

function readPurge({ fields, faults: known }: PurgeInput, receivedAt: Date) {
  const faults = new Faults(known);
  const asked = {
    operation: faults.require(oneOf(purgeOperations), ['operation'], fields['operation'], 'ALL'),
    startedTo: faults.require(untilNow(receivedAt), ['startedTo'], fields['startedTo'], receivedAt),
    isDryRun: faults.check(nullable(flag), ['dryRun'], fields['dryRun']) ?? false,
    key: faults.check(nullable(idempotencyKey), ['idempotencyKey'], fields['idempotencyKey']) ?? null,
  };
  faults.throwIfAny();
  return asked;
}

const flag: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? accept(value) : refuse('must be true or false');

function untilNow(now: Date): Rule<Date> {
  return (value) => {
    const checked = dateTime(value);
    return checked.ok && checked.value > now ? refuse('must not lie ahead') : checked;
  };
}

export type PurgeProgress = {
  /** By this batch alone. */
  deleted: number;
  isDone: boolean;
};

/** How many ids a batch looks at: the rows that it locks, and how long it takes. */
const idsPerBatch = 2_000;

/**
 * Does the next batch of a purge, with its progress, or nothing of it. It waits for services that
 * are being written to.
 * @returns null when the purge is not running any more, or another gateway is at a batch of it
 * @throws Unavailable, OutcomeUnknown
 */
export async function advancePurge(
  db: Db,
  id: bigint,
  now: Date,
  ids = idsPerBatch,
): Promise<PurgeProgress | null> {
  const [row] = await db.write<{ deleted: bigint; isDone: boolean }>(
    advanceStatement(db.tenant, { id, ids, now }),
  );
  return row ? { deleted: Number(row.deleted), isDone: row.isDone } : null;
}

/**
 * Ends a purge with the batch that it is at; what is deleted stays so.
 * @throws NotFound, Conflict when it is not running; Unavailable, OutcomeUnknown
 */
export async function cancelPurge(db: Db, { receivedAt }: Origin, id: bigint): Promise<Purge> {
  const [purge] = await db.write<Purge>(cancelStatement(db.tenant, id, receivedAt));
  if (purge) return purge;
  const { status } = await getPurge(db, id);
  throw new Conflict(`Purge ${id} is ${status.toLowerCase()}.`);
}

/** @throws NotFound */
export async function getPurge(db: Db, id: bigint): Promise<Purge> {
  const purge = await findPurge(db, id);
  if (!purge) throw new NotFound(`There is no purge ${id}.`);
  return purge;
}

export function findPurge({ prisma, tenant }: Db, id: bigint): Promise<Purge | null> {
  return prisma.purge.findUnique({ where: { tenant_id: { tenant, id } } });
}

const mostListed = 20;

/** The newest ones, the newest first. */
export function listPurges({ prisma, tenant }: Db): Promise<Purge[]> {
  return prisma.purge.findMany({ where: { tenant }, orderBy: { id: 'desc' }, take: mostListed });
}
