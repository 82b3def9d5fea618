import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './error.js';
import { errorCode, isAlive } from './process.js';

/**
 * Builds a folder beside `target` and renames it into place once it is whole: a build that is cut short leaves
 * nothing at `target`, and of several at once exactly one wins (a rename never replaces a folder with content).
 * `build` fills the folder it is given, which lies in a folder of its own. Tells whether this build won.
 */
export async function buildInPlace(
  target: string,
  build: (unfinished: string) => Promise<void>,
): Promise<boolean> {
  await removeAbandoned(target);
  const staging = await mkdtemp(`${target}.new-${process.pid}-`);
  try {
    const unfinished = join(staging, 'unfinished');
    await mkdir(unfinished, { mode: 0o700 });
    await build(unfinished);
    return await moveIntoPlace(unfinished, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function moveIntoPlace(unfinished: string, target: string): Promise<boolean> {
  try {
    await rename(unfinished, target);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw new EmbeddedPostgresError(
      `${target} can't be put in place (${code}). If it is a mount point, mount the folder above it instead.`,
    );
  }
  await syncDirectory(dirname(target));
  return true;
}

/** A rename that a power cut undoes would take with it all that was written since. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Best effort: what can't be removed now is in nobody's way. */
async function removeAbandoned(target: string): Promise<void> {
  const parent = dirname(target);
  const prefix = `${basename(target)}.new-`;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (await isAbandoned(path, pid)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** In a container every gateway may have the same pid: a folder of ours that is older than us is not ours. */
async function isAbandoned(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return !isAlive(pid);
  const startedAt = Date.now() - process.uptime() * 1000;
  const folder = await stat(path).catch(() => null);
  return folder !== null && folder.mtimeMs < startedAt;
}
