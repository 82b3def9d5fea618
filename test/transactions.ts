import pg from 'pg';
import { expect } from 'vitest';
import type { TestApp } from './harness.js';

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

/** Whatever else writes on the server, in tests beside this one, keeps them back. */
export async function untilEventsCanBeRead({ sql }: Pick<TestApp, 'sql'>): Promise<void> {
  const heldBack = 'select version from event where xid >= pg_snapshot_xmin(pg_current_snapshot())';
  await expect.poll(() => sql(heldBack)).toEqual([]);
}
