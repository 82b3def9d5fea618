import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { project } from '../process.js';
import { type Command, pinned } from './machine.js';

/** A server under test, in a process of its own. */
export type ServerProcess = AsyncDisposable & { url: string; pid: number };

export type ServerCommand = Command & { environment: Readonly<Record<string, string>> };

/** Starts a server and waits until it says where it listens, on this machine. */
export async function startServer(command: ServerCommand, core: number | undefined): Promise<ServerProcess> {
  const { file, args } = pinned(core, command);
  const child = spawn(file, args, {
    cwd: project,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = once(child, 'exit');
  const port = await listeningPort(child, command);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await end;
      clearTimeout(late);
    },
  };
}

function listeningPort(child: ChildProcess, { args }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: Buffer) => {
      output = (output + chunk).slice(-10_000);
      const port = /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output)?.[1];
      if (port) resolve(port);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}: ${output}`)));
  });
}

/**
 * Runs a program to its end.
 * @returns its standard output
 * @throws Error where it ends with another code than 0
 */
export async function run(command: Command, options: RunOptions): Promise<string> {
  const { file, args } = pinned(options.core, command);
  const child = spawn(file, args, { cwd: project, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) {
    throw new Error(
      `${[file, ...args].join(' ').slice(0, 200)} ended with ${code ?? signal}: ${complaints}${output}`,
    );
  }
  return output;
}

export type RunOptions = { core?: number | undefined; signal?: AbortSignal; cwd?: string };

export async function nodeVersion({ file }: Command): Promise<string> {
  return (await run({ file, args: ['--version'] }, {})).trim().replace(/^v/, '');
}

/** How a TypeScript file of this folder is run. */
export function script(file: string, args: readonly string[] = [], node = process.execPath): Command {
  return { file: node, args: ['--import', 'tsx', `test/bench/${file}`, ...args] };
}
