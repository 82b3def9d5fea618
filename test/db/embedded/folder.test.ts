import { chmod, chown, mkdir, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedPostgresError } from '../../../src/db/embedded/postgres.js';
import { canOthersRead } from '../../access.js';
import { isRoot, makeDirectory, makeUsedDirectory, query, start, startGateway } from './harness.js';

const NOBODY = 65_534;

/** Whether the gateway can be run as another user here. */
const hasOthers = isRoot && (await canOthersRead(import.meta.dirname));

test('a folder of another PostgreSQL major is refused and stays as it is', async () => {
  const directory = await makeDirectory();
  await mkdir(join(directory, 'postgres'), { mode: 0o700 });
  await writeFile(join(directory, 'postgres', 'PG_VERSION'), '15\n');

  const started = start(directory);

  await expect(started).rejects.toThrow(EmbeddedPostgresError);
  await expect(started).rejects.toThrow(/PostgreSQL 15, .* DATABASE_URL/s);
  expect(await readdir(join(directory, 'postgres'))).toEqual(['PG_VERSION']);
});

test('a folder with other files in it is refused and stays as it is', async () => {
  const directory = await makeDirectory();
  await mkdir(join(directory, 'postgres'));
  await writeFile(join(directory, 'postgres', 'letter.txt'), 'Dear');

  await expect(start(directory)).rejects.toThrow('no complete PostgreSQL database');

  expect(await readdir(join(directory, 'postgres'))).toEqual(['letter.txt']);
});

test('an empty folder counts as none, and what a first start that was cut short left is cleared away', async () => {
  const directory = await makeDirectory();
  const deadPid = 4_194_304;
  await mkdir(join(directory, 'postgres'));
  await mkdir(join(directory, `postgres.new-${deadPid}-abcdef`, 'unfinished'), { recursive: true });

  const database = await start(directory);

  expect(database.isNew).toBe(true);
  const left = await readdir(directory);
  expect(left).toContain('postgres');
  expect(left.filter((name) => name.startsWith('postgres.new'))).toEqual([]);
});

test('a link to a folder that is gone is refused: the data may only be away', async () => {
  const directory = await makeDirectory();
  await symlink(join(directory, 'unmounted'), join(directory, 'postgres'));

  await expect(start(directory)).rejects.toThrow('a link to a folder that is gone');
});

test('a relative path will do', async () => {
  const directory = await makeUsedDirectory();

  const database = await start(relative(process.cwd(), directory));

  expect(await query(database, 'show data_directory')).toEqual([[join(directory, 'postgres')]]);
});

test('a DATA_DIR that is a file is refused by name', async () => {
  const file = join(await makeDirectory(), 'data');
  await writeFile(file, '');

  await expect(start(file)).rejects.toThrow(file);
});

test.runIf(isRoot)('as root, PostgreSQL runs as an unprivileged user that owns the folder', async () => {
  const directory = await makeUsedDirectory();

  await start(directory);

  const { uid } = await stat(join(directory, 'postgres'));
  expect(uid).not.toBe(0);
  expect((await stat(join(directory, 'postgres', 'postmaster.pid'))).uid).toBe(uid);
});

test.runIf(isRoot)(
  'as root under a closed folder, the data lives elsewhere behind a link, and is found without it',
  async () => {
    const closed = await makeDirectory();
    await chmod(closed, 0o700);

    const first = await start(closed);
    await query(first, `create table note as select 'kept' as text`);
    await first.stop();
    const second = await start(closed);
    await second.stop();
    const link = await readlink(join(closed, 'postgres'));
    await rm(join(closed, 'postgres'));
    const withoutLink = await start(closed);

    expect(link).toMatch(/^\/var\/lib\/context-gateway\/[0-9a-f]{16}\/postgres$/);
    expect(await readlink(join(closed, 'postgres'))).toBe(link);
    expect([first.isNew, second.isNew, withoutLink.isNew]).toEqual([true, false, false]);
    expect(await query(withoutLink, 'select text from note')).toEqual([['kept']]);
  },
);

test.runIf(hasOthers)('a folder of another user is refused with what to do', async () => {
  const directory = await makeUsedDirectory();

  const gateway = await startGateway(directory, { uid: NOBODY, gid: NOBODY });

  expect(gateway.refusal).toContain(`chown -R ${NOBODY}`);
});

test.runIf(isRoot)("a folder with data that became root's is refused with what to do", async () => {
  const directory = await makeUsedDirectory();
  await chown(join(directory, 'postgres'), 0, 0);

  await expect(start(directory)).rejects.toThrow('chown -R postgres');
});

test.runIf(hasOthers)('what an ordinary user began, root goes on with as that user', async () => {
  const directory = await makeDirectory();
  await chown(directory, NOBODY, NOBODY);
  const gateway = await startGateway(directory, { uid: NOBODY, gid: NOBODY });
  process.kill(gateway.pid, 'SIGTERM');
  await gateway.exited;

  const database = await start(directory);

  expect(gateway.isNew).toBe(true);
  expect(await query(database, 'select text from note')).toEqual([[`written by ${gateway.pid}`]]);
  expect((await stat(join(directory, 'postgres', 'postmaster.pid'))).uid).toBe(NOBODY);
});
