import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { OutcomeUnknown } from '../errors.js';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import type { Logger } from '../logger.js';
import { asUnavailable, isRetryable, mayHaveCommitted, violates } from './failures.js';
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
  /** One writing statement, under the terms of `commit`. */
  readonly write: <Row>(statement: Prisma.Sql) => Promise<Row[]>;
};

/**
 * Sends a command through the one statement that carries its kind, and answers the row it came
 * to once that is committed; undefined when the statement's conditions did not hold, or when
 * another call has taken its idempotency key meanwhile: nothing was changed then.
 * @throws OutcomeUnknown when the connection broke meanwhile: it may have been committed.
 */
export type Commit = <Command, Row>(
  statement: BatchStatement<Command>,
  command: Command,
) => Promise<Row | undefined>;

/** One statement for a batch of commands, which answers a row for each that it carried out. */
export type BatchStatement<Command> = (tenant: string, commands: readonly Command[]) => Prisma.Sql;

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
    options: '-c timezone=UTC',
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
  return {
    admin: { prisma },
    forTenant(tenant) {
      const db = tenants.get(tenant) ?? openTenant(prisma, tenant, retention);
      tenants.set(tenant, db);
      return db;
    },
    transaction: (tenant, act) =>
      prisma.$transaction((transaction) => act(openTenant(transaction, tenant, retention)), {
        timeout: 30_000,
      }),
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

function openTenant(prisma: Prisma.TransactionClient, tenant: string, retention: Retention): Db {
  return {
    prisma,
    tenant,
    registry: new RegistryCache(prisma, tenant),
    retention,
    write: (statement) => write(prisma, statement),
    commit: async <Command, Row>(statement: BatchStatement<Command>, command: Command) => {
      const [row] = await write<Row>(prisma, statement(tenant, [command]));
      return row;
    },
  };
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
    if (violates(error, 'idempotency_key_pkey')) return [];
    if (isRetryable(error) && attempt < attempts) return write(prisma, statement, attempt + 1);
    if (mayHaveCommitted(error)) {
      throw new OutcomeUnknown('The database connection broke: the change may or may not have been made.');
    }
    throw asUnavailable(error) ?? error;
  }
}
