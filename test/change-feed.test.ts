import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ChangeEvent, currentMoment } from '../src/domain/events.js';
import { sweepRecords } from '../src/domain/sweeping.js';
import { Gone, TooSlow } from '../src/errors.js';
import { makePlace, type Place } from './domain/lifetimes.js';
import { createTestApp, type TestApp } from './harness.js';
import { beginTransaction, untilEventsCanBeRead } from './transactions.js';

const topic = 'customer:c';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('events that nobody was woken up for are found all the same', async () => {
  const place = await makePlace(app);
  const follower = await app.gateway.changes.follow(place.db, { topic, after: null });

  // Not by a gateway, which would notify.
  await insertEvents(place, 1, 3);
  const events = [await follower.next(), await follower.next(), await follower.next()];
  await follower.return();

  expect(events.map(({ value }) => value?.version)).toEqual([1, 2, 3]);
});

test('who follows from now on is not told what was committed before, even where it could not be read yet', async () => {
  const place = await makePlace(app);
  const slow = await beginTransaction(app);
  await insertEvents(place, 1, 3);
  const live = await app.gateway.changes.follow(place.db, { topic, after: null });
  await insertEvents(place, 4, 4);
  // What the first one has read by now, or not yet, is nothing to the second.
  const second = await app.gateway.changes.follow(place.db, { topic, after: null });
  await slow.commit();
  await insertEvents(place, 5, 5);

  const told = [await live.next(), await live.next(), await second.next()];
  await live.return();
  await second.return();

  expect(told.map(({ value }) => value?.version)).toEqual([4, 5, 5]);
});

test('who goes on where nothing has happened since waits for what comes, and does not ask again and again', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  const first = await app.gateway.changes.follow(place.db, { topic, after: null });
  // As one that was handed out before the first one began to wait.
  const earlier = { ...begun, xid: String(BigInt(begun.xid) - 1n) };
  const second = await app.gateway.changes.follow(place.db, { topic, after: earlier });
  const next = second.next();

  const statements = await app.countStatements(() => sleep(500));
  await insertEvents(place, 1, 1);
  const told = [await first.next(), await next];
  await first.return();
  await second.return();

  expect(statements).toBeLessThan(5);
  expect(told.map(({ value }) => value?.version)).toEqual([1, 1]);
});

test('who does not take what comes is cut off, and goes on behind what was taken', async () => {
  const place = await makePlace(app);
  const { changes } = app.gateway;
  const follower = await changes.follow(place.db, { topic, after: null });
  await insertEvents(place, 1, 1);
  const { value: taken } = await follower.next();

  await insertEvents(place, 2, 1_002);
  await expect.poll(() => changes.size).toBe(0);
  const cut = await follower.next().catch((error) => error);
  const end = await follower.next();
  const again = await changes.follow(place.db, { topic, after: taken ?? null });
  const versions = [];
  for (let count = 0; count < 1_001; count++) versions.push((await again.next()).value?.version);
  await again.return();

  expect(cut).toBeInstanceOf(TooSlow);
  expect(end).toEqual({ value: undefined, done: true });
  expect(versions).toEqual(Array.from({ length: 1_001 }, (_, place) => place + 2));
});

test('a past of many pages is read as it is taken, and what comes meanwhile is told behind it, once', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  await insertEvents(place, 1, 1_200);
  await untilEventsCanBeRead(app);
  const live = await app.gateway.changes.follow(place.db, { topic, after: null });

  const follower = await app.gateway.changes.follow(place.db, { topic, after: begun });
  const told: ChangeEvent[] = [];
  for (let count = 1; count <= 1_300; count++) {
    // By and by, while the others are read.
    if (count <= 1_000 && count % 10 === 0) await insertEvents(place, 1_200 + count / 10, 1_200 + count / 10);
    const { value } = await follower.next();
    if (value) told.push(value);
  }
  await follower.return();
  await live.return();

  expect(told.map(({ version }) => version)).toEqual(Array.from({ length: 1_300 }, (_, index) => index + 1));
});

test('who has much of the past to take is not too slow for what comes meanwhile', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  await insertEvents(place, 1, 1_500);
  await untilEventsCanBeRead(app);
  const live = await app.gateway.changes.follow(place.db, { topic, after: null });
  const follower = await app.gateway.changes.follow(place.db, { topic, after: begun });

  await insertEvents(place, 1_501, 1_501);
  await live.next();
  const versions = [];
  while (versions.length < 1_501) versions.push((await follower.next()).value?.version);
  await follower.return();
  await live.return();

  expect(versions).toEqual(Array.from({ length: 1_501 }, (_, index) => index + 1));
});

test('what happened to others in the past is looked through, and not read', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  await insertEvents(place, 1, 2);
  await insertEvents(place, 3, 12_000, 'another');
  await insertEvents(place, 12_001, 12_002);
  await untilEventsCanBeRead(app);
  const told: ChangeEvent[] = [];

  const statements = await app.countStatements(async () => {
    const follower = await app.gateway.changes.follow(place.db, { topic, after: begun });
    while (told.length < 4) {
      const { value } = await follower.next();
      if (value) told.push(value);
    }
    await follower.return();
  });

  expect(told.map(({ version }) => version)).toEqual([1, 2, 12_001, 12_002]);
  expect(statements).toBeLessThan(8);
  await deleteEvents(place);
});

test('who is further behind than 100,000 changes is to begin anew', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  await insertEvents(place, 1, 100_001, 'another');
  await untilEventsCanBeRead(app);

  await expect(app.gateway.changes.follow(place.db, { topic, after: begun })).rejects.toThrow(Gone);
  expect(app.gateway.changes.size).toBe(0);
  await deleteEvents(place);
});

test('who follows is told when events are swept that were yet to be read', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  await insertEvents(place, 1, 3);
  const { database, logger } = app.gateway;

  await sweepRecords(database, { now: new Date('2100-01-01'), eventSeconds: 0, logger });

  await expect(app.gateway.changes.follow(place.db, { topic, after: begun })).rejects.toThrow(Gone);
  expect(app.gateway.changes.size).toBe(0);
});

/** Of one service of one customer, in one transaction that tells nobody. */
async function insertEvents({ tenant }: Place, from: number, to: number, customer = 'c'): Promise<void> {
  await app.sql(
    `insert into event (tenant, service_id, version, type, customer_id, recorded_at)
     select $1, 1, version, 'SERVICE_UPDATED', $4, now() from generate_series($2::int, $3::int) as version`,
    [tenant, from, to, customer],
  );
}

async function deleteEvents({ tenant }: Place): Promise<void> {
  await app.sql('delete from event where tenant = $1', [tenant]);
}
