import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/db/embedded/postgres.js';
import { createLogger } from '../../../src/logger.js';

export const isRoot = process.getuid?.() === 0;

let used: Promise<string> | null = null;
const directories: string[] = [];
const databases: EmbeddedPostgres[] = [];
const gateways: ChildProcess[] = [];

afterEach(async () => {
  for (const gateway of gateways.splice(0)) if (gateway.pid) signalGroup(gateway.pid, 'SIGKILL');
  for (const database of databases.splice(0)) await database.stop();
  for (const directory of directories.splice(0)) await remove(directory);
});

afterAll(async () => {
  if (used) await remove(await used);
});

/** A new folder that every user may enter, as a project's usually is; removed after the test with what ran in it. */
export async function makeDirectory(): Promise<string> {
  const directory = await makeOpenDirectory();
  directories.push(directory);
  return directory;
}

/** Like `makeDirectory`, with the folder of a gateway that has run and stopped: much faster than a first start. */
export async function makeUsedDirectory(name = '.'): Promise<string> {
  used ??= makeUsed();
  const directory = join(await makeDirectory(), name);
  await mkdir(directory, { recursive: true });
  await promisify(execFile)('cp', ['-a', join(await used, 'postgres'), directory]);
  return directory;
}

async function makeUsed(): Promise<string> {
  const directory = await makeOpenDirectory();
  const database = await startEmbeddedPostgres({ directory, logger: createLogger('silent') });
  await database.stop();
  return directory;
}

async function makeOpenDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'gateway-')));
  await chmod(directory, 0o755);
  return directory;
}

export async function start(directory: string, lockTimeoutMs = 0): Promise<EmbeddedPostgres> {
  const logger = createLogger('silent');
  const database = await startEmbeddedPostgres({ directory, logger, lockTimeoutMs });
  databases.push(database);
  return database;
}

/** The rows of one statement, each as an array. */
export async function query(
  { connectionString }: Pick<EmbeddedPostgres, 'connectionString'>,
  sql: string,
): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

export async function postmasterPid(directory: string): Promise<number> {
  return Number((await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

type Gateway = { pid: number; isNew?: boolean; refusal?: string; exited: Promise<unknown> };

/** Another gateway in a process (and process group) of its own, as far as its start has got. */
export async function startGateway(
  directory: string,
  { lockTimeoutMs = 0, ...account }: { lockTimeoutMs?: number; uid?: number; gid?: number } = {},
): Promise<Gateway> {
  const script = fileURLToPath(new URL('gateway.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, directory, String(lockTimeoutMs)], {
    ...account,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  gateways.push(child);
  const exited = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), exited]);
  return { ...JSON.parse(String(line)), pid: child.pid, exited };
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Tries until it no longer throws, for what comes about by itself. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

async function remove(directory: string): Promise<void> {
  const data = await realpath(join(directory, 'postgres')).catch(() => null);
  const pid = data && (await postmasterPid(directory).catch(() => null));
  if (pid) await end(pid);
  if (data && !data.startsWith(directory)) await rm(dirname(data), { recursive: true });
  await rm(directory, { recursive: true, force: true });
}

async function end(pid: number): Promise<void> {
  try {
    for (process.kill(pid, 'SIGQUIT'); process.kill(pid, 0); ) await sleep(10);
  } catch {
    // It has gone.
  }
}
