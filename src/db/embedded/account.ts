import { readFile } from 'node:fs/promises';
import { EmbeddedPostgresError } from './error.js';
import { type Account, runAs } from './process.js';

const ACCOUNT_NAME = 'postgres';

/** The programs that add a user: the usual one, and BusyBox's. */
const ADD_ACCOUNT: [string, string[]][] = [
  ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', ACCOUNT_NAME]],
  ['adduser', ['-S', '-D', '-H', '-s', '/bin/false', ACCOUNT_NAME]],
];

export type Owner = { uid: number; gid: number };

/**
 * Whom PostgreSQL runs as: the gateway's own user, or, as PostgreSQL refuses to run as root, the owner of the
 * folder that is there already, else the user `postgres`, which is made if need be.
 */
export async function chooseAccount(folder: string, owner: Owner | null): Promise<Account> {
  if (!isRoot()) {
    if (owner) refuseForeignOwner(folder, owner);
    return {};
  }
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : findOrAddAccount();
}

/** For a folder with data: PostgreSQL runs on its owner's behalf only, and not as root. */
export function refuseRootOwned(folder: string, owner: Owner | null): void {
  if (!isRoot() || owner?.uid !== 0) return;
  throw new EmbeddedPostgresError(
    `${folder} belongs to root, and PostgreSQL does not run as root. ` +
      `Give the folder to another user: chown -R ${ACCOUNT_NAME} ${folder}`,
  );
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function refuseForeignOwner(folder: string, owner: Owner): void {
  const uid = process.getuid?.();
  if (uid === undefined || uid === owner.uid) return;
  throw new EmbeddedPostgresError(
    `${folder} belongs to the user with id ${owner.uid}, the gateway runs as ${uid}. ` +
      `Start it as that user or as root, or give the folder to this user: chown -R ${uid} ${folder}`,
  );
}

async function findOrAddAccount(): Promise<Account> {
  const found = await findAccount();
  if (found) return found;
  for (const [program, args] of ADD_ACCOUNT) {
    await runAs({}, program, args);
    const added = await findAccount();
    if (added) return added;
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and no user '${ACCOUNT_NAME}' could be made. ` +
      'Add one, start the gateway as an ordinary user, or set DATABASE_URL to use a PostgreSQL of your own.',
  );
}

async function findAccount(): Promise<Account | null> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  const entry = lines.map((line) => line.split(':')).find(([name]) => name === ACCOUNT_NAME);
  return entry ? { uid: Number(entry[2]), gid: Number(entry[3]) } : null;
}
