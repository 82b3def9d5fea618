import { rm } from 'node:fs/promises';
import { joinEmbeddedPostgres } from '../../src/db/embedded/postgres.js';
import { createLogger } from '../../src/logger.js';
import { bootGateway, type Gateway } from '../process.js';
import { type Accounts, balance } from './accounts.js';
import { type Exchange, exchange } from './exchange.js';
import { findFreePort, makeFolder } from './server.js';
import { type Entry, newLine } from './traffic.js';

/** A gateway process, and its successors at the same address. */
export type TestedGateway = AsyncDisposable & {
  url: string;
  /** The process that runs, or the last one that did. */
  process(): Gateway;
  /** Starts the next process and waits until it listens. */
  boot(): Promise<Gateway>;
};

/** A gateway with a PostgreSQL of its own in a new folder. */
export type EmbeddedGateway = TestedGateway & {
  folder: string;
  balance(entries: readonly Entry[]): Promise<Accounts>;
};

export async function bootEmbedded(settings: Record<string, string> = {}): Promise<EmbeddedGateway> {
  const folder = await makeFolder();
  const gateway = await bootTested({ DATA_DIR: folder, DEMO_DATA: 'off', ...settings });
  return {
    ...gateway,
    folder,
    async balance(entries) {
      const logger = createLogger('warn');
      const { connectionString } = await joinEmbeddedPostgres({ directory: folder, logger });
      return balance(connectionString, entries);
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** A gateway on the database of the settings. */
export async function bootTested(settings: Record<string, string>): Promise<TestedGateway> {
  const environment = { LOG_LEVEL: 'info', PORT: String(await findFreePort()), ...settings };
  let gateway = await bootGateway({ environment });
  return {
    url: gateway.url,
    process: () => gateway,
    async boot() {
      gateway = await bootGateway({ environment });
      return gateway;
    },
    async [Symbol.asyncDispose]() {
      // One that has ended can take no signal, and one that does not end is not left behind.
      const impatience = setTimeout(() => gateway.kill().catch(() => {}), 15_000);
      await gateway.terminate().catch(() => {});
      clearTimeout(impatience);
    },
  };
}

/** A call that needs the database. */
export function ask(url: string): Promise<Exchange> {
  return exchange(newLine(url), { method: 'GET', path: '/customers/nobody/services' });
}

/** How long it took until the gateway answered from the database again. */
export async function timeUntilServed(url: string, since: number): Promise<number> {
  for (;;) {
    const answer = await ask(url);
    const milliseconds = performance.now() - since;
    if (answer.state === 'answered' && answer.status === 200) return milliseconds;
    if (milliseconds > 30_000) throw new Error(`not served again within 30 s: ${JSON.stringify(answer)}`);
  }
}
