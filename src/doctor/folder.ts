import { access, constants, lstat, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { error, type Finding, warning } from './finding.js';

/** Whether the embedded PostgreSQL has made its folder in `DATA_DIR`. */
export async function hasData(directory: string): Promise<boolean> {
  // A link to nothing is lost data.
  return (await lstat(join(directory, 'postgres')).catch(() => null)) !== null;
}

/** What is wrong with where the data lies, or will lie. */
export async function folderFindings(directory: string): Promise<Finding[]> {
  const place = await nearest(directory);
  const isOpen = (await stat(place)).isDirectory() && (await canWrite(place));
  if (!isOpen) {
    return [
      error('data-folder', {
        what: `DATA_DIR ${directory} cannot be made or written to: ${place} does not let this user.`,
        why: 'The gateway keeps its data there.',
        fix: 'Set DATA_DIR to a folder of this user, or DATABASE_URL to use a PostgreSQL of your own.',
      }),
    ];
  }
  const data = await stat(join(directory, 'postgres')).catch(() => null);
  return diskFindings(directory, await statfs(data ? join(directory, 'postgres') : place));
}

/** The folder, or the first above it that is there. */
async function nearest(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  return found || dirname(path) === path ? path : nearest(dirname(path));
}

async function canWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

export type Disk = { type: number; bavail: number; bsize: number };

/** By the numbers that Linux gives them. */
const passing: Readonly<Record<number, string>> = {
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  2035054128: 'the writable layer of a container',
};
const remote: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB',
};

const gibibyte = 1024 ** 3;
const leastBytes = { error: gibibyte / 4, warning: 2 * gibibyte };

export function diskFindings(directory: string, { type, bavail, bsize }: Disk): Finding[] {
  const findings: Finding[] = [];
  const [lost, far] = [passing[type], remote[type]];
  if (lost) {
    findings.push(
      warning('data-passing', {
        what: `DATA_DIR ${directory} is on ${lost}.`,
        why: 'All data goes with the next restart of the machine or the container.',
        fix: 'Set DATA_DIR to a folder on a disk, in a container to one on a volume.',
      }),
    );
  }
  if (far) {
    findings.push(
      warning('data-remote', {
        what: `DATA_DIR ${directory} is on ${far}.`,
        why: 'PostgreSQL may lose acknowledged writes there, and two machines may run on one folder.',
        fix: 'Set DATA_DIR to a folder on a disk of this machine, or DATABASE_URL to a PostgreSQL server.',
      }),
    );
  }
  const free = bavail * bsize;
  if (free < leastBytes.warning) {
    const tell = free < leastBytes.error ? error : warning;
    findings.push(
      tell('data-disk', {
        what: `${Math.floor(free / 1024 ** 2)} MiB are free where DATA_DIR ${directory} is.`,
        why: 'PostgreSQL stops when it cannot write its log.',
        fix: 'Make room, delete services that nobody needs (context-gateway purge), or set DATA_DIR elsewhere.',
      }),
    );
  }
  return findings;
}
