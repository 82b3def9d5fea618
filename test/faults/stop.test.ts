import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { balance } from './accounts.js';
import { newAct, requestFor, verdictOn } from './acts.js';
import { exchange } from './exchange.js';
import { bootTested } from './gateways.js';
import { milliseconds, report, rounds } from './rounds.js';
import { type Entry, newLine, startTraffic } from './traffic.js';
import { areWaiting } from './waits.js';
import { createWire } from './wire.js';

const stops = rounds({ long: 10, short: 3 });

test(`SIGTERM under load, ${stops} times: whoever was being served gets the whole answer, exit 0 within 10 s`, async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const { connectionString } = database;
  await using gateway = await bootTested({ DATABASE_URL: connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 64 });
  const held: Entry[] = [];
  const codes: (number | null)[] = [];
  const exitMilliseconds: number[] = [];

  for (let round = 1; round <= stops; round++) {
    await traffic.acknowledges(300);
    const calls = await holdUp(connectionString, gateway.url);
    const signalledAt = performance.now();
    const exiting = gateway.process().terminate();
    await sleep(500);
    held.push(...(await calls.release()));
    codes.push(await exiting);
    exitMilliseconds.push(performance.now() - signalledAt);
    await gateway.boot();
  }
  await traffic.acknowledges(300);
  const entries = [...held, ...(await traffic.stop())];
  const { faults, counts } = await balance(connectionString, entries);

  const replayed = entries.filter(({ verdict }) => verdict.state === 'acknowledged' && verdict.isReplay);
  report(`SIGTERM under load, ${stops} times`, {
    ...counts,
    cut: traffic.count('cut'),
    'told by a replay': replayed.length,
    'idle connections closed under a request': traffic.count('broken'),
    'answers of 503': traffic.count(503),
    'exit after': milliseconds(exitMilliseconds),
  });
  expect(faults).toEqual([]);
  expect(held.map(({ verdict }) => verdict.state)).toEqual(held.map(() => 'acknowledged'));
  // A request that met a closing connection was never taken: nothing of it was done.
  expect(counts['unknown but done']).toBe(0);
  expect(replayed).toEqual([]);
  expect(traffic.count('cut')).toBe(0);
  expect(codes).toEqual(codes.map(() => 0));
  expect(Math.max(...exitMilliseconds)).toBeLessThan(10_000);
});

test('SIGTERM while the database is slow: what can be finished in seconds is, exit 0 within 10 s', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  const send = async (front: 'REST' | 'GRAPHQL'): Promise<Entry> => {
    const act = newAct('start', front, '', false);
    return { act, verdict: verdictOn(act, await exchange(newLine(gateway.url), requestFor(act))) };
  };
  const both = () => Promise.all([send('REST'), send('GRAPHQL')]);

  // Calls that come together, and take a while, make connections for two, and what is looked up for them is known for
  // some seconds: then the writes alone are sent.
  wire.delay(200);
  const entries = (await Promise.all([both(), both()])).flat();
  wire.delay(5_500);
  const slow = both();
  await sleep(1_000);
  const signalledAt = performance.now();
  const code = await gateway.process().terminate();
  const exitAfter = performance.now() - signalledAt;
  entries.push(...(await slow));
  const { faults, counts } = await balance(database.connectionString, entries);

  report('SIGTERM with a slow database', { ...counts, 'exit after': `${Math.round(exitAfter)} ms` });
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ acknowledged: 6, found: 6 });
  expect(code).toBe(0);
  expect(exitAfter).toBeLessThan(10_000);
});

/** Calls over both fronts that are being served, and are until they are released. */
async function holdUp(connectionString: string, url: string): Promise<{ release(): Promise<Entry[]> }> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query<{ id: string }>('select id::text from service order by id limit 4');
  await client.query('begin');
  await client.query('select from service where id = any($1) for update', [rows.map(({ id }) => id)]);
  const calls = rows.map(async ({ id }, index) => {
    const act = newAct('associate', index % 2 === 0 ? 'REST' : 'GRAPHQL', id, false);
    return { act, verdict: verdictOn(act, await exchange(newLine(url), requestFor(act))) };
  });
  const lockWaits = rows.map(() => 'transactionid');
  if (!(await areWaiting(connectionString, lockWaits))) throw new Error('the calls are not held up');
  return {
    async release() {
      await client.query('rollback');
      await client.end();
      return Promise.all(calls);
    },
  };
}
