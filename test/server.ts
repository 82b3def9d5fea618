import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseAddress, toConnectionString, toSettings } from '../src/db/embedded/address.js';
import { type Cluster, prepareCluster } from '../src/db/embedded/cluster.js';
import { processOptions } from '../src/db/embedded/process.js';
import type { Logger } from '../src/logger.js';
import { execute } from './databases.js';

export type Server = { url: string; stop: () => Promise<void> };

/**
 * Nobody pulls this server's plug, so it waits for no disk, which took a third of the tests' time: those
 * of what outlasts a crash have servers of their own.
 */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '128MB',
  timezone: 'UTC',
};

/** A server of the gateway's own PostgreSQL, in a folder that goes with it. */
export async function startServer(logger: Logger): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'context-gateway-test-'));
  // PostgreSQL runs as another user where this is root's: it has to get there.
  await chmod(directory, 0o755);
  const cluster = await prepareCluster(directory, logger);
  const address = await chooseAddress(cluster.dataDirectory);
  const stop = runPostgres(cluster, { ...settings, ...toSettings(address) });
  const url = toConnectionString(cluster, address, 'postgres');
  await untilReady(url);
  return {
    url,
    async stop() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function runPostgres(
  { dataDirectory, binaries, account }: Cluster,
  settings: Record<string, string>,
): () => Promise<unknown> {
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(binaries.directory, 'postgres'), ['-D', dataDirectory, ...options], {
    ...processOptions(account),
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  return () => {
    server.kill('SIGINT');
    return exited;
  };
}

async function untilReady(url: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await sleep(20)) {
    try {
      return await execute(url, 'select 1');
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
