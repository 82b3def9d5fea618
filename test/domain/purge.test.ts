import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { advancePurge, cancelPurge, getPurge, listPurges, startPurge } from '../../src/domain/purges.js';
import type { Origin } from '../../src/domain/service-writes.js';
import { sweep } from '../../src/domain/sweeping.js';
import type { PurgeOperation } from '../../src/generated/prisma/client.js';
import { createTestApp, type TestApp } from '../harness.js';
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
const limit = '2026-05-01T00:00:00.000Z';
const origin: Origin = { front: 'REST', requestId: 'r', principal: null, receivedAt: now };
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

const legacyNames = {
  ALL: 'purge.service.all',
  STARTED: 'purge.service.started',
  STARTED_ANONYMOUS: 'purge.service.started.anonymous',
  COMPLETED: 'purge.service.completed',
  COMPLETED_ANONYMOUS: 'purge.service.completed.anonymous',
};

/** Every kind of service, started before the limit, at it and behind it. */
const population = [
  '2026-04-30T23:59:59.999Z',
  '2020-01-01T00:00:00Z',
  limit,
  '2026-05-02T00:00:00Z',
].flatMap((started) =>
  [null, '2026-05-03T00:00:00Z'].flatMap((completed) =>
    ['c', null].map((customer) => ({
      given: { started, completed, customer },
      isEarly: new Date(started) < new Date(limit),
      kind: `${completed ? 'completed' : 'active'} ${customer ? 'known' : 'anonymous'}`,
    })),
  ),
);

async function makeKinds(
  place: Place,
  kinds: readonly string[],
): Promise<{ matching: string[]; others: string[] }> {
  const made: { matching: string[]; others: string[] } = { matching: [], others: [] };
  for (const { given, isEarly, kind } of population) {
    const ids = await insertServices(app, place, given);
    made[isEarly && kinds.includes(kind) ? 'matching' : 'others'].push(...ids);
  }
  return made;
}

describe.each([
  ['ALL', ['active known', 'active anonymous', 'completed known', 'completed anonymous']],
  ['STARTED', ['active known', 'active anonymous']],
  ['STARTED_ANONYMOUS', ['active anonymous']],
  ['COMPLETED', ['completed known', 'completed anonymous']],
  ['COMPLETED_ANONYMOUS', ['completed anonymous']],
] as const)('%s', (operation, kinds) => {
  test('deletes what was started strictly before the limit, and exactly what its dry run counts', async () => {
    const place = await makePlace(app);
    const { matching, others } = await makeKinds(place, kinds);
    const body = { limit, operation: legacyNames[operation] };

    const counted = await purge(place, { ...body, dry_run: true });
    const afterCount = await servicesOf(app, place);
    const started = await purge(place, body);
    const [deleted] = await runPurge(app, place, started.json.purge_id);

    expect(counted.json).toMatchObject({
      status: 'done',
      matched: matching.length,
      deleted: 0,
      dry_run: true,
    });
    expect(afterCount).toHaveLength(matching.length + others.length);
    expect(started.json).toMatchObject({ status: 'running', matched: matching.length, deleted: 0 });
    expect(deleted).toBe(matching.length);
    expect(await servicesOf(app, place)).toEqual(others);
    const events = await eventsOf(app, place);
    expect(events.map(({ id, version, type }) => [id, version, type])).toEqual(
      matching.map((id) => [id, 2, 'SERVICE_DELETED']),
    );
  });

  test('leaves other tenants alone', async () => {
    const place = await makePlace(app);
    const other = await makePlace(app);
    const { others } = await makeKinds(other, kinds);
    const before = await servicesOf(app, other);

    const { json } = await purge(place, { limit, operation: legacyNames[operation] });
    await runPurge(app, place, json.purge_id);

    expect(json.matched).toBe(0);
    expect(await servicesOf(app, other)).toEqual(before);
    expect(others.length).toBeGreaterThan(0);
  });
});

test('all that hangs on a service goes with it, and its events stay', async () => {
  const place = await makePlace(app);
  const id = await startWithParts(app, place, { timestamp: '2026-04-01T00:00:00Z' });
  const kept = await startWithParts(app, place);
  const before = await rowsOf(app, id);
  const beforeOfKept = await rowsOf(app, kept);

  const { json } = await purge(place, { limit, operation: 'purge.service.all' });
  await runPurge(app, place, json.purge_id);

  expect(before).toEqual({ association: 2, event: 4, extension: 3, service: 1, state: 1, task: 1 });
  expect(await rowsOf(app, id)).toEqual({ event: 5 });
  expect(await rowsOf(app, kept)).toEqual(beforeOfKept);
  const events = (await eventsOf(app, place)).filter((event) => event.id === id);
  expect(events.at(-1)).toEqual({ id, version: 5, type: 'SERVICE_DELETED', customer: 'c' });
  const gone = await app.rest('GET', `${cs}/services/${id}`, { headers: place.headers });
  expect(gone.status).toBe(404);
});

test('its progress is told at its Location, batch by batch', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, { customer: null }, 2);
  await insertServices(app, place, {}, 3);
  await insertServices(app, place, { customer: null }, 2);
  const begun = await purge(place, { limit, operation: 'purge.service.started.anonymous' });
  const id = BigInt(begun.json.purge_id);
  const show = () => app.rest('GET', String(begun.headers['location']), { headers: place.headers });

  const answers = [await show()];
  const batches = [];
  for (let batch = 0; batch < 3; batch++) {
    batches.push(await advancePurge(place.db, id, now, 3));
    answers.push(await show());
  }

  expect(begun.headers['location']).toBe(`${cs}/maintenance/purge/${id}`);
  expect(answers[0]?.text).toBe(begun.text);
  expect(begun.json).toEqual({
    ...{ purge_id: Number(id), operation: 'purge.service.started.anonymous', limit, dry_run: false },
    ...{ status: 'running', matched: 4, deleted: 0, created: now.toISOString() },
  });
  // Three ids each, whether they match or not.
  expect(batches).toEqual([
    { deleted: 2, isDone: false },
    { deleted: 1, isDone: false },
    { deleted: 1, isDone: true },
  ]);
  expect(answers.map(({ json }) => [json.status, json.deleted])).toEqual([
    ['running', 0],
    ['running', 2],
    ['running', 3],
    ['done', 4],
  ]);
  expect(answers[3]?.json.finished).toBe(now.toISOString());
  expect(await advancePurge(place.db, id, now)).toBeNull();
});

test('services that are started behind its begin are left alone, however early they say they started', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {}, 2);
  const { json } = await purge(place, { limit, operation: 'purge.service.all' });
  const later = await insertServices(app, place, { started: '2020-01-01T00:00:00Z' }, 2);

  await runPurge(app, place, json.purge_id);

  expect(await servicesOf(app, place)).toEqual(later);
});

test('one that is cancelled in between keeps what it has done, and does no more', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {}, 5);
  const begun = await purge(place, { limit, operation: 'purge.service.all' });
  const path = `${cs}/maintenance/purge/${begun.json.purge_id}/cancel`;
  await advancePurge(place.db, BigInt(begun.json.purge_id), now, 2);

  const cancelled = await app.rest('POST', path, { headers: place.headers });
  const again = await app.rest('POST', path, { headers: place.headers });
  const goneOn = await advancePurge(place.db, BigInt(begun.json.purge_id), now);

  expect(cancelled).toMatchObject({
    status: 200,
    json: { status: 'cancelled', deleted: 2, finished: now.toISOString() },
  });
  expect(again).toMatchObject({ status: 409, json: { code: 'CONFLICT' } });
  expect(goneOn).toBeNull();
  expect(await servicesOf(app, place)).toHaveLength(3);
});

test('a cancel waits for the batch in flight, which counts', async () => {
  const place = await makePlace(app);
  const [id] = await insertServices(app, place, {}, 3);
  const { purge: begun } = await begin(place);
  await using writer = await beginWrite(app, 'select from service where id = $1 for update', [id]);

  const batch = advancePurge(place.db, begun.id, now, 2);
  await writer.isWaitedFor();
  const cancelling = cancelPurge(place.db, origin, begun.id);
  await writer.finish();

  expect(await batch).toEqual({ deleted: 2, isDone: false });
  expect(await cancelling).toMatchObject({ status: 'CANCELLED', deleted: 2n });
});

test('a service that somebody is writing to is waited for, and left alone where it does not match any more', async () => {
  const place = await makePlace(app);
  const [first, taken = '', last] = await insertServices(app, place, { customer: null }, 3);
  const { purge: begun } = await begin(place, 'STARTED_ANONYMOUS');
  await using writer = await beginWrite(
    app,
    "update service set customer_id = 'c', version = version + 1 where id = $1",
    [taken],
  );

  const batch = advancePurge(place.db, begun.id, now);
  await writer.isWaitedFor();
  await writer.finish();

  expect(await batch).toEqual({ deleted: 2, isDone: true });
  expect(await servicesOf(app, place)).toEqual([taken]);
  expect((await eventsOf(app, place)).map(({ id }) => id)).toEqual([first, last]);
});

test('a service that changes meanwhile and still matches goes with its newest version and customer', async () => {
  const place = await makePlace(app);
  const [id = ''] = await insertServices(app, place, {});
  const { purge: begun } = await begin(place);
  await using writer = await beginWrite(
    app,
    "update service set customer_id = 'newer', version = version + 1 where id = $1",
    [id],
  );

  const batch = advancePurge(place.db, begun.id, now);
  await writer.isWaitedFor();
  await writer.finish();
  await batch;

  expect(await eventsOf(app, place)).toEqual([
    { id, version: 3, type: 'SERVICE_DELETED', customer: 'newer' },
  ]);
});

test('callers who write to what is being purged get it done or a 404, and no row is left of it', async () => {
  const place = await makePlace(app);
  const ids = await insertServices(app, place, {}, 120);
  const { purge: begun } = await begin(place);

  const { headers } = place;
  const writes = ids.flatMap((id, index) => [
    app.rest('POST', `${cs}/services/${id}/states/start`, {
      body: { state_type: 1, Feedback: { rating: 1 } },
      headers,
    }),
    (index % 2 ? replica : app).rest('POST', `${cs}/customers/other/services/${id}`, {
      body: { Notes: { a: 1 } },
      headers,
    }),
  ]);
  // The purge of few services can be done before the first of them otherwise.
  const first = await Promise.race(writes);
  const [[deleted], answers] = await Promise.all([runPurge(app, place, begun.id, 10), Promise.all(writes)]);
  const last = await app.rest('POST', `${cs}/customers/other/services/${ids[0]}`, { headers });

  expect([200, 201]).toContain(first.status);
  for (const { status } of answers) expect([200, 201, 404]).toContain(status);
  expect(last.status).toBe(404);
  expect(deleted).toBe(120);
  expect(await tablesOf(place)).toEqual({ event: 120 + answers.filter(({ status }) => status < 300).length });
  const events = await eventsOf(app, place);
  for (const id of ids) {
    const own = events.filter((event) => event.id === id);
    expect(own.map(({ version }) => version)).toEqual(own.map((_, index) => index + 2));
    expect(own.at(-1)?.type).toBe('SERVICE_DELETED');
  }
});

test('two gateways at one purge delete and count each service once', async () => {
  const place = await makePlace(app);
  const ids = await insertServices(app, place, {}, 500);
  const { purge: begun } = await begin(place);
  const other = { ...place, db: replica.gateway.database.forTenant(place.tenant) };

  const runs = await Promise.all(
    [place, other, place, other].map((from) => runPurge(app, from, begun.id, 7)),
  );

  expect(runs.map(([deleted]) => deleted).reduce((sum, count) => sum + count)).toBe(500);
  expect(await getPurge(place.db, begun.id)).toMatchObject({ status: 'DONE', deleted: 500n });
  expect((await eventsOf(app, place)).map(({ id, version }) => [id, version])).toEqual(
    ids.map((id) => [id, 2]),
  );
});

test('what a gateway leaves behind another one finds and ends, with the right count', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {}, 10);
  const crashing = await createTestApp({ now: () => now, database: app });
  const { headers } = place;
  const { json } = await crashing.rest('POST', `${cs}/maintenance/purge`, {
    body: { limit, operation: 'purge.service.all' },
    headers,
  });
  await advancePurge(crashing.gateway.database.forTenant(place.tenant), BigInt(json.purge_id), now, 4);
  await crashing[Symbol.asyncDispose]();

  await sweep(replica.gateway.database, { now, eventSeconds: 60, logger: replica.gateway.logger });

  const shown = await app.rest('GET', `${cs}/maintenance/purge/${json.purge_id}`, { headers });
  expect(shown.json).toMatchObject({ status: 'done', matched: 10, deleted: 10 });
  expect(await servicesOf(app, place)).toEqual([]);
  expect(await eventsOf(app, place)).toHaveLength(10);
});

test('a batch whose connection breaks is done whole or not at all', async () => {
  const place = await makePlace(app);
  const [, id] = await insertServices(app, place, {}, 4);
  const { purge: begun } = await begin(place);
  const before = await app.hash();
  await using writer = await beginWrite(app, 'select from service where id = $1 for update', [id]);

  const batch = advancePurge(place.db, begun.id, now).catch(({ code }) => code);
  await writer.isWaitedFor();
  await app.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  const outcome = await batch;
  const after = await app.hash();
  await writer.finish();

  expect(outcome).toBe('OUTCOME_UNKNOWN');
  expect(after).toBe(before);
  expect(await runPurge(app, place, begun.id)).toEqual([4, 1]);
});

test('what is wrong with a purge is told at once, with what there is, and nothing begins', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, {});
  const before = await app.hash();

  const answers = [
    await purge(place, { limit: '2026-06-01T12:00:00.001Z', operation: 'purge.all', dry_run: 1, before: 2 }),
    await purge(place, {}),
    await purge(place, { limit: 'yesterday', operation: null }),
    await purge(place, []),
  ];

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  const faults = answers.map(({ json }) => json.errors.map(({ path }: { path: string }) => path));
  expect(faults).toEqual([
    ['before', 'operation', 'limit', 'dry_run'],
    ['operation', 'limit'],
    ['operation', 'limit'],
    ['body'],
  ]);
  const [known, operation] = answers[0]?.json.errors ?? [];
  expect(known.allowed).toEqual(['limit', 'operation', 'dry_run']);
  expect(operation.allowed).toEqual(Object.values(legacyNames));
  expect(await app.hash()).toBe(before);
});

test('a limit of this very moment is taken', async () => {
  const place = await makePlace(app);

  const { status, json } = await purge(place, { limit: now.toISOString(), operation: 'purge.service.all' });

  expect([status, json.matched]).toEqual([200, 0]);
});

test('the same call with the same idempotency key begins one purge', async () => {
  const place = await makePlace(app);
  const headers = { ...place.headers, 'idempotency-key': 'once' };
  const body = { limit, operation: 'purge.service.all' };
  const send = (gateway: TestApp, given = body) =>
    gateway.rest('POST', `${cs}/maintenance/purge`, { body: given, headers });

  const answers = await Promise.all([send(app), send(replica), send(app)]);
  const other = await send(app, { ...body, operation: 'purge.service.started' });

  expect(new Set(answers.map(({ json }) => json.purge_id)).size).toBe(1);
  expect(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true')).toHaveLength(2);
  expect(other).toMatchObject({ status: 422, json: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  expect(await listPurges(place.db)).toHaveLength(1);
});

test('it has no path under the bare base, and one that there is not is a 404', async () => {
  const place = await makePlace(app);
  const other = await makePlace(app);
  const { json } = await purge(place, { limit, operation: 'purge.service.all' });
  const statusOf = async (method: 'GET' | 'POST', path: string, { headers } = place) =>
    (await app.rest(method, path, { headers, body: method === 'POST' ? {} : undefined })).status;

  expect([
    await statusOf('POST', '/maintenance/purge'),
    await statusOf('GET', `${cs}/maintenance/purge/404040`),
    await statusOf('POST', `${cs}/maintenance/purge/404040/cancel`),
    await statusOf('GET', `${cs}/maintenance/purge/x`),
    await statusOf('GET', `${cs}/maintenance/purge/${json.purge_id}`, other),
  ]).toEqual([404, 404, 404, 400, 404]);
});

test('GraphQL begins, shows, lists and cancels the same purges', async () => {
  const place = await makePlace(app);
  await insertServices(app, place, { customer: null }, 3);
  const { headers } = place;
  const send = async (query: string) =>
    (await app.rest('POST', '/graphql', { body: { query }, headers })).json.data;
  const fields = 'id operation startedTo dryRun status matched deleted createdAt finishedAt';
  const input = `operation: STARTED_ANONYMOUS, startedTo: "${limit}"`;

  const counted = await send(
    `mutation { purgeServices(input: { ${input}, dryRun: true }) { ... on PurgeServicesPayload { purge { status matched } } } }`,
  );
  const { purgeServices: begun } = await send(
    `mutation { purgeServices(input: { ${input} }) { ... on PurgeServicesPayload { replayed purge { ${fields} } } } }`,
  );
  const { id } = begun.purge;
  const { purge: shown, purges } = await send(`{ purge(id: "${id}") { ${fields} } purges { id dryRun } }`);
  const { json: rest } = await app.rest('GET', `${cs}/maintenance/purge/${id}`, { headers });
  const cancel = `mutation { cancelPurge(input: { id: "${id}" }) { __typename ... on Error { code } ... on CancelPurgePayload { purge { status finishedAt } } } }`;
  const cancelled = await send(cancel);
  const again = await send(cancel);

  expect(counted.purgeServices.purge).toEqual({ status: 'DONE', matched: 3 });
  expect(begun).toEqual({
    replayed: false,
    purge: {
      ...{ id, operation: 'STARTED_ANONYMOUS', startedTo: limit, dryRun: false, status: 'RUNNING' },
      ...{ matched: 3, deleted: 0, createdAt: now.toISOString(), finishedAt: null },
    },
  });
  expect(shown).toEqual(begun.purge);
  expect(rest).toMatchObject({ operation: 'purge.service.started.anonymous', matched: 3 });
  expect(purges).toMatchObject([{ id, dryRun: false }, { dryRun: true }]);
  expect(cancelled.cancelPurge).toEqual({
    __typename: 'CancelPurgePayload',
    purge: { status: 'CANCELLED', finishedAt: now.toISOString() },
  });
  expect(again.cancelPurge).toEqual({ __typename: 'Conflict', code: 'CONFLICT' });
});

test('in GraphQL a limit that lies ahead is a fault of startedTo', async () => {
  const place = await makePlace(app);
  const query = `mutation { purgeServices(input: { operation: ALL, startedTo: "2026-06-01T12:00:01Z" })
    { __typename ... on Invalid { faults { path } } } }`;

  const { json } = await app.rest('POST', '/graphql', { body: { query }, headers: place.headers });

  expect(json.data.purgeServices).toEqual({ __typename: 'Invalid', faults: [{ path: 'startedTo' }] });
});

function purge({ headers }: Place, body: unknown) {
  return app.rest('POST', `${cs}/maintenance/purge`, { body, headers });
}

function begin({ db }: Place, operation: PurgeOperation = 'ALL') {
  return startPurge(db, origin, { fields: { operation, startedTo: limit }, faults: [] });
}

/** Until it is done, by whomever; answers what this run deleted, and in how many batches. */
async function runPurge(
  from: TestApp,
  { db }: Place,
  id: bigint | number,
  ids?: number,
): Promise<[deleted: number, batches: number]> {
  let [deleted, batches] = [0, 0];
  for (;;) {
    const progress = await advancePurge(db, BigInt(id), from.gateway.clock(), ids);
    if (progress) {
      batches++;
      deleted += progress.deleted;
    } else if ((await getPurge(db, BigInt(id))).status !== 'RUNNING') return [deleted, batches];
  }
}

/** How many rows the tables that hang on services have of a tenant. */
async function tablesOf({ tenant }: Place): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of ['service', 'state', 'task', 'extension', 'association', 'event']) {
    const rows = await app.sql(`select from ${table} where tenant = $1`, [tenant]);
    if (rows.length > 0) counts[table] = rows.length;
  }
  return counts;
}
