import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { createLogger } from '../src/logger.js';
import { createTemplate } from './databases.js';
import { type Server, startServer } from './server.js';

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
  const server = await findServer(process.env['TEST_DATABASE_URL']);
  await createTemplate(server.url, logger);
  project.provide('serverUrl', server.url);
  return server.stop;
}

async function findServer(url: string | undefined): Promise<Server> {
  return url ? { url, stop: async () => {} } : startServer(logger);
}
