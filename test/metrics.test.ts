import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measureProcess } from '../src/metrics/metrics.js';
import { bearer, makeKey, makeTenants } from './auth/makers.js';
import { createTestApp, type TestApp } from './harness.js';
import { createProxy } from './proxy.js';
import { Metrics, scrape } from './samples.js';
import { startService } from './seeds.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const requests = 'gateway_http_request_duration_seconds_count';
const operations = 'gateway_graphql_operation_duration_seconds_count';

/** `extensions` is what the fast lane does not take. */
const ways = { lane: {}, yoga: { extensions: {} } };

function ask(body: object) {
  return app.rest('POST', '/graphql', { body });
}

test('all metrics are named by the conventions of Prometheus, and have values from the start on', async () => {
  await using fresh = await createTestApp();

  const { all } = await scrape(fresh);

  expect(all.length).toBeGreaterThan(15);
  for (const { name, type, samples } of all) {
    expect(name).toMatch(/^gateway_[a-z_]+$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    for (const { value } of samples) expect(value).toBeGreaterThanOrEqual(0);
  }
});

test('the documentation has them all, as they describe themselves', async () => {
  const documentation = await readFile('docs/monitoring.md', 'utf8');
  const { all } = await scrape(app);

  const rows = all
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  expect(documentation).toContain(['| Metric | Type | |', '| --- | --- | --- |', ...rows, ''].join('\n'));
});

test('what a process is of is told with the rest, once it is measured', async () => {
  const { all } = new Metrics(await measureProcess().metrics());

  const names = all.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']),
  );
});

test('a call is counted by its route, method and status, and by the code that it fails with', async () => {
  const customer = 'customer-4711';
  const absent = 999_999;
  const id = await startService(app, { customer_id: customer });
  const before = await scrape(app);

  await app.rest('POST', `/customers/${customer}/services/${id}`);
  await app.rest('POST', `/customers/${customer}/services/${absent}`);
  await app.rest('POST', `/customers/${customer}/services/${absent}`);

  const after = await scrape(app);
  const route = { method: 'POST', route: '/customers/:customer_id/services/:service_id' };
  const added = (name: string, labels: Record<string, string>) =>
    after.sum(name, labels) - before.sum(name, labels);
  expect(added(requests, { ...route, status: '200' })).toBe(1);
  expect(added(requests, { ...route, status: '404' })).toBe(2);
  expect(added('gateway_errors_total', { front: 'rest', code: 'NOT_FOUND' })).toBe(2);
  expect(JSON.stringify(after)).not.toContain(customer);
});

describe.each(Object.entries(ways))('an operation that goes by the %s', (_, extra) => {
  const added = async (labels: Record<string, string>, body: object): Promise<number> => {
    const counted = async () => (await scrape(app)).sum(operations, labels);
    const before = await counted();
    await ask({ ...body, ...extra });
    await ask({ ...body, ...extra });
    return (await counted()) - before;
  };

  test('is counted by its root field', async () => {
    const query = 'query Mine { mine: services(first: 1) { nodes { id } } }';
    expect(await added({ type: 'query', field: 'services', code: 'OK' }, { query })).toBe(2);
  });

  test('is counted by the code that its result says, asked for or not', async () => {
    const query = 'mutation { completeService(input: { serviceId: "999999" }) { __typename } }';
    expect(await added({ type: 'mutation', field: 'completeService', code: 'NOT_FOUND' }, { query })).toBe(2);
  });

  test('is counted by the code of what fails besides', async () => {
    const query = '{ services(first: 501) { nodes { id } } }';
    expect(await added({ type: 'query', field: 'services', code: 'INVALID' }, { query })).toBe(2);
  });

  test('is one of several fields, or of none', async () => {
    const several = '{ a: services { nodes { id } } mapNames }';
    expect(await added({ type: 'query', field: 'several', code: 'OK' }, { query: several })).toBe(2);
    expect(await added({ type: 'query', field: 'none' }, { query: '{ __typename }' })).toBe(2);
  });

  test('that is none is of no type', async () => {
    const errors = async () => (await scrape(app)).sum('gateway_errors_total', { front: 'graphql' });
    const before = await errors();
    expect(await added({ type: 'unknown', field: 'none' }, { query: '{ nothing }' })).toBe(2);
    expect((await errors()) - before).toBe(2);
  });
});

test('whoever makes names up makes no series', async () => {
  const hostile = async (round: number) => {
    for (let name = 0; name < 8; name++) {
      const made = `x${round}y${name}`;
      await app.rest('GET', `/${made}`);
      await app.rest('GET', `/services/${made}`);
      await app.rest('GET', `/customers/${made}/services?${made}=1`, { headers: { 'x-request-id': made } });
      await ask({ query: `query ${made} { ${made}: mapNames }`, operationName: made });
      await ask({ query: `{ ${made} }` });
      await ask({ query: 'mutation { deleteService(input: {}) { __typename } }', operationName: made });
    }
  };
  await hostile(1);
  const before = await scrape(app);

  await hostile(2);

  const after = await scrape(app);
  expect(after.samples.length).toBe(before.samples.length);
  expect(JSON.stringify(after)).not.toMatch(/x[12]y\d/);
});

test('batches are told by how many changes travel in them, statements by their kind', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => startService(app)));
  const before = await scrape(app);

  await Promise.all(ids.map((id) => app.rest('POST', `/customers/bert/services/${id}`)));
  await app.rest('GET', `/services/${ids[0]}`);

  const after = await scrape(app);
  const added = (name: string, labels = {}) => after.sum(name, labels) - before.sum(name, labels);
  expect(added('gateway_commit_batch_size_sum')).toBe(20);
  expect(added('gateway_commit_batch_size_count')).toBeLessThan(20);
  const statements = 'gateway_db_statement_duration_seconds_count';
  expect(added(statements, { kind: 'batch' })).toBe(added('gateway_commit_batch_size_count'));
  expect(added(statements, { kind: 'direct' })).toBe(1);
  expect(added(statements, { kind: 'prisma' })).toBeGreaterThan(0);
});

test('what waits, what is refused and how many connections are used shows while it lasts', async () => {
  const mostAtOnce = 256;
  const id = await startService(app);
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from service where id = $1 for update', [id]);
  const refusedBefore = (await scrape(app)).sum('gateway_requests_refused_total');
  const associate = () => app.rest('POST', `/customers/bert/services/${id}`);

  const waiting = Array.from({ length: mostAtOnce }, associate);
  const refused = await associate();
  // One of them is under way, or waits aside for the lock.
  const isQueued = async () => (await scrape(app)).sum('gateway_commit_waiting');
  await expect.poll(isQueued).toBe(mostAtOnce - 1);
  const during = await scrape(app);
  await blocker.query('rollback');
  await blocker.end();
  await Promise.all(waiting);
  const after = await scrape(app);

  expect(refused.status).toBe(503);
  expect(during.sum('gateway_requests_in_flight')).toBe(mostAtOnce);
  expect(during.sum('gateway_requests_refused_total') - refusedBefore).toBe(1);
  expect(during.sum('gateway_commit_in_flight')).toBe(1);
  expect(during.sum('gateway_commit_waiting_bytes')).toBeGreaterThan(1_000);
  expect(during.sum('gateway_db_connections', { state: 'used' })).toBeGreaterThan(0);
  expect(during.sum('gateway_db_connections', { state: 'most' })).toBe(8);
  expect(after.sum('gateway_requests_in_flight')).toBe(0);
  expect(after.sum('gateway_commit_waiting')).toBe(0);
});

test('a write whose outcome is unknown is counted as such', async () => {
  await using proxy = await createProxy(app.connectionString);
  await using other = await createTestApp({ database: proxy });
  const id = await startService(other);
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('lock table service');

  const writing = other.rest('POST', `/customers/bert/services/${id}`);
  await expect.poll(async () => (await waitingSessions()).length).toBe(1);
  await proxy.cut();
  const { json } = await writing;
  await blocker.end();
  await proxy.restore();

  const metrics = await scrape(other);
  expect(json.code).toBe('OUTCOME_UNKNOWN');
  expect(metrics.sum('gateway_commit_unknown_outcomes_total')).toBe(1);
  expect(metrics.sum('gateway_db_statement_failures_total')).toBe(1);
  expect(metrics.sum('gateway_errors_total', { front: 'rest', code: 'OUTCOME_UNKNOWN' })).toBe(1);
});

function waitingSessions() {
  return app.sql(`select from pg_stat_activity where datname = current_database()
    and wait_event_type = 'Lock' and application_name = 'context-gateway'`);
}

test('the sweeper tells what it did, and when', async () => {
  await using sweeping = await createTestApp({ sweeping: { intervalSeconds: 1, eventSeconds: 60 } });
  await sweeping.sql(
    `insert into service (tenant, started_at, expires_at, updated_at)
     values ('default', now() - interval '2 days', now() - interval '1 day', now())`,
  );

  const expired = async () =>
    (await scrape(sweeping)).sum('gateway_sweeper_swept_total', { kind: 'expired' });
  await expect.poll(expired).toBe(1);

  const passes = async () => (await scrape(sweeping)).sum('gateway_sweeper_passes_total');
  await expect.poll(passes).toBeGreaterThan(0);
  const metrics = await scrape(sweeping);
  expect(metrics.sum('gateway_sweeper_last_pass_timestamp_seconds')).toBeGreaterThan(1.7e9);
  expect(metrics.sum('gateway_sweeper_failures_total')).toBe(0);
});

test('steps of the sweeper that fail are counted', async () => {
  await using database = await createTestApp();
  await database.sql('alter table idempotency_key rename to elsewhere');
  await using sweeping = await createTestApp({
    database,
    sweeping: { intervalSeconds: 1, eventSeconds: 60 },
  });

  const failures = async () => (await scrape(sweeping)).sum('gateway_sweeper_failures_total');
  await expect.poll(failures).toBeGreaterThan(0);
});

test('events are held back for as long as a transaction writes', async () => {
  const writer = new pg.Client({ connectionString: app.connectionString });
  await writer.connect();
  await writer.query('begin');
  await writer.query('select pg_current_xact_id()');
  const { rows } = await writer.query('select extract(epoch from clock_timestamp() - now())::float8 as age');

  const lag = (await scrape(app)).sum('gateway_feed_lag_seconds');
  await writer.end();

  expect(lag).toBeGreaterThanOrEqual(rows[0].age);
});

describe('the metrics are for', () => {
  let guarded: TestApp;
  let keys: Record<'all' | 'one', Record<string, string>>;

  beforeAll(async () => {
    guarded = await createTestApp();
    await makeTenants(guarded, 'own');
    const all = await makeKey(guarded, { role: 'READER', tenants: 'all' });
    const one = await makeKey(guarded, { role: 'OPERATOR', tenants: ['own'] });
    keys = { all: bearer(all.key), one: bearer(one.key) };
  });
  afterAll(() => guarded[Symbol.asyncDispose]());

  const statusOf = async (gateway: TestApp, headers: Record<string, string> = {}) =>
    (await gateway.rest('GET', '/metrics', { headers })).status;

  test('those with credentials for all tenants', async () => {
    expect(await statusOf(guarded)).toBe(401);
    expect(await statusOf(guarded, bearer('cgw_none'))).toBe(401);
    expect(await statusOf(guarded, keys.one)).toBe(403);
    expect(await statusOf(guarded, keys.all)).toBe(200);
  });

  test('everybody, or nobody, where that is said', async () => {
    await using open = await createTestApp({ settings: { METRICS: 'open' }, database: guarded });
    await using closed = await createTestApp({ settings: { METRICS: 'off' }, database: guarded });

    expect(await statusOf(open)).toBe(200);
    expect(await statusOf(closed, keys.all)).toBe(404);
  });

  test('whoever got them before, while the database is away', async () => {
    let time = Date.now();
    await using proxy = await createProxy(guarded.connectionString);
    await using away = await createTestApp({ database: proxy, now: () => new Date(time) });
    expect(await statusOf(away, keys.all)).toBe(200);

    await proxy.cut();
    // What is known of keys is old by then.
    time += 60_000;
    const statuses = [await statusOf(away, keys.all), await statusOf(away, keys.one), await statusOf(away)];
    const { all } = await scrape(away, keys.all);
    await proxy.restore();

    expect(statuses).toEqual([200, 503, 503]);
    expect(all.find(({ name }) => name === 'gateway_feed_lag_seconds')?.samples).toEqual([]);
  });
});

test('a caller who goes away is counted, too', async () => {
  const id = await startService(app);
  await using listening = await createTestApp({ database: app });
  await listening.server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = listening.server.server.address() as AddressInfo;
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('select from service where id = $1 for update', [id]);
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /customers/bert/services/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
  );
  const inFlight = async () => (await scrape(listening)).sum('gateway_requests_in_flight');
  await expect.poll(inFlight).toBe(1);

  socket.destroy();
  const connections = promisify(listening.server.server.getConnections.bind(listening.server.server));
  await expect.poll(() => connections()).toBe(0);
  await blocker.end();
  await expect.poll(inFlight).toBe(0);

  const abandoned = async () => (await scrape(listening)).sum('gateway_requests_abandoned_total');
  await expect.poll(abandoned).toBe(1);
});
