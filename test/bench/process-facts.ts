import { readdirSync } from 'node:fs';
import { readProc } from './machine.js';

/** Linux counts the time of processes in hundredths of a second, on every machine there is. */
const microsecondsPerTick = 10_000;

/** The CPU time that a process and the children that have ended took so far; null where Linux does not tell. */
export function cpuMicroseconds(pid: number): number | null {
  const fields = statFields(pid);
  if (!fields) return null;
  // utime, stime, cutime and cstime of proc(5), whose third field is the first here.
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  return ((user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0)) * microsecondsPerTick;
}

/** The same of a process with all its children. */
export function cpuMicrosecondsOfTree(pid: number): number | null {
  const times = [pid, ...childrenOf(pid)].map(cpuMicroseconds);
  // A child may end in between: its parent has its time then.
  return times[0] === null ? null : times.reduce<number>((sum, time) => sum + (time ?? 0), 0);
}

/** CPU time from now on, for each of the answers. */
export function startStopwatch(serverPid: number | null, databasePid: number | null) {
  const read = () => ({
    server: serverPid === null ? null : cpuMicroseconds(serverPid),
    database: databasePid === null ? null : cpuMicrosecondsOfTree(databasePid),
  });
  const start = read();
  return (answers: number) => {
    const end = read();
    const each = (from: number | null, to: number | null) =>
      from === null || to === null || answers === 0 ? null : (to - from) / answers;
    return {
      serverMicroseconds: each(start.server, end.server),
      databaseMicroseconds: each(start.database, end.database),
    };
  };
}

export function childrenOf(parent: number): number[] {
  return processIds().filter((pid) => Number(statFields(pid)?.[1]) === parent);
}

/** The memory that a process has in RAM, in MB; null where Linux does not tell. */
export function residentMegabytes(pid: number): number | null {
  const kilobytes = /^VmRSS:\s*(\d+)/m.exec(readProc(`${pid}/status`))?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1024;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** What proc(5) lists behind the name, which may have blanks in it. */
function statFields(pid: number): string[] | undefined {
  const stat = readProc(`${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
