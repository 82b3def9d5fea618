import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ChangeEvent,
  currentMoment,
  decodeCursor,
  type EventPosition,
  encodeCursor,
  listEvents,
} from '../../src/domain/events.js';
import { sweepRecords } from '../../src/domain/sweeping.js';
import { Gone } from '../../src/errors.js';
import { createTestApp, type TestApp } from '../harness.js';
import { beginTransaction } from '../transactions.js';
import { makePlace, type Place } from './lifetimes.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('events come in the order of their transactions, page by page, each once', async () => {
  const place = await makePlace(app);
  const ids = [await start(place), await start(place), await start(place)];
  for (const id of ids) await associate(place, id, 'next');

  const first = await settled(place, 6);
  const pages = [await list(place, null, 4), await list(place, first[3] ?? null, 4)];

  expect(first.map(({ serviceId, version }) => [String(serviceId), version])).toEqual([
    ...ids.map((id) => [id, 1]),
    ...ids.map((id) => [id, 2]),
  ]);
  expect(first[3]).toMatchObject({
    ...{ type: 'SERVICE_ASSOCIATED', customerId: 'next', previousCustomerId: 'c' },
    ...{ stateId: null, taskId: null, recordedAt: expect.any(Date) },
  });
  expect(pages.flat()).toEqual(first);
  expect(await list(place, first[5] ?? null)).toEqual([]);
});

test('another tenant’s events are not among them', async () => {
  const [own, other] = [await makePlace(app), await makePlace(app)];
  await start(other);
  await start(own);

  const events = await settled(own, 1);

  expect(events).toHaveLength(1);
});

test('a transaction that commits late is not skipped: what began behind it waits for it', async () => {
  const place = await makePlace(app);
  const begun = (await currentMoment(place.db)).position;
  const slow = new pg.Client({ connectionString: app.connectionString });
  await slow.connect();
  await slow.query('begin');
  await slow.query(
    `insert into event (tenant, service_id, version, type, recorded_at) values ($1, 7, 1, 'SERVICE_STARTED', now())`,
    [place.tenant],
  );
  const id = await start(place);

  const meanwhile = await list(place, begun);
  const latest = (await currentMoment(place.db)).position;
  await slow.query('commit');
  await slow.end();
  const afterwards = await settled(place, 2);

  expect(meanwhile).toEqual([]);
  expect(afterwards.map(({ serviceId }) => String(serviceId))).toEqual(['7', id]);
  expect(await list(place, latest)).toEqual(afterwards);
});

test('who starts from the latest position gets what comes from then on alone', async () => {
  const place = await makePlace(app);
  await start(place);
  await settled(place, 1);

  const latest = (await currentMoment(place.db)).position;
  const id = await start(place);
  const events = await settled(place, 2);

  expect(await list(place, latest)).toEqual(events.slice(1));
  expect(String(events[1]?.serviceId)).toBe(id);
});

describe('events that are kept no longer', () => {
  test('are told to those whose cursor lies before them, and to nobody else', async () => {
    const place = await makePlace(app);
    const [old] = [await start(place), await start(place), await start(place)];
    const [first, second, third] = await settled(place, 3);
    // The third was written by a gateway whose clock is behind.
    await app.sql(
      `update event set recorded_at = '2001-01-01' where tenant = $1 and service_id = any($2::bigint[])`,
      [place.tenant, [old, String(second?.serviceId)]],
    );

    await sweep('2002-01-01');

    await expect(list(place, { xid: '3', serviceId: 1n, version: 1 })).rejects.toThrow(Gone);
    await expect(list(place, first ?? null)).rejects.toThrow(Gone);
    expect(await list(place, second ?? null)).toEqual([third]);
    expect(await list(place, null)).toEqual([third]);
    expect(await list(place, (await currentMoment(place.db)).position)).toEqual([]);
  });

  test('leave a point that only moves on, whatever order they go in', async () => {
    const place = await makePlace(app);
    const ids = [await start(place), await start(place), await start(place)];
    const [first, second, third] = await settled(place, 3);
    const age = (id: string | undefined, year: string) =>
      app.sql(`update event set recorded_at = $3 where tenant = $1 and service_id = $2`, [
        ...[place.tenant, id, `${year}-01-01`],
      ]);
    await age(ids[1], '2001');
    await age(ids[0], '2002');

    await sweep('2001-06-01');
    const kept = await list(place, null);
    await sweep('2003-01-01');

    expect(kept).toEqual([third]);
    expect(await list(place, second ?? null)).toEqual([third]);
    await expect(list(place, first ?? null)).rejects.toThrow(Gone);
  });

  test('are told of one tenant without the others', async () => {
    const [own, other] = [await makePlace(app), await makePlace(app)];
    const begun = (await currentMoment(own.db)).position;
    await start(own);
    await start(other);
    await settled(own, 1);
    const [kept] = await settled(other, 1);
    await app.sql(`update event set recorded_at = '2001-01-01' where tenant = $1`, [own.tenant]);

    await sweep('2002-01-01');

    await expect(list(own, begun)).rejects.toThrow(Gone);
    expect(await list(other, begun)).toEqual([kept]);
  });
});

test('a cursor of a transaction that is yet to begin is none of this database', async () => {
  const place = await makePlace(app);

  const listing = list(place, { xid: '9999999999', serviceId: 1n, version: 1 });

  await expect(listing).rejects.toThrow(Gone);
});

test('a cursor of a transaction that is under way is none that was handed out', async () => {
  const place = await makePlace(app);
  const slow = await beginTransaction(app);

  const listing = list(place, { xid: slow.xid, serviceId: 1n, version: 1 });

  await expect(listing).rejects.toThrow(Gone);
  await slow.commit();
});

test('a cursor holds a position of any size, and what is no cursor holds none', () => {
  const position = {
    xid: '18446744073709551615',
    serviceId: 9_223_372_036_854_775_807n,
    version: 2147483647,
  };
  const texts = ['', 'x', '1.2.3', encoded('1.2'), encoded('1.2.3.4'), encoded('18446744073709551616.1.1')];

  expect(decodeCursor(encodeCursor(position))).toEqual(position);
  expect(encodeCursor(position)).toMatch(/^[\w-]+$/);
  expect(texts.map(decodeCursor)).toEqual(texts.map(() => undefined));
  expect(decodeCursor(encoded('007.2.3'))).toEqual({ xid: '7', serviceId: 2n, version: 3 });
});

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function list({ db }: Place, after: EventPosition | null, first = 500): Promise<ChangeEvent[]> {
  return listEvents(db, { after, first });
}

/** All events once there are so many: other tests hold transactions open on the same server. */
async function settled(place: Place, count: number): Promise<ChangeEvent[]> {
  return expect
    .poll(() => list(place, null))
    .toHaveLength(count)
    .then(() => list(place, null));
}

async function start({ headers }: Place): Promise<string> {
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', {
    body: { customer_id: 'c' },
    headers,
  });
  return String(json.service_id);
}

async function associate({ headers }: Place, id: string, customer: string): Promise<void> {
  const { status } = await app.rest('POST', `/customers/${customer}/services/${id}`, { headers });
  expect(status).toBe(200);
}

/** All events of before that day. */
function sweep(day: string) {
  const { database, logger } = app.gateway;
  return sweepRecords(database, { now: new Date(`${day}T00:00:00Z`), eventSeconds: 0, logger });
}
