import pg from 'pg';

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
