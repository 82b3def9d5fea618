import { Socket } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { OutcomeUnknown, Unavailable } from '../errors.js';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import type { Timeouts } from '../timeouts.js';
import type { Trace } from '../trace-context.js';
import { type BatchStatement, inBatch, type Statement } from './batches.js';
import { asUnavailable, isLockTimeout, isRetryable, violates, wasNotSent, wasRefused } from './failures.js';
import { GroupCommit, type GroupCommitOptions } from './group-commit.js';
import type { DatabaseLoad, DatabaseObserver } from './observer.js';
import { RegistryCache } from './registry.js';
import { type Send, sendThrough } from './sending.js';
import { StatementNames } from './statement-names.js';
import { WakeUps } from './wake-ups.js';

/** How long services are kept that do not say so themselves, and how long they may be idle. */
export type Retention = {
  /** From the start on. */
  seconds: number;
  /** Instead, by the service's type: its digits, or its string. */
  secondsByType: ReadonlyMap<string, number>;
  /** Without a change before a service is completed; null for ever. */
  autoCompleteSeconds: number | null;
};

/** One tenant's view of the database: all that a domain function gets, made only by `forTenant`. */
export type Db = {
  readonly prisma: Prisma.TransactionClient;
  readonly tenant: string;
  readonly registry: RegistryCache;
  readonly retention: Retention;
  readonly commit: Commit;
  /**
   * Acts when it is the key's turn, alone: what goes through the given `commit` comes right behind what
   * was read meanwhile, unless another gateway comes in between.
   */
  readonly alone: <T>(key: string | null, act: (commit: Commit) => Promise<T>) => Promise<T>;
  /** One reading statement; its answer is what JSON can say, times and text. */
  readonly read: <Row>(statement: Statement) => Promise<Row[]>;
  /** One writing statement, under the terms of `commit`. */
  readonly write: <Row>(statement: Prisma.Sql) => Promise<Row[]>;
  /** A batch of its own, which waits for the rows that it changes. */
  readonly writeBatch: <Command extends object, Row>(
    statement: BatchStatement<Command>,
    commands: readonly Command[],
  ) => Promise<Row[]>;
};

/**
 * Sends a command through the one statement that carries its kind, together with others that wait
 * at the moment, and answers the row it came to once that is committed; undefined when the
 * statement's conditions did not hold, or when another call has taken its idempotency key
 * meanwhile: nothing was changed then.
 * @param key what the command changes: commands with one key keep their order, and never travel together
 * @throws OutcomeUnknown when the connection broke meanwhile: it may have been committed.
 */
export type Commit = <Command, Row>(
  statement: BatchStatement<Command>,
  command: Command,
  key: string | null,
) => Promise<Row | undefined>;

/** What belongs to no tenant: the tenants themselves, and the credentials. */
export type Admin = Pick<Db, 'prisma'>;

export type Database = AsyncDisposable & {
  readonly admin: Admin;
  /** Hears which tenants are written to, on any gateway. */
  readonly wakeUps: Pick<WakeUps, 'listen'>;
  /** @param trace the call that it is for */
  forTenant(tenant: string, trace?: Trace): Db;
  load(): DatabaseLoad;
  /** All that is done with the given Db, or nothing: for what is done once, it is slow. */
  transaction<T>(tenant: string, act: (db: Db) => Promise<T>): Promise<T>;
  /** Breaks all connections: what waits is refused, and of what is in flight the outcome is unknown. */
  abandon(): void;
};

export type DatabaseOptions = {
  connectionString: string;
  poolSize: number;
  timeouts: Pick<Timeouts, 'statementSeconds'>;
  retention: Retention;
  logger: Logger;
  observer?: DatabaseObserver;
};

const nobody: DatabaseObserver = { onStatement() {}, onRetry() {}, onUnknownOutcome() {} };

/** How long a statement waits for a row: those that travel along wait as well. */
const shortestLockWait = '100ms';
const longestLockWait = '5s';

const settings = [
  // Prisma's adapter reads times without their offset: every session has to be in UTC.
  'timezone=UTC',
  `lock_timeout=${longestLockWait}`,
  // Whatever is asked for is few rows that an index finds. A plan that is kept may have been made while
  // a table was empty, when reading all of it looks cheap.
  ...['enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off', 'jit=off'],
];

/** Opens the database; connects when first used. */
export function openDatabase({
  connectionString,
  poolSize,
  timeouts: { statementSeconds },
  retention,
  logger,
  observer = nobody,
}: DatabaseOptions): Database {
  const sockets = new Set<Socket>();
  let isAbandoned = false;
  const connection = {
    connectionString,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      if (isAbandoned) setImmediate(() => socket.destroy());
      return socket.once('close', () => sockets.delete(socket));
    },
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  };
  const pool = new pg.Pool({
    ...connection,
    application_name: 'context-gateway',
    max: poolSize,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    statement_timeout: statementSeconds * 1000,
    // A server that says nothing at all: the statement's own time is over by then.
    query_timeout: (statementSeconds + 10) * 1000,
  });
  // Without a listener an idle connection that breaks would end the process.
  // Its own message alone: the error carries the whole client.
  pool.on('error', ({ message }) => logger.warn({ reason: message }, 'an idle database connection broke'));
  // Nor does anybody else listen while one is handed out: what breaks it breaks the statement, which tells.
  pool.on('connect', (client) => client.on('error', () => {}));
  const names = new StatementNames();
  // The driver takes undefined for a statement that is not kept; the type does not say so.
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => names.nameOf(sql) as string });
  const prisma = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] });
  // Never the parameters: they are customer data.
  prisma.$on('query', ({ query: text, duration: milliseconds }) => {
    logger.trace({ statement: text, milliseconds });
    const startedAt = performance.now() - milliseconds;
    observer.onStatement({ text, startedAt, milliseconds, rows: null, commands: null, traces: [] });
  });

  const tenants = new Map<string, Tenant>();
  const send = sendThrough(pool, { names, logger, observer });
  // One that others wait for is never kept by a notification.
  const waking = { ...connection, application_name: 'context-gateway wake-ups' };
  const notifying = new pg.Pool({ ...waking, max: 1, query_timeout: 5_000 });
  notifying.on('error', () => {});
  const wakeUps = new WakeUps({
    notify: (channel, topics) =>
      notifying.query('select pg_notify($1, topic) from unnest($2::text[]) as topic', [channel, topics]),
    createClient: () => new pg.Client(waking),
    logger,
  });
  const makeTenant = (id: string): Tenant => {
    const way = { send, tenant: id, observer, written: () => wakeUps.ring(id) };
    const tenant = { way, group: groupOf(way), registry: new RegistryCache(prisma, id), retention };
    tenants.set(id, tenant);
    return tenant;
  };
  return {
    admin: { prisma },
    wakeUps,
    forTenant: (id, trace) => openTenant(prisma, tenants.get(id) ?? makeTenant(id), trace),
    load() {
      const { totalCount, idleCount: idle, waitingCount: awaited } = pool;
      const loads = [...tenants.values()].map(({ group }) => group.load);
      const sum = (of: (load: Group['load']) => number) => loads.reduce((total, load) => total + of(load), 0);
      return {
        connections: { most: poolSize, idle, used: totalCount - idle, awaited },
        commits: {
          waiting: sum(({ waiting }) => waiting),
          waitingBytes: sum(({ size }) => size),
          inFlight: sum(({ inFlight }) => inFlight),
        },
      };
    },
    async transaction(tenant, act) {
      const done = await prisma.$transaction(
        (transaction) => {
          const way = { tenant, send: sendWithin(transaction), observer, written: () => {} };
          const group = groupOf(way, withinTransaction);
          const registry = new RegistryCache(transaction, tenant);
          return act(openTenant(transaction, { way, group, registry, retention }));
        },
        // Of all its statements, each of which PostgreSQL ends by itself.
        { timeout: (statementSeconds + 30) * 1000 },
      );
      wakeUps.ring(tenant);
      return done;
    },
    abandon() {
      isAbandoned = true;
      for (const { group } of tenants.values()) void group.close();
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...tenants.values()].map(({ group }) => group.close()));
      await wakeUps[Symbol.asyncDispose]();
      await prisma.$disconnect();
      await pool.end();
      // What is under way there is of no use any more, and might take long.
      void notifying.end();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A command, and the call that it is for. */
type Job = { command: object; trace: Trace | undefined };

type Group = GroupCommit<Job, object | undefined>;

/** What is one for all calls of a tenant. */
type Tenant = { way: Way; group: Group; registry: RegistryCache; retention: Retention };

/** The first refusal ends a transaction: sent again, each job would be told of that alone. */
const withinTransaction = { isRefusal: () => false, isLocked: () => false, mostInFlight: 1 };

/** How the batches of a tenant are sent, and what is told that one was committed. */
type Way = { send: Send; tenant: string; observer: DatabaseObserver; written: () => void };

function sendWithin(transaction: Prisma.TransactionClient): Send {
  return ({ text, values }) => transaction.$queryRawUnsafe(text, ...values);
}

/** @param options what differs within a transaction, where nothing can be sent again */
function groupOf(way: Way, options: Partial<GroupCommitOptions<Job, object | undefined>> = {}): Group {
  return new GroupCommit({
    // Only `commit` submits, and with a statement as the kind.
    send: (statement, jobs, isPatient) =>
      sendBatch(way, { statement: statement as BatchStatement<object>, jobs, isPatient }),
    isRefusal: (error) => (error instanceof Unavailable ? isLockTimeout(error.cause) : wasRefused(error)),
    isLocked: (error) => error instanceof Unavailable && isLockTimeout(error.cause),
    unavailable: (reason) => new Unavailable(queueFailures[reason]),
    sizeOf,
    ...options,
  });
}

const queueFailures = {
  full: 'Too many changes wait for the database: try again.',
  late: 'The change has waited too long for the database, and was not made: try again.',
  closed: 'The gateway stops.',
};

/** About what a command takes as JSON: extensions are what makes one large. */
function sizeOf({ command }: Job): number {
  const { extensions = [] } = command as { extensions?: readonly { size_bytes: number }[] };
  return extensions.reduce((sum, { size_bytes }) => sum + size_bytes, 1_000);
}

function openTenant(
  prisma: Prisma.TransactionClient,
  { way, group, registry, retention }: Tenant,
  trace?: Trace,
): Db {
  const { send, tenant, written } = way;
  const traces = trace ? [trace] : [];
  const told = async <Row>(rows: Promise<Row[]>): Promise<Row[]> => {
    if ((await rows).length > 0) written();
    return rows;
  };
  return {
    prisma,
    tenant,
    registry,
    retention,
    read: (statement) => send(statement, traces),
    write: (statement) => told(unlessTaken(() => write(way, () => prisma.$queryRaw(statement)), [])),
    writeBatch: (statement, commands) => {
      const batch = inBatch(statement, commands, { tenant, lockTimeout: longestLockWait });
      return told(write(way, () => send(batch, traces)));
    },
    // The statement takes the command and answers the row.
    commit: ((statement, command, key) =>
      group.submit(statement, key, { command: command as object, trace })) as Commit,
    alone: (key, act) => group.hold(key, () => act(commitAlone(way, trace))),
  };
}

function commitAlone(way: Way, trace: Trace | undefined): Commit {
  // As above.
  return (async (statement, command) => {
    const jobs = [{ command: command as object, trace }];
    const batch = { statement: statement as BatchStatement<object>, jobs, isPatient: true };
    const [row] = await sendBatch(way, batch);
    return row;
  }) as Commit;
}

type Batch = { statement: BatchStatement<object>; jobs: readonly Job[]; isPatient: boolean };

/** The row that each command came to, at its place. */
async function sendBatch(way: Way, { statement, jobs, isPatient }: Batch): Promise<(object | undefined)[]> {
  const { send, tenant, written } = way;
  const lockTimeout = isPatient ? longestLockWait : shortestLockWait;
  const commands = jobs.map(({ command }) => command);
  const batch = inBatch(statement, commands, { tenant, lockTimeout });
  const traces = jobs.flatMap(({ trace }) => trace ?? []);
  const act = () => write(way, () => send<{ place: number }>(batch, traces));
  const rows = commands.length === 1 ? await unlessTaken(act, []) : await act();
  if (rows.length > 0) written();
  const answers: (object | undefined)[] = commands.map(() => undefined);
  for (const row of rows) answers[row.place] = row;
  return answers;
}

/** A statement that another call has taken the idempotency key of did nothing. */
async function unlessTaken<T>(act: () => Promise<T>, nothing: T): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (violates(error, 'idempotency_key_pkey')) return nothing;
    throw error;
  }
}

const attempts = 5;
const outcomeUnknown = 'The database connection broke: the change may or may not have been made.';

async function write<Row>(way: Way, send: () => Promise<Row[]>, attempt = 1): Promise<Row[]> {
  try {
    return await send();
  } catch (error) {
    if (isRetryable(error) && attempt < attempts) {
      way.observer.onRetry();
      return write(way, send, attempt + 1);
    }
    // Whatever else happens once a statement is sent says nothing of whether it was committed.
    if (!wasRefused(error) && !wasNotSent(error)) {
      way.observer.onUnknownOutcome();
      throw new OutcomeUnknown(outcomeUnknown, { cause: error });
    }
    throw asUnavailable(error) ?? error;
  }
}
