import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '../../logger.js';
import { chooseAccount, type Owner, refuseRootOwned } from './account.js';
import { type Binaries, findPackage, locateBinaries } from './binaries.js';
import { EmbeddedPostgresError } from './error.js';
import { type Account, canEnter, errorCode, runAs } from './process.js';
import { buildInPlace } from './staging.js';

/** A PostgreSQL data folder that is whole, and what is needed to run it. */
export type Cluster = {
  /** The real path: absolute, and without links. */
  dataDirectory: string;
  account: Account;
  binaries: Binaries;
  /** The superuser's over TCP; the socket needs none, it lies in the data folder, which is its owner's alone. */
  password: string;
  /** Whether this start made it. */
  isNew: boolean;
};

/** Where data and binaries live when PostgreSQL's user can't reach DATA_DIR. */
const ELSEWHERE = '/var/lib/context-gateway';

/** Kept inside the data folder, so that a copy of the folder is complete. */
const PASSWORD_FILE = 'gateway-password';

/** Finds the data folder in `directory` (DATA_DIR), or makes it. */
export async function prepareCluster(directory: string, logger: Logger): Promise<Cluster> {
  const root = await makeRoot(directory);
  const place = join(root, 'postgres');
  const existing = await findFolder(place);
  const account = await chooseAccount(place, existing?.owner ?? null);
  const dataDirectory = existing ? await reachable(existing.path, account) : await choosePath(root, account);
  const binaries = await locateBinaries(findPackage(), account, dirname(dataDirectory));
  const isWhole = await checkWhole(dataDirectory, binaries.major);
  if (isWhole) refuseRootOwned(place, existing?.owner ?? null);
  const isNew = !isWhole && (await initialize(dataDirectory, binaries, account));
  if (!existing && dataDirectory !== place) await linkTo(dataDirectory, place, logger);
  return { dataDirectory, account, binaries, password: await readPassword(dataDirectory), isNew };
}

async function makeRoot(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    return await realpath(directory);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The folder DATA_DIR names, ${directory}, can't be used (${errorCode(error)}). ` +
        'Name one this user may write to, or set DATABASE_URL to use a PostgreSQL of your own.',
    );
  }
}

/** Nobody's data is in an empty folder, whoever owns it. */
type Folder = { path: string; owner: Owner | null };

async function findFolder(place: string): Promise<Folder | null> {
  if (!(await lstat(place).catch(() => null))) return null;
  const path = await realpath(place).catch(() => null);
  if (!path) {
    throw new EmbeddedPostgresError(
      `${place} is a link to a folder that is gone. Bring the folder back (it holds the data), ` +
        'or remove the link to begin with an empty database.',
    );
  }
  const isEmpty = (await readdir(path).catch(() => null))?.length === 0;
  return { path, owner: isEmpty ? null : await stat(path) };
}

async function reachable(dataDirectory: string, account: Account): Promise<string> {
  if (await canEnter(account, dirname(dataDirectory))) return dataDirectory;
  throw new EmbeddedPostgresError(
    `PostgreSQL runs as the user with id ${account.uid}, who can't get into ${dirname(dataDirectory)}. ` +
      `Let it pass (chmod a+x on that folder and on those above it), or move the data and set DATA_DIR.`,
  );
}

/** Under a closed folder, as root's home is, the data goes where PostgreSQL's user gets to. */
async function choosePath(root: string, account: Account): Promise<string> {
  if (await canEnter(account, root)) return join(root, 'postgres');
  const home = join(ELSEWHERE, createHash('sha256').update(root).digest('hex').slice(0, 16));
  await mkdir(home, { recursive: true });
  // Whatever the umask.
  await chmod(ELSEWHERE, 0o755);
  await chmod(home, 0o755);
  return join(home, 'postgres');
}

/** Last of all: a link to nothing means lost data, not a first start that was cut short. */
async function linkTo(dataDirectory: string, place: string, logger: Logger): Promise<void> {
  await symlink(dataDirectory, place).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  logger.info(
    { dataDirectory },
    `PostgreSQL's user can't reach ${place}: the data lives in ${dataDirectory}, and ${place} is a link to it`,
  );
}

/** False when there is nothing yet. Throws for a folder this PostgreSQL can't or must not run on. */
async function checkWhole(dataDirectory: string, major: string): Promise<boolean> {
  const version = (await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version && version !== major) {
    throw new EmbeddedPostgresError(
      `${dataDirectory} was written by PostgreSQL ${version}, the gateway brings PostgreSQL ${major}. ` +
        `Run the gateway version it was written with and export the data, then point DATA_DIR to a new folder ` +
        `and import it; or set DATABASE_URL to a PostgreSQL ${version} that serves this data.`,
    );
  }
  if (version && (await stat(join(dataDirectory, 'global', 'pg_control')).catch(() => null))) return true;
  if ((await readdir(dataDirectory).catch(() => [])).length === 0) return false;
  throw new EmbeddedPostgresError(
    `${dataDirectory} holds files, but no complete PostgreSQL database. Move them away ` +
      'to begin with an empty database, or bring back a whole copy.',
  );
}

/** False when another gateway's first start was faster. */
function initialize(dataDirectory: string, binaries: Binaries, account: Account): Promise<boolean> {
  return buildInPlace(dataDirectory, async (unfinished) => {
    const passwordFile = join(dirname(unfinished), PASSWORD_FILE);
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    for (const path of [passwordFile, unfinished, dirname(unfinished)]) await give(path, account);
    await runInitdb(unfinished, passwordFile, binaries, account);
    await rename(passwordFile, join(unfinished, PASSWORD_FILE));
  });
}

async function give(path: string, { uid, gid }: Account): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

async function runInitdb(
  directory: string,
  passwordFile: string,
  binaries: Binaries,
  account: Account,
): Promise<void> {
  const { failure, output } = await runAs(account, join(binaries.directory, 'initdb'), [
    `--pgdata=${directory}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  if (failure === null) return;
  throw new EmbeddedPostgresError(`PostgreSQL's data folder can't be made: ${explainInitdb(output)}`);
}

function explainInitdb(output: string): string {
  if (!output.includes('could not look up effective user ID')) return output.split('\n').slice(-6).join('\n');
  return (
    `the user with id ${process.getuid?.()} has no entry in /etc/passwd. Add one, start the gateway ` +
    'as a user that has one, or set DATABASE_URL to use a PostgreSQL of your own.'
  );
}

function readPassword(dataDirectory: string): Promise<string> {
  return readFile(join(dataDirectory, PASSWORD_FILE), 'utf8').catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      `${join(dataDirectory, PASSWORD_FILE)} can't be read (${errorCode(error)}): the gateway did not make ` +
        'this folder, or the file was lost. Bring it back, or point DATA_DIR to another folder.',
    );
  });
}
