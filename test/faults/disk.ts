import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from './server.js';

/** A small disk of its own, which can be filled. */
export type Disk = AsyncDisposable & {
  /** An empty folder on it that is the user's; of this user where none is given. */
  makeFolder(uid: number | undefined): Promise<string>;
  /** Takes all that is left of it. */
  fill(): Promise<void>;
  clear(): Promise<void>;
};

export async function mountDisk(megabytes: number): Promise<Disk> {
  const mount = await makeFolder();
  await runTool('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', mount]);
  const filler = join(mount, 'filler');
  return {
    async makeFolder(uid) {
      const folder = join(mount, 'folder');
      await mkdir(folder, { mode: 0o700 });
      if (uid !== undefined) await chown(folder, uid, uid);
      return folder;
    },
    async fill() {
      await writeFile(filler, Buffer.alloc(megabytes * 1024 * 1024)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      });
    },
    clear: () => rm(filler),
    async [Symbol.asyncDispose]() {
      await runTool('umount', [mount]);
      await rm(mount, { recursive: true });
    },
  };
}

/** A fault that cannot be made is a test that fails. */
export async function runTool(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args).catch((error: NodeJS.ErrnoException & { stderr?: string }) => {
    const isMissing = error.code === 'ENOENT';
    const reason = isMissing ? 'it is not installed here' : (error.stderr?.trim() ?? error.message);
    throw new Error(`This test needs "${program}", as root: ${reason}`);
  });
}
