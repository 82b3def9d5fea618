import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Address, chooseAddress, toConnectionString } from './address.js';
import type { Cluster } from './cluster.js';
import { EmbeddedPostgresError } from './error.js';
import { explainExit, type Launch, launchPostmaster, readPidFile, stopPostmaster } from './postmaster.js';
import { isAlive } from './process.js';

/** A live server that serves the cluster, and a connection to it. */
export type Connection = { client: pg.Client; pid: number; address: Address; wasRunning: boolean };

/** How long a pid file whose process does not answer is taken for a server that is just coming or going. */
const SILENCE_MS = 5_000;
const READY_MS = 60_000;
const POLL_MS = 15;
const RELAUNCH_MS = 150;

/**
 * Connects to the server that serves the cluster, starting one if there is none: at `address` if given. Others
 * may start, stop or kill the server meanwhile; it looks again until it has a connection, for up to a minute.
 */
export async function connectToCluster(
  cluster: Cluster,
  signal: AbortSignal,
  address?: Address,
): Promise<Connection> {
  const startedAt = Date.now();
  let launch: Launch | null = null;
  for (;;) {
    const found = await findServer(cluster);
    if (found.state === 'ready') return { ...found.server, wasRunning: launch === null };
    if (signal.aborted) return await giveUp(cluster, launch, signal);
    const waitedMs = Date.now() - startedAt;
    await refuseHopeless(cluster, launch, waitedMs);
    if (mayLaunch(found.state, launch, waitedMs)) {
      launch = await launchPostmaster(cluster, address ?? (await chooseAddress(cluster.dataDirectory)));
    }
    await sleep(launch?.hasExited ? RELAUNCH_MS : POLL_MS);
  }
}

/** A silent process gets its time; then PostgreSQL judges whether the pid file is stale, and removes it if so. */
function mayLaunch(state: Found['state'], launch: Launch | null, waitedMs: number): boolean {
  if (launch && !launch.hasExited) return false;
  return state === 'absent' || (state === 'silent' && waitedMs > SILENCE_MS);
}

async function refuseHopeless(cluster: Cluster, launch: Launch | null, waitedMs: number): Promise<void> {
  if (launch?.hasExited && waitedMs > SILENCE_MS) throw await exitedEarly(cluster, launch);
  if (waitedMs > READY_MS) throw notReady(cluster);
}

/** The process is not left behind when nobody is going to use it. */
async function giveUp(cluster: Cluster, launch: Launch | null, signal: AbortSignal): Promise<never> {
  if (launch?.pid && !launch.hasExited) await stopPostmaster(cluster, launch.pid, () => launch.hasExited);
  throw signal.reason;
}

async function exitedEarly(cluster: Cluster, launch: Launch): Promise<EmbeddedPostgresError> {
  const reason = await explainExit(cluster, launch);
  const advice = reason.includes('postmaster.pid')
    ? '\nIf the process with this PID is no PostgreSQL, delete postmaster.pid in that folder.'
    : '';
  return new EmbeddedPostgresError(
    `PostgreSQL does not start on ${cluster.dataDirectory}:\n${reason}${advice}`,
  );
}

function notReady({ dataDirectory }: Cluster): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `PostgreSQL on ${dataDirectory} was not ready within ${READY_MS / 1000} s. It may still be recovering: ` +
      `look into postgres.log there and start the gateway again.`,
  );
}

export type Found =
  /** No live process. */
  | { state: 'absent' }
  /** A process that does not answer, or for another folder. */
  | { state: 'silent' }
  /** A server that is starting, recovering, full or shutting down. */
  | { state: 'busy' }
  | { state: 'ready'; server: Omit<Connection, 'wasRunning'> };

/** Looks once. A connection that it answers is the caller's to end. */
export async function findServer(cluster: Cluster): Promise<Found> {
  const pidFile = await readPidFile(cluster);
  if (!pidFile || !isAlive(pidFile.pid)) return { state: 'absent' };
  const client = createClient(cluster, pidFile.address);
  try {
    await client.connect();
    if (await serves(client, cluster, pidFile.pid)) return { state: 'ready', server: { client, ...pidFile } };
    await discard(client);
    return { state: 'silent' };
  } catch (error) {
    await discard(client);
    return { state: isRefusal(error) ? 'busy' : 'silent' };
  }
}

function createClient(cluster: Cluster, address: Address): pg.Client {
  const client = new pg.Client({
    connectionString: toConnectionString(cluster, address, 'postgres'),
    application_name: `context-gateway pid ${process.pid}`,
    connectionTimeoutMillis: 2_000,
  });
  // Whoever uses the client learns of a lost connection by its 'end'; an 'error' nobody hears would end Node.
  client.on('error', () => {});
  return client;
}

/** The file is read again: the server it named may have gone, and another one have answered at its socket. */
async function serves(client: pg.Client, cluster: Cluster, pid: number): Promise<boolean> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  const served = await realpath(rows[0]?.data_directory ?? '').catch(() => null);
  return served === cluster.dataDirectory && (await readPidFile(cluster))?.pid === pid;
}

/** Answers of a PostgreSQL that is there but takes no connection now: 57P0x, and 53300 (too many). */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(57P0|53300)/.test(error.code ?? '');
}

/** Whether the server went away under a statement, as opposed to refusing it. */
export function isConnectionLoss(error: unknown): boolean {
  return isRefusal(error) || (error instanceof Error && !(error instanceof pg.DatabaseError));
}

/** Ends a connection that may be broken already. */
export async function discard(client: pg.Client): Promise<void> {
  await client.end().catch(() => {});
}
