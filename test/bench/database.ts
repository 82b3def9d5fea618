import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/embedded/postgres.js';
import { migrate } from '../../src/db/migrate.js';
import { createLogger } from '../../src/logger.js';
import { connectionTo, execute } from '../databases.js';
import { pin } from './machine.js';
import { type Population, populate } from './population.js';
import { childrenOf } from './process-facts.js';

const logger = createLogger('warn');

export type Server = AsyncDisposable & {
  url: string;
  /** Its first process; null where it runs elsewhere. */
  pid: number | null;
};

/** The server at the URL, else a PostgreSQL as `npm start` runs it, in a folder that goes with it. */
export async function openServer(url: string | null, core: number | undefined): Promise<Server> {
  if (url !== null) return { url, pid: null, [Symbol.asyncDispose]: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), 'context-gateway-bench-'));
  // PostgreSQL runs as another user where this is root's: it has to get there.
  await chmod(directory, 0o755);
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const postgres = await startEmbeddedPostgres({ directory, logger });
    const pid = await readPid(directory);
    pin(core, [pid, ...childrenOf(pid)]);
    return {
      url: postgres.connectionString,
      pid,
      [Symbol.asyncDispose]: async () => {
        await postgres.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function readPid(directory: string): Promise<number> {
  const file = await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8');
  return Number(file.split('\n')[0]);
}

export type BenchDatabase = AsyncDisposable & { url: string; client: pg.Client };

/** A database of its own on the server, filled; dropped in the end. */
export async function createDatabase(serverUrl: string, population: Population): Promise<BenchDatabase> {
  const name = `context_gateway_bench_${randomBytes(4).toString('hex')}`;
  await execute(serverUrl, `create database ${name}`);
  const url = connectionTo(serverUrl, name);
  const client = new pg.Client({ connectionString: url });
  const drop = async () => {
    await client.end();
    await execute(serverUrl, `drop database ${name} with (force)`);
  };
  try {
    await migrate(url, logger);
    await client.connect();
    await populate(client, population);
    return { url, client, [Symbol.asyncDispose]: drop };
  } catch (error) {
    await drop();
    throw error;
  }
}

export async function describeServer(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ facts: string }>(
    `select format('PostgreSQL %s, fsync %s, synchronous_commit %s, shared_buffers %s', current_setting('server_version'),
       current_setting('fsync'), current_setting('synchronous_commit'), current_setting('shared_buffers')) as facts`,
  );
  return rows[0]?.facts ?? '';
}

/**
 * So that no round pays for the rows that another one left dead and the pages that it changed.
 * Who may not do a checkpoint goes without.
 */
export async function settle(client: pg.Client): Promise<void> {
  await client.query('vacuum service, extension, association, event');
  await client.query('checkpoint').catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
  });
}

export type RowCounts = {
  events: number;
  associations: number;
  /** Rows that are written later are of this transaction or of later ones. */
  nextTransaction: string;
};

export async function countRows(client: pg.Client): Promise<RowCounts> {
  const { rows } = await client.query<RowCounts>(
    `select (select count(*)::int from event) as events, (select count(*)::int from association) as associations,
       pg_snapshot_xmax(pg_current_snapshot())::xid::text as "nextTransaction"`,
  );
  const [counts] = rows;
  if (!counts) throw new Error('an aggregate answers a row');
  return counts;
}
