import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { MigrationError, migrate } from '../../src/db/migrate.js';
import { connectionTo, execute } from '../databases.js';
import { diffFromSchema } from './schema-engine.js';

const name = `context_gateway_test_migrate_${process.pid}`;
const url = connectionTo(inject('serverUrl'), name);
const logger = pino({ level: 'silent' });

beforeAll(() => execute(inject('serverUrl'), `create database ${name}`));
afterAll(() => execute(inject('serverUrl'), `drop database ${name} with (force)`));

test('of two gateways that migrate at once, one applies and one waits', async () => {
  await Promise.all([migrate(url, logger), migrate(url, logger)]);

  const records = await query('select migration_name, finished_at from _prisma_migrations');
  expect(new Set(records.map((record) => record['migration_name'])).size).toBe(records.length);
  expect(records.every((record) => record['finished_at'] instanceof Date)).toBe(true);
});

test('the migrated tables are what schema.prisma says', async () => {
  await migrate(url, logger);

  const difference = await diffFromSchema(url);

  expect(difference.trim()).toBe('-- This is an empty migration.');
});

test('a column that schema.prisma lacks shows as a difference', async () => {
  await migrate(url, logger);

  await execute(url, 'alter table service add column surplus text');
  const difference = await diffFromSchema(url);
  await execute(url, 'alter table service drop column surplus');

  expect(difference).toContain('surplus');
});

test('a migration that was edited after it was applied is refused', async () => {
  await migrate(url, logger);
  await execute(url, "update _prisma_migrations set checksum = 'x' || substr(checksum, 2)");

  const attempt = migrate(url, logger);

  await expect(attempt).rejects.toThrow(MigrationError);
});

test('a server that cannot be reached is said so, without a password', async () => {
  const attempt = migrate('postgresql://someone:secret@127.0.0.1:1/nowhere', logger);

  await expect(attempt).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/);
  await expect(attempt).rejects.not.toThrow(/secret/);
});

async function query(statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
