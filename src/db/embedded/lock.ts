import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Address } from './address.js';
import type { Cluster } from './cluster.js';
import { type Connection, connectToCluster, discard, isConnectionLoss } from './connection.js';
import { EmbeddedPostgresError } from './error.js';

/** Any number will do; nothing else takes advisory locks in the database `postgres`. */
const LOCK_KEY = 1_668_247_156;

/** The gateway's own. */
export const DATABASE = 'context_gateway';

type Options = { lockTimeoutMs: number; signal: AbortSignal; address?: Address };

/**
 * Connects to the cluster's server and takes the folder for this gateway, with the database in place. The lock
 * lasts as long as the connection, so a gateway that is killed frees it. Waits for a holder up to `lockTimeoutMs`:
 * it may be shutting down, and take the server with it.
 */
export async function holdCluster(cluster: Cluster, options: Options): Promise<Connection> {
  const deadline = Date.now() + options.lockTimeoutMs;
  for (;;) {
    const connection = await connectToCluster(cluster, options.signal, options.address);
    try {
      await waitForLock(connection.client, cluster, deadline);
      await ensureDatabase(connection.client);
      return connection;
    } catch (error) {
      await discard(connection.client);
      if (error instanceof EmbeddedPostgresError || !isConnectionLoss(error) || Date.now() > deadline)
        throw error;
    }
  }
}

async function waitForLock(client: pg.Client, cluster: Cluster, deadline: number): Promise<void> {
  for (;;) {
    const { isTaken, holder } = await tryLock(client);
    if (isTaken) return;
    if (Date.now() >= deadline) throw heldByAnother(cluster, holder);
    await sleep(50);
  }
}

function heldByAnother({ dataDirectory }: Cluster, holder: string | null): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `Another gateway uses ${dataDirectory}: ${holder ?? 'its pid is unknown'}. Stop it first, give this one ` +
      'a DATA_DIR of its own, or let several gateways share one PostgreSQL by DATABASE_URL.',
  );
}

type LockRow = { isTaken: boolean; holder: string | null };

async function tryLock(client: pg.Client): Promise<LockRow> {
  const { rows } = await client.query<LockRow>(
    `select pg_try_advisory_lock($1) as "isTaken",
            (select a.application_name from pg_locks l join pg_stat_activity a using (pid)
              where l.locktype = 'advisory' and l.granted and l.objid = $1 and a.datname = current_database()
              limit 1) as "holder"`,
    [LOCK_KEY],
  );
  return rows[0] ?? { isTaken: false, holder: null };
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (!rowCount) await client.query(`create database ${DATABASE}`);
}
