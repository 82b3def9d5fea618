import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../src/db/embedded/postgres.js';
import { migrate } from '../src/db/migrate.js';
import { createLogger } from '../src/logger.js';
import { connectionTo, execute, templateDatabase } from './databases.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server for the tests; each makes databases of its own there. */
    serverUrl: string;
  }
}

const logger = createLogger('warn');

/** One PostgreSQL for all tests: the server of TEST_DATABASE_URL, else an embedded one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Processes run what is built: from the sources each would take as long again to start.
  if (project.name !== 'app') await promisify(execFile)('npm', ['run', 'build']);
  const server = await startServer(process.env['TEST_DATABASE_URL']);
  await execute(server.url, `drop database if exists ${templateDatabase}`);
  await execute(server.url, `create database ${templateDatabase}`);
  await migrate(connectionTo(server.url, templateDatabase), logger);
  project.provide('serverUrl', server.url);
  return server.stop;
}

async function startServer(url: string | undefined): Promise<{ url: string; stop: () => Promise<void> }> {
  if (url) return { url, stop: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), 'context-gateway-test-'));
  // PostgreSQL runs as another user where this is root's: it has to get there.
  await chmod(directory, 0o755);
  const postgres = await startEmbeddedPostgres({ directory, logger });
  const stop = async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: postgres.connectionString, stop };
}
