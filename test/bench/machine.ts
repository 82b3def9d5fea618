import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Which core each part has to itself, or shares; null where nothing is pinned. */
export type Pinning = { database: number; server: number; load: number } | null;

/** PostgreSQL, the server under test and the load as far apart as the cores allow. */
export function choosePinning(): Pinning {
  const [first, second, third] = allowedCores();
  if (first === undefined || second === undefined || !has('taskset')) return null;
  return { database: first, server: second, load: third ?? first };
}

export function describePinning(pinning: Pinning): string {
  if (!pinning) return 'nothing pinned (needs taskset and two cores)';
  const { database, server, load } = pinning;
  const whose = load === database ? 'shared with PostgreSQL' : 'its own';
  return `PostgreSQL on core ${database}, the server under test on ${server}, the load on ${load} (${whose})`;
}

export type Command = { file: string; args: readonly string[] };

export function pinned(core: number | undefined, { file, args }: Command): Command {
  return core === undefined ? { file, args } : { file: 'taskset', args: ['-c', String(core), file, ...args] };
}

/** Processes that run already; what they start from now on inherits it. */
export function pin(core: number | undefined, pids: readonly number[]): void {
  if (core === undefined) return;
  for (const pid of pids)
    execFileSync('taskset', ['-p', '-c', String(core), String(pid)], { stdio: 'ignore' });
}

export const loadGenerator: 'wrk' | 'autocannon' = has('wrk') ? 'wrk' : 'autocannon';

export function describeCores(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  return `${allowedCores().length} × ${model}`;
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Of those that the machine has, the ones that this process may use. */
function allowedCores(): number[] {
  const all = cpus().map((_, core) => core);
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readProc('self/status'))?.[1];
  if (list === undefined) return all;
  const allowed = list.split(',').map((range) => range.split('-').map(Number));
  return all.filter((core) => allowed.some(([from = -1, to = from]) => from <= core && core <= to));
}

/** A file of Linux's about processes; empty where there is none. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
