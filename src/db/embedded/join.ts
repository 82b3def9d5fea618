import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Address } from './address.js';
import type { Cluster } from './cluster.js';
import { discard, findServer } from './connection.js';
import { DATABASE } from './lock.js';

/** How long a server that is there, but takes no connection yet, is waited for. */
const PATIENCE_MS = 5_000;
const POLL_MS = 50;

/** Where the server that has the database ready listens; null when there is none, or none that gets ready. */
export async function findAddress(cluster: Cluster): Promise<Address | null> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await findServer(cluster);
    if (found.state === 'ready' && (await hasDatabase(found.server.client))) return found.server.address;
    if (found.state === 'absent' || Date.now() > deadline) return null;
    await sleep(POLL_MS);
  }
}

/** A gateway on its first start may not have made it yet. */
async function hasDatabase(client: pg.Client): Promise<boolean> {
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    return rowCount === 1;
  } finally {
    await discard(client);
  }
}
