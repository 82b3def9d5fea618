import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, toSettings } from './address.js';
import type { Cluster } from './cluster.js';
import { isAlive, processOptions } from './process.js';

/** A `postgres` process of ours; it may turn out that another one serves the folder, and ours gives up. */
export type Launch = {
  pid: number | undefined;
  hasExited: boolean;
  /** What kept the program from starting at all. */
  failure: string | null;
  /** Where in the log its own lines begin. */
  logOffset: number;
};

const LOG_FILE = 'postgres.log';
const MAX_LOG_BYTES = 1_000_000;

/**
 * PostgreSQL's own log keeps to its life: its errors reach the gateway, which reports them, and their texts
 * may hold customers' data.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '100',
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Plans are made anew once a table is looked at: at first it grows fast.
  autovacuum_naptime: '5s',
  log_statement: 'none',
  log_min_messages: 'log',
  log_checkpoints: 'off',
};

/**
 * Starts `postgres` in a session of its own: neither Ctrl-C nor a signal to the gateway's process group reaches
 * it, and it outlives a gateway that is killed. The server is not ready yet when this returns.
 */
export async function launchPostmaster(cluster: Cluster, address: Address): Promise<Launch> {
  const log = await openLog(cluster);
  try {
    const launch: Launch = {
      pid: undefined,
      hasExited: false,
      failure: null,
      logOffset: (await log.stat()).size,
    };
    const child = spawn(join(cluster.binaries.directory, 'postgres'), toArguments(cluster, address), {
      ...processOptions(cluster.account),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.once('exit', () => {
      launch.hasExited = true;
    });
    child.once('error', (error) => {
      launch.hasExited = true;
      launch.failure = error.message;
    });
    child.unref();
    launch.pid = child.pid;
    return launch;
  } finally {
    await log.close();
  }
}

function toArguments(cluster: Cluster, address: Address): string[] {
  const settings = Object.entries({ ...SETTINGS, ...toSettings(address) });
  return ['-D', cluster.dataDirectory, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** One former log is kept, so both together stay small. */
async function openLog({ dataDirectory, account }: Cluster): Promise<FileHandle> {
  const path = join(dataDirectory, LOG_FILE);
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  if (size > MAX_LOG_BYTES) await rename(path, `${path}.1`);
  // The folder is the unprivileged user's; a link planted there must not lead root to another file.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const log = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (account.uid !== undefined && account.gid !== undefined) await log.chown(account.uid, account.gid);
  return log;
}

/** Why the launched process did not stay: the last lines it logged. */
export async function explainExit(
  { dataDirectory }: Cluster,
  { failure, logOffset }: Launch,
): Promise<string> {
  if (failure) return failure;
  const log = await readFile(join(dataDirectory, LOG_FILE)).catch(() => Buffer.alloc(0));
  return log.subarray(logOffset).toString('utf8').trim().split('\n').slice(-10).join('\n');
}

export type PidFile = { pid: number; address: Address };

/**
 * What the server that serves the folder, or last did, wrote to `postmaster.pid`; null when there is none or it
 * is still being written. Its lines: pid, data folder, start time, port, socket folder, TCP address.
 */
export async function readPidFile({ dataDirectory }: Cluster): Promise<PidFile | null> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid, , , port, socketFolder] = text.split('\n');
  if (!Number(pid) || !Number(port)) return null;
  return { pid: Number(pid), address: { kind: socketFolder ? 'socket' : 'tcp', port: Number(port) } };
}

/**
 * Ends the server as an administrator would (fast: sessions are cut, what is committed stays), and within 10 s
 * the hard way, after which the next start recovers from the log. Resolves when it has gone.
 * @param hasEnded where that is known better than from its pid file, which one that only starts has not written yet
 */
export async function stopPostmaster(
  cluster: Cluster,
  pid: number,
  hasEnded: () => boolean | Promise<boolean> = () => hasGone(cluster, pid),
): Promise<void> {
  if (await endsAfter('SIGINT', 10_000)) return;
  await endsAfter('SIGQUIT', 6_000);

  async function endsAfter(signal: NodeJS.Signals, patienceMs: number): Promise<boolean> {
    const deadline = Date.now() + patienceMs;
    if (isAlive(pid)) process.kill(pid, signal);
    while (Date.now() < deadline) {
      if (await hasEnded()) return true;
      await sleep(10);
    }
    return false;
  }
}

/** A dead process still counts as alive until its parent has asked for it: the file tells sooner. */
async function hasGone(cluster: Cluster, pid: number): Promise<boolean> {
  return !isAlive(pid) || (await readPidFile(cluster))?.pid !== pid;
}
