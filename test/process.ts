import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The gateway as a process of its own, in a group of its own. */
export type Gateway = {
  pid: number;
  url: string;
  /** What it logged until it listened, line by line. */
  startLog: readonly string[];
  /** As Ctrl-C does: to the whole group. Answers the exit code. */
  interrupt(): Promise<number | null>;
  /** As a supervisor does: to the process alone. Answers the exit code. */
  terminate(): Promise<number | null>;
  /** As a crash of everything but PostgreSQL. */
  kill(): Promise<void>;
};

export type Outcome = { code: number | null; stderr: string };

export type BootOptions = {
  environment?: Record<string, string>;
  uid?: number;
  /** The file to run: the one that was built, or one of sources. */
  main?: string;
};

export const project = join(import.meta.dirname, '..');

/** Starts the gateway as it is built for the tests and waits until it listens. */
export async function bootGateway(options: BootOptions): Promise<Gateway> {
  const { child, outcome } = spawnGateway(options);
  const startLog: string[] = [];
  const url = await Promise.race([
    listeningUrl(child, startLog),
    outcome.then(({ code, stderr }) => Promise.reject(new Error(`ended with ${code}: ${stderr}`))),
  ]);
  const pid = child.pid ?? 0;
  const signal = async (receiver: number, name: 'SIGINT' | 'SIGTERM' | 'SIGKILL') => {
    process.kill(receiver, name);
    return (await outcome).code;
  };
  return {
    pid,
    url,
    startLog,
    interrupt: () => signal(-pid, 'SIGINT'),
    terminate: () => signal(pid, 'SIGTERM'),
    kill: async () => {
      await signal(-pid, 'SIGKILL');
    },
  };
}

/** Starts a gateway that is expected to end by itself. */
export function runGateway(options: BootOptions): Promise<Outcome> {
  return spawnGateway(options).outcome;
}

function spawnGateway({ environment = {}, uid, main = 'dist/main.js' }: BootOptions): {
  child: ChildProcess;
  outcome: Promise<Outcome>;
} {
  const loader = main.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, main], {
    cwd: project,
    detached: true,
    env: { PATH: process.env['PATH'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const outcome = once(child, 'exit').then(([code]) => ({ code, stderr }));
  return { child, outcome };
}

async function listeningUrl(child: ChildProcess, log: string[]): Promise<string> {
  if (!child.stdout) throw new Error('the gateway has no standard output');
  for await (const line of createInterface({ input: child.stdout })) {
    log.push(line);
    const url = /Server listening at (http:[^"]+)/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return url;
    }
  }
  return new Promise(() => {});
}
