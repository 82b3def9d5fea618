import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.js';
import { startPurge } from '../../src/domain/purges.js';
import { type Pass, type Swept, sweep, sweepServices } from '../../src/domain/sweeping.js';
import { Sweeper } from '../../src/sweeper.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createProxy } from '../proxy.js';
import {
  beginWrite,
  eventsOf,
  insertServices,
  makePlace,
  type Place,
  rowsOf,
  servicesOf,
  startWithParts,
} from './lifetimes.js';

const now = new Date('2026-06-01T12:00:00.000Z');
const cs = '/genesys/1/cs';

let app: TestApp;
/** Another gateway on the same database. */
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  replica = await createTestApp({ now: () => now, database: app });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('a pass where nothing is due does nothing', async () => {
  const place = await makePlace(app);
  await startWithParts(app, place, { ttl: 1e8, auto_complete_after: 1e8 });
  const before = await app.hash();

  const swept = await pass();

  expect(swept).toEqual({
    ...{ completed: 0, expired: 0, purged: 0, keys: 0, events: 0, compositeStarts: 0, deliveries: 0 },
    ...{ hasMore: false, isAwaiting: false },
  });
  expect(await app.hash()).toBe(before);
});

describe('services that are idle', () => {
  test('are completed at the moment that they say, with what is open in them', async () => {
    const place = await makePlace(app);
    const id = await startWithParts(app, place, { auto_complete_after: 3_600 });
    const due = new Date(now.getTime() + 3_600_000);

    const early = await pass({ now: new Date(due.getTime() - 1) });
    const swept = await pass({ now: due });

    expect([early.completed, swept.completed]).toEqual([0, 1]);
    const { json } = await app.rest(
      'GET',
      `${cs}/services/${id}?completed_states=true&completed_tasks=true`,
      {
        headers: place.headers,
      },
    );
    expect(json.completed).toEqual({ timestamp: due.toISOString() });
    expect(json.completed_states).toMatchObject([{ completed: { timestamp: due.toISOString() } }]);
    expect(json.completed_tasks).toMatchObject([{ completed: { timestamp: due.toISOString() } }]);
    const events = await eventsOf(app, place);
    expect(events.at(-1)).toEqual({ id, version: 5, type: 'SERVICE_COMPLETED', customer: 'c' });
    expect((await pass({ now: new Date(due.getTime() + 1e9) })).completed).toBe(0);
  });

  test('are left alone when they are touched between the look and the act, until they are idle again', async () => {
    const place = await makePlace(app);
    const [idle, touched = ''] = await insertServices(
      app,
      place,
      { idleAfter: 60, idleAt: '2026-06-01T12:00:00Z' },
      2,
    );
    const { headers } = place;
    const touch = async () => {
      const { status } = await app.rest('POST', `${cs}/customers/c/services/${touched}`, { headers });
      expect(status).toBe(200);
    };

    const first = await sweep(touching(app.gateway.database, touch), passAt(now));
    const second = await pass({ now: new Date(now.getTime() + 60_000) });

    expect([first.completed, second.completed]).toEqual([1, 1]);
    const events = await eventsOf(app, place);
    expect(events.map(({ id, version, type }) => [id, version, type])).toEqual([
      [idle, 2, 'SERVICE_COMPLETED'],
      [touched, 2, 'SERVICE_ASSOCIATED'],
      [touched, 3, 'SERVICE_COMPLETED'],
    ]);
  });

  test('are left to the next pass while somebody writes to them, and keep no other from it', async () => {
    const place = await makePlace(app);
    const [busy = '', idle] = await insertServices(app, place, { idleAt: '2026-06-01T11:00:00Z' }, 2);
    await using writer = await beginWrite(app, 'select from service where id = $1 for update', [busy]);

    const during = await pass();
    await writer.finish();
    const after = await pass();

    expect([during.completed, after.completed]).toEqual([1, 1]);
    expect((await eventsOf(app, place)).map(({ id }) => id)).toEqual([busy, idle]);
  });

  test('are completed though another gateway has changed what inputs are checked against', async () => {
    const place = await makePlace(app);
    const { headers, db } = place;
    await db.registry.current();
    const body = { name: 'New', type: 'single-valued', attributes: [{ name: 'a', type: 'string' }] };
    await replica.rest('POST', `${cs}/metadata/services/extensions`, { body, headers });
    await insertServices(app, place, { idleAt: '2026-06-01T11:00:00Z' });

    expect((await pass()).completed).toBe(1);
  });

  test('are completed once by two gateways that sweep at the same moment', async () => {
    const place = await makePlace(app);
    const ids = await insertServices(app, place, { idleAt: '2026-06-01T11:00:00Z' }, 250);

    const swept = await Promise.all([passes(app), passes(replica)]);

    expect(swept.map(({ completed }) => completed).reduce((sum, count) => sum + count)).toBe(250);
    const events = await eventsOf(app, place);
    expect(events.map(({ id, version, type }) => [id, version, type])).toEqual(
      ids.map((id) => [id, 2, 'SERVICE_COMPLETED']),
    );
  });
});

describe('services that have expired', () => {
  test('are deleted at their moment with all that hangs on them, and their events stay', async () => {
    const place = await makePlace(app);
    const id = await startWithParts(app, place, { ttl: 60 });
    const kept = await startWithParts(app, place, { ttl: 61 });
    const due = new Date(now.getTime() + 60_000);

    const early = await pass({ now: new Date(due.getTime() - 1) });
    const swept = await pass({ now: due });

    expect([early.expired, swept.expired]).toEqual([0, 1]);
    expect(await rowsOf(app, id)).toEqual({ event: 5 });
    expect(await rowsOf(app, kept)).toMatchObject({ service: 1, state: 1, task: 1, extension: 3 });
    const events = (await eventsOf(app, place)).filter((event) => event.id === id);
    expect(events.at(-1)).toEqual({ id, version: 5, type: 'SERVICE_EXPIRED', customer: 'c' });
    const gone = await app.rest('GET', `${cs}/services/${id}`, { headers: place.headers });
    expect(gone.status).toBe(404);
    await pass({ now: new Date(due.getTime() + 1_000) });
  });

  test('go in batches, of every tenant a batch, until there are no more', async () => {
    const many = await makePlace(app);
    const few = await makePlace(app);
    await insertServices(app, many, { expires: '2026-06-01T11:00:00Z' }, 450);
    await insertServices(app, many, { expires: '2026-06-01T12:00:00.001Z' }, 2);
    await insertServices(app, few, { expires: '2026-06-01T11:30:00Z' }, 3);

    const first = await pass();
    const left = [(await servicesOf(app, many)).length, (await servicesOf(app, few)).length];
    const second = await pass();
    const third = await pass();

    expect(first).toMatchObject({ expired: 203, hasMore: true });
    expect(left).toEqual([252, 0]);
    expect(second).toMatchObject({ expired: 200, hasMore: true });
    expect(third).toMatchObject({ expired: 50, hasMore: false });
    expect(await servicesOf(app, many)).toHaveLength(2);
    expect(await eventsOf(app, many)).toHaveLength(450);
  });

  test('go once with two gateways that sweep at the same moment', async () => {
    const place = await makePlace(app);
    const ids = await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' }, 900);

    const swept = await Promise.all([passes(app), passes(replica)]);

    expect(swept.map(({ expired }) => expired).reduce((sum, count) => sum + count)).toBe(900);
    expect((await eventsOf(app, place)).map(({ id, version }) => [id, version])).toEqual(
      ids.map((id) => [id, 2]),
    );
  });

  test('are left to the next pass while somebody writes to them, who may let them live', async () => {
    const place = await makePlace(app);
    const [busy = ''] = await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' }, 2);
    await using writer = await beginWrite(app, 'update service set expires_at = null where id = $1', [busy]);

    const during = await pass();
    await writer.finish();
    const after = await pass();

    expect([during.expired, after.expired]).toEqual([1, 0]);
    expect(await servicesOf(app, place)).toEqual([busy]);
  });
});

test('a purge goes on with every pass, beside what else is due', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {}, 2_500);
  await insertServices(app, place, { expires: '2026-06-01T11:00:00Z', started: '2026-05-02T00:00:00Z' });
  await beginPurge(place);

  const first = await pass();
  const second = await pass();

  expect(first).toMatchObject({ expired: 1, purged: 2_000, hasMore: true });
  expect(second).toMatchObject({ purged: 500, hasMore: false });
  expect(await pass()).toMatchObject({ purged: 0, hasMore: false });
});

test('a purge that another gateway is at is looked at again soon', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {}, 3);
  const { purge } = await beginPurge(place);
  await using writer = await beginWrite(app, 'select from purge where id = $1 for update', [purge.id]);

  const during = await pass();
  await writer.finish();
  const after = await pass();

  expect(during).toMatchObject({ purged: 0, hasMore: false, isAwaiting: true });
  expect(after).toMatchObject({ purged: 3, isAwaiting: false });
});

describe('rows that are only kept for a time', () => {
  const ages = [-1, 0, 1].map((seconds) => seconds * 1_000);
  const around = (seconds: number) => ages.map((age) => new Date(now.getTime() - seconds * 1_000 - age));

  test('go when it is over: keys and composite starts after a day, events as it is set', async () => {
    const place = await makePlace(app);
    const day = around(24 * 60 * 60);
    const hour = around(60 * 60);
    await app.sql(
      `insert into idempotency_key select $1, 'key ' || t, '', '{}', t from unnest($2::timestamptz[]) t`,
      [place.tenant, day],
    );
    await app.sql(
      `insert into composite_start select $1, 'key ' || t, 1, t from unnest($2::timestamptz[]) t`,
      [place.tenant, day],
    );
    await app.sql(
      `insert into event (tenant, service_id, version, type, recorded_at)
       select $1, 1, row_number() over (), 'SERVICE_UPDATED', t from unnest($2::timestamptz[]) t`,
      [place.tenant, hour],
    );

    const swept = await pass({ eventSeconds: 60 * 60 });

    expect(swept).toMatchObject({ keys: 1, events: 1, compositeStarts: 1, hasMore: false });
    const left = async (table: string, column: string) =>
      (
        await app.sql(`select ${column} as at from ${table} where tenant = $1 order by 1`, [place.tenant])
      ).map(({ at }) => at);
    expect(await left('idempotency_key', 'created_at')).toEqual([day[1], day[0]]);
    expect(await left('composite_start', 'updated_at')).toEqual([day[1], day[0]]);
    expect(await left('event', 'recorded_at')).toEqual([hour[1], hour[0]]);
  });

  test('go in batches, and two gateways take different ones', async () => {
    const place = await makePlace(app);
    await app.sql(
      `insert into event (tenant, service_id, version, type, recorded_at)
       select $1, n, 1, 'SERVICE_UPDATED', $2::timestamptz - n * interval '1 second' from generate_series(1, 12000) n`,
      [place.tenant, new Date(now.getTime() - 1e9)],
    );

    const first = await pass();
    const rest = await Promise.all([passes(app), passes(replica)]);

    expect(first).toMatchObject({ events: 5_000, hasMore: true });
    expect(rest.map(({ events }) => events).reduce((sum, count) => sum + count)).toBe(7_000);
    expect(await eventsOf(app, place)).toEqual([]);
  });
});

test('a step that fails is logged, and the others are done', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, { idleAt: '2026-06-01T11:00:00Z' });
  await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' });
  const failing = touching(app.gateway.database, () => Promise.reject(new Error('it broke')));

  const swept = await sweep(failing, passAt(now));

  expect(swept).toMatchObject({ completed: 0, expired: 1 });
  expect(app.log).toContainEqual(
    expect.objectContaining({
      level: 50,
      msg: 'a sweep failed',
      err: expect.objectContaining({ message: 'it broke' }),
    }),
  );
  await pass();
});

test('between two batches it rests, and a stop ends the pass there', async () => {
  const places = [await makePlace(app), await makePlace(app), await makePlace(app)];
  for (const place of places) await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' }, 2);
  const stopping = new AbortController();
  const rests: number[] = [];
  const rest = async (milliseconds: number) => {
    rests.push(milliseconds);
    if (rests.length === 2) stopping.abort();
  };

  const swept = await sweepServices(app.gateway.database, {
    ...passAt(now),
    signal: stopping.signal,
    rest,
  });

  expect(swept.expired).toBe(4);
  expect(rests.every((milliseconds) => milliseconds > 0)).toBe(true);
  await pass();
});

test('it rests behind a batch of a purge that matched nothing, too', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, { started: '2026-05-02T00:00:00Z' }, 2_001);
  await beginPurge(place);
  let rests = 0;
  const rest = async () => {
    rests++;
  };

  const swept = await sweepServices(app.gateway.database, { ...passAt(now), rest });

  expect(swept).toMatchObject({ purged: 0, hasMore: true });
  expect(rests).toBe(1);
  await pass();
});

describe('by itself', () => {
  test('a gateway sweeps soon after its start and then in its interval', async () => {
    const place = await makePlace(app);
    await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' }, 300);
    await using _sweeper = sweeperOf(app, 0.05);

    await until(async () => (await servicesOf(app, place)).length === 0);
    await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' });
    await until(async () => (await servicesOf(app, place)).length === 0);

    expect(await eventsOf(app, place)).toHaveLength(301);
  });

  test('one that is woken does not wait for its interval, and does all of a purge', async () => {
    const place = await makePlace(app);
    await insertServices(app, place, {}, 5_000);
    await using sweeper = sweeperOf(app, 3_600);
    const { purge } = await beginPurge(place);

    sweeper.wake();

    await until(
      async () =>
        (await app.sql("select from purge where id = $1 and status = 'DONE'", [purge.id])).length > 0,
    );
    expect(await servicesOf(app, place)).toEqual([]);
  });

  test('a stop waits for the batch in flight and does no more', async () => {
    const place = await makePlace(app);
    const [id] = await insertServices(app, place, {}, 2_500);
    await using writer = await beginWrite(app, 'select from service where id = $1 for update', [id]);
    await beginPurge(place);
    const sweeper = sweeperOf(app, 0.01);
    await writer.isWaitedFor();

    const stopped = sweeper[Symbol.asyncDispose]();
    const first = await Promise.race([stopped.then(() => 'stopped'), sleep(100).then(() => 'waiting')]);
    await writer.finish();
    await stopped;

    expect(first).toBe('waiting');
    expect(await servicesOf(app, place)).toHaveLength(500);
    await pass();
  });

  test('records that could not be removed are removed by the next pass, not when they are due again', async () => {
    const own = await createTestApp({ now: () => now });
    await own.sql('alter table idempotency_key rename to elsewhere');
    const sweeper = sweeperOf(own, 0.05);
    const failures = () => own.log.filter(({ level }) => level === 50).length;
    await until(async () => failures() > 0);
    await own.sql(`insert into elsewhere (tenant, key, command_hash, outcome, created_at)
      values ('default', 'old', 'h', '{}', '2026-01-01')`);

    await own.sql('alter table elsewhere rename to idempotency_key');

    await until(async () => (await own.sql('select from idempotency_key')).length === 0);
    await sweeper[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
  });

  test('an outage of the database is logged as a warning, and it goes on once that is over', async () => {
    const proxy = await createProxy(app.connectionString);
    const apart = await createTestApp({ now: () => now, database: proxy });
    const place = await makePlace(app);
    const sweeper = sweeperOf(apart, 0.05);
    const warnings = () => apart.log.filter(({ level }) => level === 40).length;

    await proxy.cut();
    await until(async () => warnings() > 1);
    await insertServices(app, place, { expires: '2026-06-01T11:00:00Z' });
    await proxy.restore();
    await until(async () => (await servicesOf(app, place)).length === 0);

    expect(apart.log.filter(({ level }) => Number(level) > 40)).toEqual([]);
    await sweeper[Symbol.asyncDispose]();
    await apart[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });
});

/** Long enough for the events of all other tests. */
const eventSeconds = 1e6;

function passAt(at: Date, gateway = app): Pass {
  return { now: at, eventSeconds, logger: gateway.gateway.logger };
}

function pass(given: Partial<Pass> = {}): Promise<Swept> {
  return sweep(app.gateway.database, { ...passAt(now), ...given });
}

/** Until one finds no more; answers what all did together. */
async function passes({ gateway }: TestApp): Promise<Swept> {
  const swept = await sweep(gateway.database, { now, eventSeconds, logger: gateway.logger });
  if (!swept.hasMore) return swept;
  const rest = await passes({ gateway } as TestApp);
  return {
    ...rest,
    completed: swept.completed + rest.completed,
    expired: swept.expired + rest.expired,
    events: swept.events + rest.events,
  };
}

function beginPurge({ db }: Place) {
  const fields = { operation: 'ALL', startedTo: '2026-05-01T00:00:00Z' };
  const origin = { front: 'REST', requestId: 'r', principal: null, receivedAt: now } as const;
  return startPurge(db, origin, { fields, faults: [] });
}

/** The database with something that happens behind the first statement of each tenant. */
function touching(database: Database, touch: () => Promise<void>): Database {
  return {
    ...database,
    forTenant(tenant) {
      const db = database.forTenant(tenant);
      let isTouched = false;
      return {
        ...db,
        write: async (statement) => {
          const rows = await db.write(statement);
          if (!isTouched) {
            isTouched = true;
            await touch();
          }
          // Whatever the caller awaits of the statement.
          return rows as never;
        },
      };
    },
  };
}

function sweeperOf({ gateway: { database, logger, clock } }: TestApp, intervalSeconds: number): Sweeper {
  const sweeper = new Sweeper({ database, logger, clock });
  sweeper.start({ intervalSeconds, eventSeconds });
  return sweeper;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20);
}

test('in maintenance nothing expires and nobody is idle, who could not be touched; idleness counts anew from its end', async () => {
  // The mode is changed by a clock that is ahead of the one that made the database.
  const begin = Date.now() + 24 * 60 * 60 * 1_000;
  let time = new Date(begin);
  await using own = await createTestApp({ now: () => time });
  const sweepAt = (seconds: number) => {
    time = new Date(begin + seconds * 1_000);
    return sweep(own.gateway.database, { ...passAt(time), logger: own.gateway.logger });
  };
  const start = (fields: object) =>
    own.rest('POST', `${cs}/services/start`, { body: { customer_id: 'c', ...fields } });
  const setMode = (mode: string) => own.rest('POST', '/server/mode', { body: { mode } });
  await start({ auto_complete_after: 600 });
  await start({ ttl: 60 });

  await setMode('maintenance');
  const during = await sweepAt(3_600);
  await setMode('production');
  const rightAfter = await sweepAt(3_600);
  const later = [await sweepAt(4_199), await sweepAt(4_200)];

  expect([during.completed, during.expired]).toEqual([0, 0]);
  expect([rightAfter.completed, rightAfter.expired]).toEqual([0, 1]);
  expect(later.map(({ completed }) => completed)).toEqual([0, 1]);
});
