import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { balance } from './accounts.js';
import { bootTested } from './gateways.js';
import { report, rounds } from './rounds.js';
import { startTraffic } from './traffic.js';

const acts = rounds({ long: 20_000, short: 4_000 });

test('5 connections serve 200 callers that read and write, and nobody is refused', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const settings = { DATABASE_URL: database.connectionString, DATABASE_POOL_SIZE: '5' };
  await using gateway = await bootTested(settings);
  const traffic = startTraffic({ url: gateway.url, callers: 200, reads: 5 });

  await traffic.acknowledges(acts);
  const connections = await countConnections(database.connectionString);
  const { faults, counts } = await balance(database.connectionString, await traffic.stop());

  const failed = traffic.count(503) + traffic.count('broken') + traffic.count('cut');
  report('200 callers on a pool of 5', { ...counts, failed, connections });
  expect(faults).toEqual([]);
  expect(failed).toBe(0);
  expect(connections).toBeLessThanOrEqual(5);
});

async function countConnections(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'context-gateway'`,
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}
