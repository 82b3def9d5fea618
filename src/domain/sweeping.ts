import type { Database, Db } from '../db/database.js';
import { asUnavailable } from '../db/failures.js';
import { DomainError } from '../errors.js';
import type { Service } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import { keySeconds } from './idempotency.js';
import { advancePurge } from './purges.js';
import { changeServicesAndParts } from './service-statements.js';
import { commandOf, type Origin } from './service-writes.js';
import {
  type Aging,
  type Due,
  dropEventsStatement,
  dropStatement,
  dueStatement,
  expireStatement,
  idleStatement,
} from './sweep-statements.js';

/** What one batch may be of. A pass does one of each kind in each tenant, so that none waits for another. */
const most = { completed: 100, expired: 200, records: 5_000 } as const;

const compositeStartSeconds = 24 * 60 * 60;
const deadDeliverySeconds = 30 * 24 * 60 * 60;

export type Pass = {
  now: Date;
  /** How long events are kept. */
  eventSeconds: number;
  logger: Logger;
  /** Ends the pass behind the batch that it is at. */
  signal?: AbortSignal;
  /** What is waited for between two batches, given how long the last one took. */
  rest?: (milliseconds: number) => Promise<void>;
  /** Is told of each step that fails. */
  onFailure?: () => void;
};

/** How much a pass did of each kind. */
export type Counts = {
  /** Services that had been idle for too long. */
  completed: number;
  /** Services that had expired. */
  expired: number;
  /** Services that a purge was of. */
  purged: number;
  /** Rows that were old: of idempotency keys, events, the keys of composite starts. */
  keys: number;
  events: number;
  compositeStarts: number;
  /** Of webhooks, those that are dead. */
  deliveries: number;
};

export type Swept = Counts & {
  /** Whether there is more to do at once. */
  hasMore: boolean;
  /** Whether another gateway was found at a purge, which is left to this one should that one crash. */
  isAwaiting: boolean;
};

type Batch = { count: number; hasMore: boolean; isAwaiting?: boolean };

type Step = { kind: keyof Counts; run: () => Promise<Batch> };

/** Does all that is due, up to a batch of each kind in each tenant. */
export async function sweep(database: Database, pass: Pass): Promise<Swept> {
  return runSteps([...(await serviceSteps(database, pass)), ...recordSteps(database, pass)], pass);
}

/** What is due of services: a glance where there is nothing. */
export async function sweepServices(database: Database, pass: Pass): Promise<Swept> {
  return runSteps(await serviceSteps(database, pass), pass);
}

/** The rows that are only kept for a time: to look for them can be to look at their whole tables. */
export function sweepRecords(database: Database, pass: Pass): Promise<Swept> {
  return runSteps(recordSteps(database, pass), pass);
}

async function serviceSteps(database: Database, { now, logger }: Pass): Promise<Step[]> {
  const due = await database.admin.prisma.$queryRaw<Due[]>(dueStatement(now));
  return due.flatMap(({ tenant, hasIdle, hasExpired, purges }): Step[] => {
    const db = database.forTenant(tenant);
    return [
      ...(hasIdle ? [{ kind: 'completed', run: () => completeIdle(db, now) } as const] : []),
      ...(hasExpired ? [{ kind: 'expired', run: () => deleteExpired(db, now) } as const] : []),
      ...purges.map((id) => ({ kind: 'purged', run: () => goOnPurging(db, id, now, logger) }) as const),
    ];
  });
}

function recordSteps({ admin: { prisma } }: Database, { now, eventSeconds }: Pass): Step[] {
  const step = (kind: Step['kind'], seconds: number, drop: (before: Date) => Promise<number>): Step => ({
    kind,
    run: async () => {
      const count = await drop(new Date(now.getTime() - seconds * 1_000));
      return { count, hasMore: count === most.records };
    },
  });
  const dropFrom = (aging: Aging) => (before: Date) =>
    prisma.$executeRaw(dropStatement(aging, before, most.records));
  const dropEvents = async (before: Date) => {
    const [dropped] = await prisma.$queryRaw<[{ count: number }]>(dropEventsStatement(before, most.records));
    return dropped.count;
  };
  return [
    step('keys', keySeconds, dropFrom({ table: 'idempotency_key', column: 'created_at' })),
    step('events', eventSeconds, dropEvents),
    step(
      'compositeStarts',
      compositeStartSeconds,
      dropFrom({ table: 'composite_start', column: 'updated_at' }),
    ),
    step('deliveries', deadDeliverySeconds, dropFrom({ table: 'webhook_delivery', column: 'died_at' })),
  ];
}

/** One step after the other; one that fails is logged and tried again by the next pass. */
async function runSteps(steps: readonly Step[], pass: Pass): Promise<Swept> {
  const { signal, rest } = pass;
  const swept: Swept = {
    ...{ completed: 0, expired: 0, purged: 0, keys: 0, events: 0, compositeStarts: 0, deliveries: 0 },
    hasMore: false,
    isAwaiting: false,
  };
  for (const { kind, run } of steps) {
    if (signal?.aborted) break;
    const begun = performance.now();
    const { count, hasMore, isAwaiting = false } = await attempt(run, pass);
    swept[kind] += count;
    swept.hasMore ||= hasMore;
    swept.isAwaiting ||= isAwaiting;
    if (count > 0 || hasMore) await rest?.(performance.now() - begun);
  }
  return swept;
}

async function attempt(run: Step['run'], { logger, onFailure }: Pass): Promise<Batch> {
  try {
    return await run();
  } catch (error) {
    logFailure(logger, error);
    onFailure?.();
    // What could not be done now is tried again soon.
    return { count: 0, hasMore: false, isAwaiting: true };
  }
}

/** What the database does not let be done now is tried again; all else is a bug. */
export function logFailure(logger: Logger, error: unknown): void {
  const known = error instanceof DomainError ? error : asUnavailable(error);
  if (known) logger.warn({ err: known }, 'a sweep could not be done');
  else logger.error({ err: error }, 'a sweep failed');
}

/**
 * Completes services in which nothing happened for too long, with what is open in them. One that
 * changes meanwhile, or that another gateway completes, is left alone by its version.
 */
async function completeIdle(db: Db, now: Date): Promise<Batch> {
  const idle = await db.write<Pick<Service, 'id' | 'version'>>(idleStatement(db.tenant, now, most.completed));
  const registry = await db.registry.latest();
  const origin: Origin = { front: 'GRAPHQL', requestId: 'sweep', principal: null, receivedAt: now };
  const end = { completed_at: now };
  const commands = idle
    .map(({ id, version: expectedVersion }) => ({
      ...{ id, expectedVersion, event: 'SERVICE_COMPLETED' as const },
      ...{ columns: end, stateEnd: end, taskEnd: end, extensions: [] },
      ...{ takesAttachedData: false, timestamp: null },
    }))
    .map((write) => commandOf(registry, origin, write, [], ''));
  const completed = commands.length === 0 ? [] : await db.writeBatch(changeServicesAndParts, commands);
  const count = completed.length;
  return { count, hasMore: count > 0 && idle.length === most.completed };
}

async function deleteExpired(db: Db, now: Date): Promise<Batch> {
  const { length: count } = await db.write(expireStatement(db.tenant, now, most.expired));
  return { count, hasMore: count === most.expired };
}

async function goOnPurging(db: Db, id: bigint, now: Date, logger: Logger): Promise<Batch> {
  const progress = await advancePurge(db, id, now);
  if (!progress) return { count: 0, hasMore: false, isAwaiting: true };
  const { deleted: count, isDone } = progress;
  if (isDone) logger.info({ tenant: db.tenant, purge: String(id) }, 'a purge is done');
  return { count, hasMore: !isDone };
}
