import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  eventually,
  makeDirectory,
  makeUsedDirectory,
  postmasterPid,
  query,
  signalGroup,
  start,
  startGateway,
} from './harness.js';

test('the first start makes a database, the second finds what was written', async () => {
  const directory = await makeDirectory();

  const first = await start(directory);
  await query(first, `create table note as select 'kept' as text`);
  await first.stop();
  const second = await start(directory);

  expect(first.isNew).toBe(true);
  expect(second.isNew).toBe(false);
  expect(await query(second, 'select text from note')).toEqual([['kept']]);
  expect(await query(second, 'select current_database(), current_user')).toEqual([
    ['context_gateway', 'postgres'],
  ]);
});

test('the database sorts by code point, keeps UTC and waits for the disk, in a folder closed to others', async () => {
  const directory = await makeUsedDirectory();
  const database = await start(directory);

  const rows = await query(
    database,
    `select datlocprovider, datlocale, pg_encoding_to_char(encoding), current_setting('TimeZone'),
            current_setting('fsync'), current_setting('synchronous_commit')
     from pg_database where datname = current_database()`,
  );

  expect(rows).toEqual([['b', 'C.UTF-8', 'UTF8', 'UTC', 'on', 'on']]);
  const { mode } = await stat(join(directory, 'postgres'));
  expect(mode & 0o777).toBe(0o700);
});

test('a path with spaces and letters beyond ASCII works', async () => {
  const directory = join(await makeDirectory(), "Daten für, 'Ärger' & 100 %");
  await mkdir(directory);

  const database = await start(directory);

  expect(await query(database, 'show data_directory')).toEqual([[join(directory, 'postgres')]]);
  await database.stop();
});

test('where the path is too long for a socket, a port with a password serves', async () => {
  const directory = await makeUsedDirectory('ü'.repeat(60));

  const first = await start(directory);
  await query(first, `create table note as select 'kept' as text`);
  await first.stop();
  const second = await start(directory);
  const withoutPassword = {
    ...second,
    connectionString: second.connectionString.replace(/:[^:@]+@/, ':wrong@'),
  };

  expect(await query(second, 'select text, inet_server_addr()::text from note')).toEqual([
    ['kept', '127.0.0.1/32'],
  ]);
  await expect(query(withoutPassword, 'select 1')).rejects.toThrow('password authentication failed');
  await second.stop();
});

test('a gateway that is killed loses nothing, and the next one adopts its server', async () => {
  const directory = await makeUsedDirectory();
  const killed = await startGateway(directory);
  const pid = await postmasterPid(directory);

  signalGroup(killed.pid, 'SIGKILL');
  await killed.exited;
  const next = await start(directory, 5_000);

  expect(await query(next, 'select text from note')).toEqual([[`written by ${killed.pid}`]]);
  expect(await postmasterPid(directory)).toBe(pid);
});

test('an adopted server is stopped with the gateway that adopted it', async () => {
  const directory = await makeUsedDirectory();
  const killed = await startGateway(directory);
  const pid = await postmasterPid(directory);
  signalGroup(killed.pid, 'SIGKILL');
  const next = await start(directory, 5_000);

  await next.stop();

  await eventually(async () => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
  await expect(postmasterPid(directory)).rejects.toThrow('ENOENT');
});

test('Ctrl-C reaches the gateway, not its server', async () => {
  const directory = await makeUsedDirectory();
  const interrupted = await startGateway(directory);
  const pid = await postmasterPid(directory);

  signalGroup(interrupted.pid, 'SIGINT');
  await interrupted.exited;

  expect(process.kill(pid, 0)).toBe(true);
});

test('a server that is killed together with its gateway recovers what was committed', async () => {
  const directory = await makeUsedDirectory();
  const killed = await startGateway(directory);

  signalGroup(killed.pid, 'SIGKILL');
  process.kill(await postmasterPid(directory), 'SIGKILL');
  const next = await start(directory, 5_000);

  expect(await query(next, 'select text from note')).toEqual([[`written by ${killed.pid}`]]);
});

test.each([
  ['a socket', 'data'],
  ['a port', 'ü'.repeat(60)],
])('a server that is killed comes back at the same address: %s', async (_, name) => {
  const directory = await makeUsedDirectory(name);
  const database = await start(directory);
  await query(database, `create table note as select 'kept' as text`);
  const pid = await postmasterPid(directory);

  process.kill(pid, 'SIGKILL');
  const rows = await eventually(() => query(database, 'select text from note'));

  expect(rows).toEqual([['kept']]);
  expect(await postmasterPid(directory)).not.toBe(pid);
  await database.stop();
  await expect(postmasterPid(directory)).rejects.toThrow('ENOENT');
});

test('stopping at whatever moment after the server was killed leaves nothing running', async () => {
  const directory = await makeUsedDirectory();
  for (const delayMs of [0, 30, 100, 300]) {
    const database = await start(directory);
    process.kill(await postmasterPid(directory), 'SIGKILL');
    await sleep(delayMs);

    await Promise.all([database.stop(), database.stop()]);
    await sleep(200);

    const pid = await postmasterPid(directory).catch(() => null);
    if (pid) expect(() => process.kill(pid, 0), `after ${delayMs} ms`).toThrow('ESRCH');
  }
});
