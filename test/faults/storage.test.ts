import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { connectionTo, createTestDatabase, execute } from '../databases.js';
import { balance } from './accounts.js';
import { newAct, requestFor, type Verdict, verdictOn } from './acts.js';
import { type Disk, mountDisk, runTool } from './disk.js';
import { exchange } from './exchange.js';
import { ask, bootTested } from './gateways.js';
import { report, rounds } from './rounds.js';
import { startOwnServer } from './server.js';
import { newLine, startTraffic } from './traffic.js';

const faultMilliseconds = rounds({ long: 5_000, short: 1_000 });

test('a database that turns read-only refuses writes with 503, answers reads, and takes writes when it does again', async () => {
  const serverUrl = inject('serverUrl');
  await using database = await createTestDatabase(serverUrl);
  await using gateway = await bootTested({ DATABASE_URL: database.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  await traffic.acknowledges(150);
  await makeReadOnly(serverUrl, database.connectionString, 'on');
  await traffic.another(503);
  const writes = await Promise.all([start(gateway.url, 'REST'), start(gateway.url, 'GRAPHQL')]);
  const read = await ask(gateway.url);
  await sleep(faultMilliseconds);
  await makeReadOnly(serverUrl, database.connectionString, 'off');
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(database.connectionString, await traffic.stop());

  report('a read-only database', { ...counts, 'answers of 503': traffic.count(503) });
  expect(writes).toEqual([{ state: 'refused' }, { state: 'refused' }]);
  expect(read).toMatchObject({ status: 200 });
  expect(faults).toEqual([]);
  expect(await gateway.process().terminate()).toBe(0);
});

test('a full disk refuses writes with 503, answers reads, and takes writes when there is room again', async () => {
  await using disk = await mountDisk(64);
  await using server = await startOwnServer();
  const folder = await disk.makeFolder(server.uid);
  await execute(server.connectionString, `create tablespace small location '${folder}'`);
  await execute(server.connectionString, 'create database small tablespace small');
  const connectionString = connectionTo(server.connectionString, 'small');
  await using gateway = await bootTested({ DATABASE_URL: connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  await traffic.acknowledges(150);
  await disk.fill();
  await traffic.another(503);
  const read = await ask(gateway.url);
  await sleep(faultMilliseconds);
  await disk.clear();
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(connectionString, await traffic.stop());

  report('a full disk', { ...counts, 'answers of 503': traffic.count(503) });
  expect(read).toMatchObject({ status: 200 });
  expect(faults).toEqual([]);
  expect(counts.unknown).toBe(0);
  expect(await gateway.process().terminate()).toBe(0);
});

test('a full disk below the log stops PostgreSQL: 503 meanwhile, nothing is lost, and all goes on with room', async () => {
  await using disk = await mountDisk(64);
  await using server = await startOwnServer();
  await server.moveLog(await disk.makeFolder(server.uid));
  await server.start();
  await using gateway = await bootTested({ DATABASE_URL: server.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  await traffic.acknowledges(150);
  await fillLog(server.connectionString, disk);
  await traffic.another(503);
  await sleep(faultMilliseconds);
  await disk.clear();
  await server.start();
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(server.connectionString, await traffic.stop());

  report('a full disk below the log', { ...counts, 'answers of 503': traffic.count(503) });
  expect(faults).toEqual([]);
  expect(traffic.count('broken')).toBe(0);
  expect(await gateway.process().terminate()).toBe(0);
});

test('a program that a fault needs and is not there fails its test, and says so', async () => {
  await expect(runTool('no-such-program', [])).rejects.toThrow(
    'This test needs "no-such-program", as root: it is not installed here',
  );
});

async function start(url: string, front: 'REST' | 'GRAPHQL'): Promise<Verdict> {
  const act = newAct('start', front, '', false);
  return verdictOn(act, await exchange(newLine(url), requestFor(act)));
}

/** Fills the disk, and writes to the log until it has no room, and PostgreSQL ends. */
async function fillLog(connectionString: string, disk: Disk): Promise<void> {
  const client = new pg.Client({ connectionString });
  const ended = once(client, 'error');
  await client.connect();
  // The others may end it at once.
  await disk.fill();
  const filling = (async () => {
    await client.query('create table filler (n int)');
    for (;;) await client.query('insert into filler select generate_series(1, 100000)');
  })();
  await Promise.allSettled([filling, ended]);
}

/** For all connections: those that there are have ended. */
async function makeReadOnly(serverUrl: string, connectionString: string, mode: 'on' | 'off'): Promise<void> {
  const { database } = new pg.Client({ connectionString });
  await execute(serverUrl, `alter database ${database} set default_transaction_read_only = ${mode}`);
  await execute(
    serverUrl,
    `select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = '${database}'`,
  );
}
