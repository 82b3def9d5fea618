import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerState } from '../../src/domain/server-mode.js';
import { createLogger } from '../../src/logger.js';
import { ServerModeFollower } from '../../src/server-mode.js';
import { bearer, makeKey, makeTenants } from '../auth/makers.js';
import { exampleOf, makeEstate, operationNames, outcomeOf, send } from '../auth/operations.js';
import { createTestApp, type TestApp, type TestAppOptions } from '../harness.js';
import { project } from '../process.js';
import { createProxy } from '../proxy.js';
import { basePaths, expectProblem } from '../rest/calls.js';
import { startService } from '../seeds.js';

/** Replicas on one database, as they look it up outside of tests. */
const following: TestAppOptions = { modePollMilliseconds: 500 };

describe('in maintenance', () => {
  let app: TestApp;
  let serviceId: number;
  beforeAll(async () => {
    app = await createTestApp();
    serviceId = await startService(app);
    await setMode(app, 'maintenance');
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test('a call for data answers 503 that says so and when to come back, without a statement or a warning', async () => {
    const warnings = app.log.length;
    let answer = await app.rest('GET', `/services/${serviceId}`);

    const statements = await app.countStatements(async () => {
      answer = await app.rest('GET', `/services/${serviceId}`);
    });

    expectProblem(answer, {
      status: 503,
      code: 'UNAVAILABLE',
      detail: 'The server is in maintenance: service has to wait.',
    });
    expect(answer.headers['retry-after']).toBe('30');
    expect(statements).toBe(0);
    expect(app.log.slice(warnings)).toEqual([]);
  });

  test('GraphQL answers the same as a top-level error, for all of a document', async () => {
    const answer = await query(app, `{ server { mode } service(id: ${serviceId}) { id } }`);

    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    expect(answer.json.data).toBe(null);
    for (const { message, extensions } of answer.json.errors) {
      expect(message).toBe('The server is in maintenance: service has to wait.');
      expect(extensions).toEqual({ code: 'UNAVAILABLE' });
    }
  });

  test('GraphiQL, introspection and __typename go on', async () => {
    const page = await app.rest('GET', '/graphql', { headers: { accept: 'text/html' } });
    const introspection = await query(app, getIntrospectionQuery());
    const typename = await query(app, '{ __typename server { mode } }');

    expect([page.status, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
    expect(introspection.json.data.__schema.queryType.name).toBe('Query');
    expect(typename.json).toEqual({ data: { __typename: 'Query', server: { mode: 'MAINTENANCE' } } });
  });
});

test('in maintenance exactly what needs no data goes on, on both fronts', async () => {
  await using app = await createTestApp();
  await makeTenants(app, 'own');
  const { key } = await makeKey(app, { tenants: 'all' });
  const ofTenant = await makeKey(app, { tenants: ['own'] });
  const estate = await makeEstate(app, ofTenant.key, 'own');
  const headers = { ...bearer(key), contactcenterid: 'own' };
  await setMode(app, 'maintenance', headers);
  const before = await app.hash();

  const outcomes = new Map<string, string>();
  for (const name of operationNames.toSorted((one, other) => Number(goesOn(one)) - Number(goesOn(other)))) {
    if (goesOn(name) && !goesOn([...outcomes.keys()].at(-1) ?? name)) expect(await app.hash()).toBe(before);
    const request = exampleOf(name)?.request({ ...estate, newName: `New${outcomes.size}` });
    const answer = request && (await send(app, request, headers));
    // What both fronts do to one thing, the second finds done, and a webhook is deleted before it is replayed.
    const outcome = answer && outcomeOf(answer).replace(/^(CONFLICT|NOT_FOUND)$/, 'OK');
    outcomes.set(name, outcome ?? 'no example');
    if (answer && !goesOn(name)) expect([answer.status, name]).toEqual([503, name]);
  }

  expect(Object.fromEntries(outcomes)).toEqual(
    Object.fromEntries(operationNames.map((name) => [name, goesOn(name) ? 'OK' : 'UNAVAILABLE'])),
  );
  expect(operationNames.filter(goesOn).length).toBeGreaterThan(20);
});

const openRootFields = [
  'server',
  'setServerMode',
  'extensionSchema',
  'extensionSchemas',
  'createExtensionSchema',
  'businessAttribute',
  'businessAttributes',
  'fieldMappings',
  'mapNames',
  'defineBusinessAttribute',
  'deleteBusinessAttribute',
  'mapField',
  'setMapNames',
  'purge',
  'purges',
  'purgeServices',
  'cancelPurge',
  'webhooks',
  'webhook',
  'deadDeliveries',
  'createWebhook',
  'updateWebhook',
  'rotateWebhookSecret',
  'deleteWebhook',
  'testWebhook',
  'replayDeliveries',
  'discardDeliveries',
];

function goesOn(name: string): boolean {
  const [, field] = /^(?:Query|Mutation)\.(\w+)$/.exec(name) ?? [];
  if (field) return openRootFields.includes(field);
  return /^\w+ (\/genesys\/1\/cs)?\/(metadata|maintenance|server)\//.test(name);
}

describe.each(basePaths)('under "%s"', (base) => {
  test('the status tells the mode, the version and since when, and the mode can be set', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    await using app = await createTestApp({ now: () => now });
    const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));

    const usual = await app.rest('GET', `${base}/server/status`);
    const set = await app.rest('POST', `${base}/server/mode`, { body: { mode: 'maintenance' } });
    const changed = await app.rest('GET', `${base}/server/status`);
    now = new Date('2026-01-02T00:00:00Z');
    await app.rest('POST', `${base}/server/mode`, { body: { mode: 'maintenance' } });
    const again = await app.rest('GET', `${base}/server/status`);
    await app.rest('POST', `${base}/server/mode`, { body: { mode: 'production' } });
    const back = await app.rest('GET', `${base}/server/status`);

    expect(usual.json).toEqual({ mode: 'production', version, since: expect.stringMatching(/^20.*Z$/) });
    expect(set).toMatchObject({ status: 200, text: '' });
    expect(changed.json).toEqual({ mode: 'maintenance', version, since: '2026-01-01T00:00:00.000Z' });
    expect(again.json).toEqual(changed.json);
    expect(back.json).toEqual({ mode: 'production', version, since: '2026-01-02T00:00:00.000Z' });
  });

  test.each([
    ['another mode', { mode: 'MAINTENANCE' }, 'mode', ['production', 'maintenance']],
    ['no text', { mode: null }, 'mode', ['production', 'maintenance']],
    ['no mode', {}, 'mode', undefined],
    ['no object', ['maintenance'], 'body', undefined],
    ['no body', undefined, 'body', undefined],
  ])('%s is refused and changes nothing', async (_, body, path, allowed) => {
    await using app = await createTestApp();
    const before = await app.hash();

    const answer = await app.rest('POST', `${base}/server/mode`, { body });

    const fault = { path, message: expect.any(String), ...(allowed ? { allowed } : {}) };
    expectProblem(answer, { status: 400, code: 'INVALID', errors: [fault] });
    expect(await app.hash()).toBe(before);
  });
});

test('GraphQL tells and sets the same', async () => {
  await using app = await createTestApp();

  const set = await query(
    app,
    `mutation { setServerMode(input: { mode: MAINTENANCE }) {
      ... on SetServerModePayload { server { mode version since } }
    } }`,
  );
  const told = await query(app, '{ server { mode version since } }');

  expect(set.json.data.setServerMode.server).toEqual(told.json.data.server);
  expect(told.json.data.server).toMatchObject({ mode: 'MAINTENANCE' });
});

test('only an operator with credentials for all tenants sets it', async () => {
  await using app = await createTestApp();
  await makeTenants(app, 'other');
  const operator = { role: 'OPERATOR' } as const;
  const keys = {
    'of a lesser role': await makeKey(app, { role: 'SCHEMA_ADMIN', tenants: 'all' }),
    'of one tenant': await makeKey(app, { ...operator, tenants: ['default'] }),
    'of each tenant there is': await makeKey(app, { ...operator, tenants: ['default', 'other'] }),
  };
  const all = await makeKey(app, { ...operator, tenants: 'all' });
  const before = await app.hash();
  const set = (key: string) =>
    app.rest('POST', '/server/mode', {
      body: { mode: 'maintenance' },
      headers: { ...bearer(key), contactcenterid: 'default' },
    });
  const setByGraphql = (key: string) =>
    app.rest('POST', '/graphql', {
      body: { query: 'mutation { setServerMode(input: { mode: MAINTENANCE }) { __typename } }' },
      headers: { ...bearer(key), contactcenterid: 'default' },
    });

  for (const [what, { key }] of Object.entries(keys)) {
    expect(await set(key), what).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
    expect(outcomeOf(await setByGraphql(key)), what).toBe('FORBIDDEN');
  }
  expect(await app.hash()).toBe(before);
  expect((await set(keys['of one tenant'].key)).json.detail).toBe(
    'setServerMode takes credentials for all tenants: it concerns every one of them.',
  );
  expect((await set(all.key)).status).toBe(200);
});

test('all replicas follow, there and back, and a restart keeps the mode', async () => {
  await using app = await createTestApp(following);
  await using replica = await createTestApp({ ...following, database: app });
  const id = await startService(app);
  const statusAt = async (gateway: TestApp) => (await gateway.rest('GET', `/services/${id}`)).status;

  for (const [mode, status] of [
    ['maintenance', 503],
    ['production', 200],
    ['maintenance', 503],
  ] as const) {
    await setMode(app, mode);
    expect(await statusAt(app)).toBe(status);
    await expect.poll(() => statusAt(replica)).toBe(status);
  }
  await using restarted = await createTestApp({ database: app });
  expect(await statusAt(restarted)).toBe(503);
});

test('no call has a statement more for it', async () => {
  await using app = await createTestApp();
  const id = await startService(app);

  const read = await app.countStatements(() => app.rest('GET', `/services/${id}`));
  const write = await app.countStatements(() => app.rest('POST', `/customers/c/services/${id}`));
  const status = await app.countStatements(() => app.rest('GET', '/server/status'));

  expect({ read, write, status }).toEqual({ read: 1, write: 1, status: 0 });
});

test('a call that is under way when the mode changes is finished', async () => {
  await using app = await createTestApp();
  await using replica = await createTestApp({ database: app });
  const id = await startService(app);
  await app.sql(`create function slow() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.5); return new; end $$`);
  await app.sql('create trigger slow before update on service for each row execute function slow()');

  const writing = app.rest('POST', `/customers/late/services/${id}`);
  await sleep(100);
  await setMode(app, 'maintenance');
  const next = await app.rest('GET', `/services/${id}`);
  const written = await writing;

  expect([written.status, next.status]).toEqual([200, 503]);
  expect((await replica.rest('GET', `/services/${id}`)).json.customer_id).toBe('late');
});

test('while the database is away the mode stays as it is known, which is said once', async () => {
  await using observer = await createTestApp();
  await using proxy = await createProxy(observer.connectionString);
  // What is known of keys and tenants does not age meanwhile: it could not be looked up.
  const now = new Date();
  await using app = await createTestApp({ database: proxy, modePollMilliseconds: 50, now: () => now });
  await setMode(observer, 'maintenance');
  await untilMode(app, 'maintenance');

  await proxy.cut();
  await sleep(500);
  const away = await app.rest('GET', '/services/1');
  await setMode(observer, 'production');
  await proxy.restore();
  await untilMode(app, 'production');

  expect(away).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
  expect(app.log.filter(({ msg }) => msg === 'the mode of the server cannot be looked up')).toHaveLength(1);
});

test('without a database at the start it is looked up as soon as there is one', async () => {
  await using observer = await createTestApp();
  await setMode(observer, 'maintenance');
  await using proxy = await createProxy(observer.connectionString);
  await proxy.cut();
  await using app = await createTestApp({ database: proxy });

  const away = await app.rest('GET', '/services/1');
  await proxy.restore();
  const there = await app.rest('GET', '/services/1');

  expect(away).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect(there).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
});

test('a gateway that is stopped looks no more', async () => {
  const app = await createTestApp({ modePollMilliseconds: 10 });
  let looks = 0;
  const look = async () => {
    looks += await app.countStatements(() => sleep(50));
    return looks;
  };
  await expect.poll(look).toBeGreaterThan(2);

  await app[Symbol.asyncDispose]();

  expect(await app.countStatements(() => sleep(200))).toBe(0);
});

test('what was looked up before a change and comes in after it is no news', async () => {
  const production: ServerState = { mode: 'PRODUCTION', changedAt: new Date(0) };
  const maintenance: ServerState = { mode: 'MAINTENANCE', changedAt: new Date(1) };
  const answers = [production, production];
  const arrivals: (() => void)[] = [];
  const look = () =>
    new Promise<ServerState | undefined>((resolve) => arrivals.push(() => resolve(answers.shift())));
  // As much of a database as the follower asks of it.
  const admin = { prisma: { server: { findUniqueOrThrow: look } } } as never;
  const follower = new ServerModeFollower({ admin, logger: createLogger('silent'), pollMilliseconds: 1 });
  const starting = follower.start();
  arrivals.shift()?.();
  await starting;
  while (arrivals.length === 0) await sleep(1);

  await follower.change({ write: async <Row>() => [maintenance as Row] }, 'MAINTENANCE', new Date());
  arrivals.shift()?.();
  await sleep(20);

  expect(follower.state()).toEqual(maintenance);
  const disposing = follower[Symbol.asyncDispose]();
  for (const arrive of arrivals) arrive();
  await disposing;
});

function query(app: TestApp, document: string) {
  return app.rest('POST', '/graphql', { body: { query: document } });
}

async function setMode(app: TestApp, mode: string, headers: Record<string, string> = {}): Promise<void> {
  const { status, text } = await app.rest('POST', '/server/mode', { body: { mode }, headers });
  if (status !== 200) throw new Error(text);
}

async function untilMode(app: TestApp, mode: string): Promise<void> {
  const told = async () => (await app.rest('GET', '/server/status')).json?.mode;
  while ((await told()) !== mode) await sleep(20);
}
