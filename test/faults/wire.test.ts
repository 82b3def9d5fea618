import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { balance } from './accounts.js';
import { bootTested, timeUntilServed } from './gateways.js';
import { report, rounds } from './rounds.js';
import { startTraffic } from './traffic.js';
import { createWire } from './wire.js';

const cuts = rounds({ long: 20, short: 5 });

test(`the connections are reset under load, ${cuts} times: nothing is lost or doubled`, async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  for (let round = 1; round <= cuts; round++) {
    await traffic.acknowledges(150);
    // One that meets no call goes unnoticed.
    for (const before = traffic.count(503); traffic.count(503) === before; await sleep(100)) wire.reset();
  }
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(database.connectionString, await traffic.stop());

  report(`connections reset, ${cuts} times`, { ...counts, 'answers of 503': traffic.count(503) });
  expect(faults).toEqual([]);
  expect(traffic.count('broken')).toBe(0);
  expect(counts.unknown).toBeGreaterThan(0);
  expect(await gateway.process().terminate()).toBe(0);
});

test(`answers are lost after the commit under load, ${cuts} times: unknown is what was done, and never doubled`, async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  for (let round = 1; round <= cuts; round++) {
    await traffic.acknowledges(150);
    wire.set('no answers');
    await sleep(200);
    wire.reset();
    wire.set('through');
  }
  await traffic.acknowledges(150);
  const entries = await traffic.stop();
  const { faults, counts } = await balance(database.connectionString, entries);

  const replayed = entries.filter(({ verdict }) => verdict.state === 'acknowledged' && verdict.isReplay);
  report(`answers lost after the commit, ${cuts} times`, { ...counts, 'told by a replay': replayed.length });
  expect(faults).toEqual([]);
  expect(counts['unknown but done']).toBeGreaterThan(0);
  expect(replayed.length).toBeGreaterThan(0);
  expect(await gateway.process().terminate()).toBe(0);
});

/** What is in flight is told sooner than usual, and later than what waits for its turn. */
const patience = '?query_timeout=14000';

test('a database that swallows everything costs its callers 503, and the gateway comes back', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: `${wire.connectionString}${patience}` });
  // So many that some wait in the queue, whatever is in flight.
  const traffic = startTraffic({ url: gateway.url, callers: 64 });

  await traffic.acknowledges(150);
  wire.set('black hole');
  const swallowedAt = performance.now();
  await traffic.another(503);
  const toldAfter = performance.now() - swallowedAt;
  wire.set('through');
  const servedAfter = await timeUntilServed(gateway.url, performance.now());
  await traffic.acknowledges(150);
  const { faults, counts } = await balance(database.connectionString, await traffic.stop());

  report('a black hole', {
    ...counts,
    'answers of 503': traffic.count(503),
    'told after': `${Math.round(toldAfter)} ms`,
    'served again within': `${Math.round(servedAfter)} ms`,
  });
  expect(faults).toEqual([]);
  expect(traffic.count('broken')).toBe(0);
  // Whoever waited in the queue; those in flight have the time of their statement.
  expect(toldAfter).toBeLessThan(13_000);
  expect(await gateway.process().terminate()).toBe(0);
});

test('SIGTERM while the database swallows everything: whoever was being served is told, exit 0 within 10 s', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  const traffic = startTraffic({ url: gateway.url, callers: 16 });

  await traffic.acknowledges(150);
  wire.set('black hole');
  await sleep(500);
  const signalledAt = performance.now();
  const code = await gateway.process().terminate();
  const exitAfter = performance.now() - signalledAt;
  wire.set('through');
  await gateway.boot();
  const { faults, counts } = await balance(database.connectionString, await traffic.stop());

  report('SIGTERM in a black hole', {
    ...counts,
    'answers of 503': traffic.count(503),
    'exit after': `${Math.round(exitAfter)} ms`,
  });
  expect(code).toBe(0);
  expect(exitAfter).toBeLessThan(10_000);
  expect(faults).toEqual([]);
  expect(traffic.count('broken') + traffic.count('cut')).toBe(0);
});
