import pg from 'pg';
import { expect } from 'vitest';
import type { TestApp } from './harness.js';
import type { DatabaseProxy } from './proxy.js';

/** A transaction that holds the feed of events up as long as it is open. */
export type OpenTransaction = { xid: string; commit: () => Promise<void> };

export async function beginTransaction({
  connectionString,
}: {
  connectionString: string;
}): Promise<OpenTransaction> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('begin');
  const { rows } = await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  return {
    xid: rows[0]?.xid ?? '',
    async commit() {
      await client.query('commit');
      await client.end();
    },
  };
}

/** What an act by the proxy comes to whose connection is reset while it waits to read the table. */
export async function resetReaderOf<T>(
  table: string,
  { observer, proxy }: { observer: Pick<TestApp, 'connectionString' | 'sql'>; proxy: DatabaseProxy },
  act: () => Promise<T>,
): Promise<T> {
  const blocker = new pg.Client({ connectionString: observer.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query(`lock table ${table}`);
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and application_name = 'context-gateway'`;

  const acting = act();
  await expect.poll(async () => (await observer.sql(waiting)).length).toBe(1);
  proxy.reset();
  const answer = await acting;
  await blocker.end();
  return answer;
}

/** Whatever else writes on the server, in tests beside this one, keeps them back. */
export async function untilEventsCanBeRead({ sql }: Pick<TestApp, 'sql'>): Promise<void> {
  const heldBack = 'select version from event where xid >= pg_snapshot_xmin(pg_current_snapshot())';
  await expect.poll(() => sql(heldBack)).toEqual([]);
}
