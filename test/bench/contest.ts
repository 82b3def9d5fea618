import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.js';
import type { Candidate } from './candidates/candidate.js';
import { gatewayGraphql, gatewayRest } from './candidates/gateway.js';
import { type PeerName, peers } from './candidates.js';
import { nodeVersion, type ServerProcess, startServer } from './processes.js';
import type { Contestant } from './rounds.js';

/** All whose turn comes, each running, and idle until then. */
export type Contest = AsyncDisposable & { contestants: readonly Contestant[] };

/**
 * Starts the gateway, once for both fronts, and the peers.
 * @param say is told which one runs on another Node than this process
 */
export async function openContest(
  { database, pinning }: Bench,
  names: readonly PeerName[],
  say: (line: string) => void,
): Promise<Contest> {
  const processes: ServerProcess[] = [];
  const start = async (candidate: Candidate) => {
    if (candidate.sql) {
      const file = join(import.meta.dirname, 'peers', candidate.sql);
      await database.client.query(await readFile(file, 'utf8'));
    }
    const command = candidate.command(database.url);
    if (command.file !== process.execPath) {
      say(`  ${candidate.title} runs on Node ${await nodeVersion(command)}`);
    }
    const started = await startServer(command, pinning?.server);
    processes.push(started);
    return started;
  };
  const close = async () => {
    await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
  };
  try {
    const gateway = await start(gatewayRest);
    const contestants: Contestant[] = [
      { candidate: gatewayRest, process: gateway },
      { candidate: gatewayGraphql, process: gateway },
    ];
    for (const name of names) {
      if (name !== 'limit') contestants.push({ candidate: peers[name], process: await start(peers[name]) });
    }
    return { contestants, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
