import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../src/db/migrate.js';
import type { Logger } from '../src/logger.js';

const templateDatabase = 'context_gateway_test_template';

export type TestDatabase = AsyncDisposable & { connectionString: string };

/** Migrated once; every test database of the server is a copy of it. */
export async function createTemplate(serverUrl: string, logger: Logger): Promise<void> {
  await execute(serverUrl, `drop database if exists ${templateDatabase}`);
  await execute(serverUrl, `create database ${templateDatabase}`);
  await migrate(connectionTo(serverUrl, templateDatabase), logger);
}

export async function createTestDatabase(serverUrl: string): Promise<TestDatabase> {
  const name = `context_gateway_test_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `create database ${name} template ${templateDatabase}`);
  return {
    connectionString: connectionTo(serverUrl, name),
    [Symbol.asyncDispose]: () => execute(serverUrl, `drop database ${name} with (force)`),
  };
}

/** The same server, another database. */
export function connectionTo(serverUrl: string, database: string): string {
  return serverUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}

export async function execute(connectionString: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
