import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EmbeddedPostgresError } from '../../../src/db/embedded/postgres.js';
import {
  eventually,
  makeDirectory,
  makeUsedDirectory,
  postmasterPid,
  query,
  start,
  startGateway,
} from './harness.js';

test('a second gateway on the folder is refused with the pid of the first, which goes on', async () => {
  const directory = await makeUsedDirectory();
  const first = await start(directory);

  const second = start(directory, 200);

  await expect(second).rejects.toThrow(EmbeddedPostgresError);
  await expect(second).rejects.toThrow(`pid ${process.pid}`);
  expect(await query(first, 'select 1')).toEqual([[1]]);
});

test('a second gateway gets the folder when the first stops within the wait', async () => {
  const directory = await makeUsedDirectory();
  const first = await start(directory);
  await query(first, `create table note as select 'kept' as text`);

  const second = start(directory, 5_000);
  await sleep(300);
  await first.stop();

  expect(await query(await second, 'select text from note')).toEqual([['kept']]);
});

test('ten gateways in a row hand the folder over, at whatever moment the next one comes', async () => {
  const directory = await makeUsedDirectory();
  let current = await start(directory);
  await query(current, 'create table note (turn int)');

  for (let turn = 0; turn < 10; turn++) {
    const next = start(directory, 10_000);
    await sleep(turn * 7);
    await current.stop();
    current = await next;
    await query(current, `insert into note values (${turn})`);
  }

  expect(await query(current, 'select count(*)::int from note')).toEqual([[10]]);
});

test('of two first starts at once one wins, and the other is refused with its pid', async () => {
  const directory = await makeDirectory();

  const gateways = await Promise.all([startGateway(directory), startGateway(directory)]);

  const [winner, ...others] = gateways.filter((gateway) => !gateway.refusal);
  const loser = gateways.find((gateway) => gateway.refusal);
  expect(others).toEqual([]);
  expect(loser?.refusal).toContain(`pid ${winner?.pid}`);
});

test('two starts in one process on an empty folder end the same way', async () => {
  const directory = await makeDirectory();

  const starts = await Promise.allSettled([start(directory), start(directory)]);

  expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('the folder is held again after the connection that held it was cut', async () => {
  const directory = await makeUsedDirectory();
  const database = await start(directory);
  const pid = await postmasterPid(directory);

  await query(
    database,
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'context-gateway pid %'`,
  );
  await eventually(() => expect(start(directory)).rejects.toThrow(`pid ${process.pid}`));

  expect(await postmasterPid(directory)).toBe(pid);
});

test('a gateway told to stop frees the folder and ends', async () => {
  const directory = await makeUsedDirectory();
  const first = await startGateway(directory);

  process.kill(first.pid, 'SIGTERM');
  const exit = await first.exited;
  const second = await start(directory);

  expect(exit).toEqual([0, null]);
  expect(await query(second, 'select text from note')).toEqual([[`written by ${first.pid}`]]);
});
