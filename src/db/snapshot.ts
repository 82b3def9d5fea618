import pg from 'pg';
import type { Statement } from './batches.js';
import { asUnavailable } from './failures.js';

/** One tenant as it is at one moment. */
export type Snapshot = {
  readonly tenant: string;
  readonly read: <Row>(statement: Statement) => Promise<Row[]>;
};

export type SnapshotOptions = { connectionString: string; tenant: string };

const settings = [
  'timezone=UTC',
  // Whatever is read is a page that an index finds, as for the gateway's own statements.
  ...['enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off', 'jit=off'],
];

/**
 * Reads all that `act` asks for at one moment, on a connection of its own, however long that takes: writers
 * go on meanwhile.
 * @throws Unavailable when the database cannot be reached any more
 */
export async function readSnapshot<T>(
  { connectionString, tenant }: SnapshotOptions,
  act: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString,
    application_name: 'context-gateway export',
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // What breaks the connection fails the statement, which tells.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
    await client.query(withoutTimeouts);
    return await act({
      tenant,
      // The statement says what its rows are.
      read: async <Row>({ text, values }: Statement) =>
        (await client.query(text, [...values]).catch(unavailable)).rows as Row[],
    });
  } finally {
    await client.end();
  }
}

/** What an administrator may have set for the role: a reader that is slow keeps the snapshot waiting. */
const withoutTimeouts = `
  select set_config(name, '0', true) from pg_settings
  where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;

function unavailable(error: unknown): never {
  throw asUnavailable(error) ?? error;
}
