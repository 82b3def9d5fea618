import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { OutcomeUnknown, Unavailable } from '../errors.js';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import type { Timeouts } from '../timeouts.js';
import { asUnavailable, isLockTimeout, isRetryable, violates, wasNotSent, wasRefused } from './failures.js';
import { GroupCommit, type GroupCommitOptions } from './group-commit.js';
import { RegistryCache } from './registry.js';
import { StatementNames } from './statement-names.js';

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
  /** One writing statement, under the terms of `commit`. */
  readonly write: <Row>(statement: Prisma.Sql) => Promise<Row[]>;
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

/**
 * One statement for a batch of commands, which answers a row for each that it carried out, with the
 * place of the command in the batch. Its own lock time-out beats that of the connection.
 */
export type BatchStatement<Command> = (
  tenant: string,
  commands: readonly (Command & { place?: number })[],
  lockTimeout?: string,
) => Prisma.Sql;

/** What belongs to no tenant: the tenants themselves, and the credentials. */
export type Admin = Pick<Db, 'prisma'>;

export type Database = AsyncDisposable & {
  readonly admin: Admin;
  forTenant(tenant: string): Db;
  /** All that is done with the given Db, or nothing: for what is done once, it is slow. */
  transaction<T>(tenant: string, act: (db: Db) => Promise<T>): Promise<T>;
};

export type DatabaseOptions = {
  connectionString: string;
  poolSize: number;
  timeouts: Pick<Timeouts, 'statementSeconds'>;
  retention: Retention;
  logger: Logger;
};

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
}: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString,
    max: poolSize,
    application_name: 'context-gateway',
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementSeconds * 1000,
    // A server that says nothing at all: the statement's own time is over by then.
    query_timeout: (statementSeconds + 10) * 1000,
    keepAlive: true,
  });
  // Without a listener an idle connection that breaks would end the process.
  // Its own message alone: the error carries the whole client.
  pool.on('error', ({ message }) => logger.warn({ reason: message }, 'an idle database connection broke'));
  const names = new StatementNames();
  // The driver takes undefined for a statement that is not kept; the type does not say so.
  const adapter = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => names.nameOf(sql) as string });
  const prisma = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] });
  // Never the parameters: they are customer data.
  prisma.$on('query', ({ query, duration }) => logger.trace({ statement: query, milliseconds: duration }));

  const tenants = new Map<string, Db>();
  const groups: Group[] = [];
  const open = (client: Prisma.TransactionClient, tenant: string) => {
    const group = groupOf(client, tenant);
    groups.push(group);
    return openTenant(client, tenant, { retention, group });
  };
  return {
    admin: { prisma },
    forTenant(tenant) {
      const db = tenants.get(tenant) ?? open(prisma, tenant);
      tenants.set(tenant, db);
      return db;
    },
    transaction: (tenant, act) =>
      prisma.$transaction(
        (transaction) =>
          act(
            openTenant(transaction, tenant, {
              retention,
              group: groupOf(transaction, tenant, withinTransaction),
            }),
          ),
        {
          timeout: 30_000,
        },
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all(groups.map((group) => group.close()));
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

type Group = GroupCommit<object, object | undefined>;

/** The first refusal ends a transaction: sent again, each job would be told of that alone. */
const withinTransaction = { isRefusal: () => false, isLocked: () => false, mostInFlight: 1 };

/** @param options what differs within a transaction, where nothing can be sent again */
function groupOf(
  prisma: Prisma.TransactionClient,
  tenant: string,
  options: Partial<GroupCommitOptions<object, object | undefined>> = {},
): Group {
  return new GroupCommit({
    // Only `commit` submits, and with a statement as the kind.
    send: (statement, commands, isPatient) =>
      sendBatch(prisma, tenant, { statement: statement as BatchStatement<object>, commands, isPatient }),
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
function sizeOf(command: object): number {
  const { extensions = [] } = command as { extensions?: readonly { size_bytes: number }[] };
  return extensions.reduce((sum, { size_bytes }) => sum + size_bytes, 1_000);
}

function openTenant(
  prisma: Prisma.TransactionClient,
  tenant: string,
  { retention, group }: { retention: Retention; group: Group },
): Db {
  return {
    prisma,
    tenant,
    registry: new RegistryCache(prisma, tenant),
    retention,
    write: (statement) => unlessTaken(() => write(prisma, statement), []),
    // The statement takes the command and answers the row.
    commit: ((statement, command, key) => group.submit(statement, key, command as object)) as Commit,
    alone: (key, act) => group.hold(key, () => act(commitAlone(prisma, tenant))),
  };
}

function commitAlone(prisma: Prisma.TransactionClient, tenant: string): Commit {
  // As above.
  return (async (statement, command) => {
    const batch = { statement: statement as BatchStatement<object>, commands: [command as object] };
    const [row] = await sendBatch(prisma, tenant, { ...batch, isPatient: true });
    return row;
  }) as Commit;
}

type Batch = { statement: BatchStatement<object>; commands: readonly object[]; isPatient: boolean };

/** The row that each command came to, at its place. */
async function sendBatch(
  prisma: Prisma.TransactionClient,
  tenant: string,
  { statement, commands, isPatient }: Batch,
): Promise<(object | undefined)[]> {
  const placed = commands.map((command, place) => ({ ...command, place }));
  const lockTimeout = isPatient ? longestLockWait : shortestLockWait;
  const send = () => write<{ place: number }>(prisma, statement(tenant, placed, lockTimeout));
  const rows = commands.length === 1 ? await unlessTaken(send, []) : await send();
  const answers: (object | undefined)[] = commands.map(() => undefined);
  for (const { place, ...row } of rows) answers[place] = row;
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

async function write<Row>(
  prisma: Prisma.TransactionClient,
  statement: Prisma.Sql,
  attempt = 1,
): Promise<Row[]> {
  try {
    return await prisma.$queryRaw<Row[]>(statement);
  } catch (error) {
    if (isRetryable(error) && attempt < attempts) return write(prisma, statement, attempt + 1);
    // Whatever else happens once a statement is sent says nothing of whether it was committed.
    if (!wasRefused(error) && !wasNotSent(error)) throw new OutcomeUnknown(outcomeUnknown, { cause: error });
    throw asUnavailable(error) ?? error;
  }
}
