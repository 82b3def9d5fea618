import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Whether within 30 s others on the database wait for locks of these kinds, and for no others. */
export async function areWaiting(connectionString: string, expected: readonly string[]): Promise<boolean> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const deadline = performance.now() + 30_000;
  try {
    while ((await listWaits(client)).join() !== expected.join()) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  } finally {
    await client.end();
  }
}

async function listWaits(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ kind: string }>(
    `select wait_event as kind from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' order by 1`,
  );
  return rows.map(({ kind }) => kind);
}
