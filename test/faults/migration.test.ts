import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { connectionTo, execute, type TestDatabase } from '../databases.js';
import { project } from '../process.js';
import { ask, bootTested, type TestedGateway } from './gateways.js';
import { report } from './rounds.js';
import { areWaiting } from './waits.js';

test('of two gateways that start at once on an empty database one migrates, and the other waits for it', async () => {
  await using database = await createEmptyDatabase(inject('serverUrl'));
  const settings = { DATABASE_URL: database.connectionString };
  const observer = new pg.Client({ connectionString: database.connectionString });
  await observer.connect();

  // Whoever makes the table too has to wait for this transaction.
  await observer.query('begin');
  await observer.query('create table tenant ()');
  const booting = Promise.all([bootTested(settings), bootTested(settings)]);
  const oneWaits = await areWaiting(database.connectionString, ['advisory', 'transactionid']);
  await observer.query('rollback');
  const gateways = await booting;
  const answers = await Promise.all(gateways.map(({ url }) => ask(url)));
  const { rows } = await observer.query<{ name: string; times: number }>(
    'select migration_name as name, count(*)::int as times from _prisma_migrations group by 1 order by 1',
  );
  await observer.end();
  const codes = await Promise.all(gateways.map((gateway) => gateway.process().terminate()));

  const names = await migrationNames();
  const applied = gateways.map(countApplied).sort((a, b) => a - b);
  report('two gateways migrate at once', {
    migrations: names.length,
    recorded: rows.length,
    doubled: rows.filter(({ times }) => times > 1).length,
    'applied by one': applied[1] ?? 0,
    'by the one that waited': applied[0] ?? 0,
  });
  expect(oneWaits).toBe(true);
  expect(rows).toEqual(names.map((name) => ({ name, times: 1 })));
  expect(applied).toEqual([0, names.length]);
  expect(answers).toMatchObject([{ status: 200 }, { status: 200 }]);
  expect(codes).toEqual([0, 0]);
});

async function createEmptyDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `context_gateway_test_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `create database ${name}`);
  return {
    connectionString: connectionTo(serverUrl, name),
    [Symbol.asyncDispose]: () => execute(serverUrl, `drop database ${name} with (force)`),
  };
}

function countApplied(gateway: TestedGateway): number {
  return gateway.process().startLog.filter((line) => line.includes('migration applied')).length;
}

async function migrationNames(): Promise<string[]> {
  const entries = await readdir(join(project, 'prisma/migrations'), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => name).sort();
}
