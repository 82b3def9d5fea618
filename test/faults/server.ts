import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toConnectionString } from '../../src/db/embedded/address.js';
import { prepareCluster } from '../../src/db/embedded/cluster.js';
import { connectToCluster, discard } from '../../src/db/embedded/connection.js';
import { stopPostmaster } from '../../src/db/embedded/postmaster.js';
import { createLogger } from '../../src/logger.js';
import { execute } from '../databases.js';

/** A PostgreSQL that no gateway looks after. */
export type OwnServer = AsyncDisposable & {
  /** Of an empty database. */
  connectionString: string;
  /** Of the user that it runs as; undefined where that is this one. */
  uid: number | undefined;
  /** `kill -9` of the postmaster; its other processes end when they notice. */
  kill(): void;
  /** Resolves when it takes connections. */
  start(): Promise<void>;
  /** Moves its log to another folder, which is its user's; it has to be started after that. */
  moveLog(folder: string): Promise<void>;
};

export async function startOwnServer(): Promise<OwnServer> {
  const folder = await makeFolder();
  const cluster = await prepareCluster(folder, createLogger('warn'));
  const address = { kind: 'tcp' as const, port: await findFreePort() };
  let pid = 0;
  const start = async () => {
    const { client, ...server } = await connectToCluster(cluster, new AbortController().signal, address);
    await discard(client);
    pid = server.pid;
  };
  await start();
  await execute(toConnectionString(cluster, address, 'postgres'), 'create database gateway');
  return {
    connectionString: toConnectionString(cluster, address, 'gateway'),
    uid: cluster.account.uid,
    kill: () => process.kill(pid, 'SIGKILL'),
    start,
    async moveLog(folder) {
      await stopPostmaster(cluster, pid);
      const log = join(cluster.dataDirectory, 'pg_wal');
      await cp(log, folder, { recursive: true });
      await chownAll(folder, cluster.account.uid);
      await rm(log, { recursive: true });
      await symlink(folder, log);
    },
    async [Symbol.asyncDispose]() {
      await stopPostmaster(cluster, pid);
      await rm(folder, { recursive: true });
    },
  };
}

async function chownAll(folder: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return;
  for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), uid, uid);
}

/** `kill -9` of the postmaster of a gateway's own PostgreSQL, as it is at the moment. */
export async function killEmbeddedPostgres(folder: string): Promise<void> {
  const [pid] = (await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGKILL');
}

/** A folder that PostgreSQL gets into also where it runs as another user than this. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-faults-'));
  await chmod(folder, 0o755);
  return folder;
}

/** A port of this machine that nobody listens on at the moment. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
