import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { OutcomeUnknown, Unavailable } from '../errors.js';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import { asUnavailable, isLockTimeout, isRetryable, mayHaveCommitted, violates } from './failures.js';
import { GroupCommit } from './group-commit.js';
import { RegistryCache } from './registry.js';

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
 * place of the command in the batch.
 */
export type BatchStatement<Command> = (
  tenant: string,
  commands: readonly (Command & { place?: number })[],
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
  retention: Retention;
  logger: Logger;
};

/** Opens the database; connects when first used. */
export function openDatabase({ connectionString, poolSize, retention, logger }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString,
    max: poolSize,
    application_name: 'context-gateway',
    // Prisma's adapter reads times without their offset: every session has to be in UTC.
    // Whoever waits for a row keeps those waiting that travel along.
    options: '-c timezone=UTC -c lock_timeout=5s',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    keepAlive: true,
  });
  // Without a listener an idle connection that breaks would end the process.
  // Its own message alone: the error carries the whole client.
  pool.on('error', ({ message }) => logger.warn({ reason: message }, 'an idle database connection broke'));
  const adapter = new PrismaPg(pool);
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
          act(openTenant(transaction, tenant, { retention, group: groupOf(transaction, tenant) })),
        {
          timeout: 30_000,
        },
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all(groups.map((group) => group.drain()));
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

type Group = GroupCommit<object, object | undefined>;

function groupOf(prisma: Prisma.TransactionClient, tenant: string): Group {
  return new GroupCommit({
    // Only `commit` submits, and with a statement as the kind.
    send: (statement, commands) => sendBatch(prisma, tenant, statement as BatchStatement<object>, commands),
    isRefusal: (error) => !(error instanceof Unavailable) || isLockTimeout(error.cause),
    overload: () => new Unavailable('Too many changes wait for the database: try again.'),
  });
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
    const [row] = await sendBatch(prisma, tenant, statement as BatchStatement<object>, [command as object]);
    return row;
  }) as Commit;
}

/** The row that each command came to, at its place. */
async function sendBatch(
  prisma: Prisma.TransactionClient,
  tenant: string,
  statement: BatchStatement<object>,
  commands: readonly object[],
): Promise<(object | undefined)[]> {
  const placed = commands.map((command, place) => ({ ...command, place }));
  const send = () => write<{ place: number }>(prisma, statement(tenant, placed));
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

async function write<Row>(
  prisma: Prisma.TransactionClient,
  statement: Prisma.Sql,
  attempt = 1,
): Promise<Row[]> {
  try {
    return await prisma.$queryRaw<Row[]>(statement);
  } catch (error) {
    if (isRetryable(error) && attempt < attempts) return write(prisma, statement, attempt + 1);
    if (mayHaveCommitted(error)) {
      throw new OutcomeUnknown('The database connection broke: the change may or may not have been made.');
    }
    throw asUnavailable(error) ?? error;
  }
}
