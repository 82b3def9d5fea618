import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { OperatorError } from '../errors.js';
import type { Logger } from '../logger.js';
import { adoptRestoredFeed } from './restored-feed.js';

/** The database cannot be brought to this gateway's level; the message says what to do. */
export class MigrationError extends OperatorError {}

const directory = join(import.meta.dirname, '../../prisma/migrations');
const oldestServerVersion = 150_000;

/** Any number, but the same in every gateway: one migrates, the others wait for it. */
const advisoryLock = 7_361_802_451;

/**
 * Applies the migrations that the database lacks, each in a transaction of its own, and records
 * them where `prisma migrate` does; and takes in a database of another server. Safe with several gateways at once.
 * @returns the names of those that it applied
 * @throws MigrationError when the server is out of reach or too old, or its tables come from elsewhere
 */
export function migrate(connectionString: string, logger: Logger): Promise<string[]> {
  return connected(connectionString, async (client) => {
    await requireServerVersion(client);
    await client.query('select pg_advisory_lock($1)', [advisoryLock]);
    await client.query(createLedger);
    const added = await applyMissing(client, logger);
    await adoptRestoredFeed(client, logger);
    return added;
  });
}

/** What the database has of a migration: `foreign` is one of a newer gateway, `changed` another one of its name. */
export type MigrationState = {
  name: string;
  state: 'applied' | 'pending' | 'unfinished' | 'changed' | 'foreign';
};

/**
 * Looks, and changes nothing.
 * @throws MigrationError when the server is out of reach
 */
export function listMigrations(connectionString: string): Promise<MigrationState[]> {
  return connected(connectionString, async (client) => {
    const { rows } = await client.query("select to_regclass('_prisma_migrations') is not null as is_there");
    const applied = new Map(rows[0]?.is_there ? await readLedger(client) : []);
    const known = (await readMigrations()).map((migration): MigrationState => {
      const record = applied.get(migration.name);
      applied.delete(migration.name);
      return { name: migration.name, state: stateOf(record, migration) };
    });
    return [...known, ...[...applied.keys()].map((name) => ({ name, state: 'foreign' as const }))];
  });
}

function stateOf(record: Applied | undefined, { checksum }: Migration): MigrationState['state'] {
  if (!record) return 'pending';
  if (!record.finished_at) return 'unfinished';
  return record.checksum === checksum ? 'applied' : 'changed';
}

async function connected<T>(connectionString: string, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString,
    application_name: 'context-gateway migrate',
    connectionTimeoutMillis: 10_000,
  });
  // A connection that breaks fails the query that runs; unheard, it would end the process besides.
  client.on('error', () => {});
  await client.connect().catch((error: Error) => {
    throw new MigrationError(`The database cannot be reached: ${error.message || String(error)}`);
  });
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

async function requireServerVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
  );
  const [server] = rows;
  if (server && server.number < oldestServerVersion) {
    throw new MigrationError(`PostgreSQL ${server.version} is too old: 15 or newer is needed.`);
  }
}

async function readLedger(client: pg.Client): Promise<[string, Applied][]> {
  const { rows } = await client.query<Applied>(
    'select migration_name as name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
  );
  return rows.map((row) => [row.name, row]);
}

async function applyMissing(client: pg.Client, logger: Logger): Promise<string[]> {
  const applied = new Map(await readLedger(client));
  const added: string[] = [];
  for (const migration of await readMigrations()) {
    const record = applied.get(migration.name);
    applied.delete(migration.name);
    if (record) requireSame(record, migration);
    else {
      await apply(client, migration);
      added.push(migration.name);
      logger.info({ migration: migration.name }, 'migration applied');
    }
  }
  for (const name of applied.keys()) {
    logger.warn({ migration: name }, 'the database has a migration of a newer gateway');
  }
  return added;
}

function requireSame(record: Applied, migration: Migration): void {
  if (!record.finished_at) {
    throw new MigrationError(
      `Migration ${record.name} was begun by another tool and not finished. See "prisma migrate resolve".`,
    );
  }
  if (record.checksum !== migration.checksum) {
    throw new MigrationError(`The database was made by another version of migration ${record.name}.`);
  }
}

/** One statement an execution: a sharded PostgreSQL refuses two DDL statements in one string. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const statements = sql.split(/;\s*$/m).filter((statement) => statement.trim() !== '');
  await client.query('begin');
  for (const statement of statements) await client.query(statement);
  await client.query(
    `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), checksum, name],
  );
  await client.query('commit');
}

async function readMigrations(): Promise<Migration[]> {
  return Promise.all((await listOwnMigrations()).map(readMigration));
}

/** The names of those that this gateway was built with, in their order. */
export async function listOwnMigrations(): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return names.sort();
}

async function readMigration(name: string): Promise<Migration> {
  const sql = await readFile(join(directory, name, 'migration.sql'), 'utf8');
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

type Migration = { name: string; sql: string; checksum: string };
type Applied = { name: string; checksum: string; finished_at: Date | null };

/** The table as Prisma makes it, so that its tools agree on what was applied. */
const createLedger = `create table if not exists _prisma_migrations (
  id varchar(36) primary key not null,
  checksum varchar(64) not null,
  finished_at timestamptz,
  migration_name varchar(255) not null,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz not null default now(),
  applied_steps_count integer not null default 0
)`;
