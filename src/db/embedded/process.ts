import { execFile } from 'node:child_process';

/** Whom PostgreSQL's programs run as; empty for the user the gateway itself runs as. */
export type Account = { uid?: number; gid?: number };

/**
 * Nothing is inherited that could steer the programs: PGDATA, PGPORT and the like would, and the gateway's
 * working directory may be closed to the account. PG_GRANDPARENT_PID tells PostgreSQL which processes can't be
 * its predecessor when a container hands out the number in a stale postmaster.pid again.
 */
export function processOptions(account: Account) {
  return {
    ...account,
    cwd: '/',
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      TZ: 'UTC',
      PG_GRANDPARENT_PID: String(process.ppid),
    },
  };
}

/** `failure` is null on exit code 0, else the exit code or what kept the program from starting (`EACCES`). */
export type Outcome = { failure: number | string | null; output: string };

export function runAs(account: Account, file: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, args, processOptions(account), (error, stdout, stderr) => {
      const failure = error ? (error.code ?? error.signal ?? 'unknown') : null;
      resolve({ failure, output: `${stdout}${stderr}`.trim() });
    });
  });
}

/** Whether the account gets into the folder, asked as that account: modes alone don't tell (ACLs, mounts). */
export async function canEnter(account: Account, directory: string): Promise<boolean> {
  if (account.uid === undefined) return true;
  const { failure } = await runAs(account, 'test', ['-x', directory]);
  // Without a `test` program nothing is known; what is really closed then fails with its own message.
  return failure === null || failure === 'ENOENT';
}

/** False too for a process of somebody else where we may not signal it: it is then none of PostgreSQL's. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The code of a failed system call (`ENOENT`), or null. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
