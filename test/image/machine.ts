import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A machine of its own on this one, with systemd as its first process and no network but its own loopback. */
export type Machine = AsyncDisposable & {
  /** Where its file system is. */
  root: string;
  /** As root, in a folder of it. @throws Error with what the commands said, where they fail or take two minutes */
  run(commands: string, folder?: string): Promise<string>;
};

const bootSeconds = 120;

/** Boots what is installed here. It sees all files of this machine, and what it changes of them is its own. */
export async function bootMachine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-machine-'));
  const [root, upper, work] = ['root', 'upper', 'work'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [root, upper, work]) await mkdir(path);
  const layers = `lowerdir=/,upperdir=${upper},workdir=${work}`;
  await execute('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  const options = ['--boot', '--private-network', '--register=no', '--keep-unit', '--link-journal=no'];
  const container = spawn('systemd-nspawn', ['--directory', root, ...options, '--console=pipe']);
  container.stdin.end();
  const output = Promise.all([text(container.stdout), text(container.stderr)]);
  const exited = once(container, 'exit');
  const close = async () => {
    container.kill('SIGTERM');
    const impatience = setTimeout(() => container.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(impatience);
    await execute('umount', [root]);
    await rm(folder, { recursive: true });
  };
  try {
    const died = exited.then(() => Promise.reject(new Error('systemd-nspawn has ended')));
    died.catch(() => {});
    const leader = await Promise.race([untilBooted(container.pid ?? 0), died]);
    return {
      root,
      run: (commands, cwd = '/') => enter(leader, `cd ${cwd}\n${commands}`),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw new Error(`The machine did not come up: ${(await output).join('')}`, { cause: error });
  }
}

async function enter(leader: number, commands: string): Promise<string> {
  const args = ['--target', String(leader), '--all', 'bash', '-euo', 'pipefail', '-c', commands];
  try {
    return (await execute('nsenter', args, { timeout: 120_000, maxBuffer: 2 ** 24 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${commands}\nfailed: ${stdout}${stderr}`, { cause: error });
  }
}

/** @returns the id that its first process has here */
async function untilBooted(container: number): Promise<number> {
  const end = Date.now() + bootSeconds * 1000;
  for (;;) {
    const leader = await firstProcessOf(container);
    // Something that is started there may well fail, for want of what only a whole machine has.
    const state = leader && (await enter(leader, 'systemctl is-system-running || true').catch(() => ''));
    if (leader && state && /^(running|degraded)/.test(state)) return leader;
    if (Date.now() > end) throw new Error(`systemd is ${state || 'not there'} after ${bootSeconds} s`);
    await sleep(200);
  }
}

async function firstProcessOf(container: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${container}/task/${container}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').map(Number).filter(Boolean)) {
    const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'systemd') return child;
  }
  return undefined;
}
