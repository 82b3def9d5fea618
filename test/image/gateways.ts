import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, environmentOf, lastOf } from './dockerfile.js';
import type { Image } from './replay.js';

/** Who may write nowhere in the image, as `node` there. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

export type Outcome = { code: number | null; stdout: string; stderr: string };

export type Running = AsyncDisposable & {
  url: string;
  /** As `docker stop` does, with the exit code. Idempotent. */
  stop(): Promise<number | null>;
};

type Variables = Record<string, string>;

function spawnIn(image: Image, [program = '', ...args]: readonly string[], variables: Variables) {
  const env = { PATH: process.env['PATH'], ...environmentOf(image.stage), ...variables };
  return spawn(program, args, { cwd: join(image.root, image.workdir), env, ...nobody });
}

/** Runs a command in the image until it ends. */
export async function runIn(
  image: Image,
  command: readonly string[],
  variables: Variables,
): Promise<Outcome> {
  const child = spawnIn(image, command, variables);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null) await once(child, 'exit');
  return { code: child.exitCode, stdout, stderr };
}

/** Runs what the image is for, on a port that is free, and waits until it is ready. */
export async function startIn(image: Image, variables: Variables & { PORT: string }): Promise<Running> {
  const child = spawnIn(image, commandOf(lastOf(image.stage, 'CMD')), variables);
  const url = `http://127.0.0.1:${variables.PORT}`;
  await untilServed(`${url}/ready`, child);
  const stop = () => stopped(child);
  return {
    url,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** By the check that the image brings along. */
export async function isHealthy(image: Image, variables: Variables): Promise<boolean> {
  const { code } = await runIn(image, commandOf(lastOf(image.stage, 'HEALTHCHECK')), variables);
  return code === 0;
}

/** @throws Error with what the process said, and without the process, where that does not serve within two minutes */
export async function untilServed(url: string, child: ChildProcessWithoutNullStreams): Promise<void> {
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const end = Date.now() + 120_000;
  while (child.exitCode === null && Date.now() < end) {
    const answer = await fetch(url).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(100);
  }
  const code = await stopped(child);
  throw new Error(`${url} is not served, ended with ${code}: ${(await output).join('')}`);
}

/** Answers the exit code. */
export async function stopped(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
