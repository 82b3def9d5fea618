import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { createProxy, type DatabaseProxy } from './proxy.js';
import { startService } from './seeds.js';

/** With a straight way to the database, for looking. */
let observer: TestApp;
let proxy: DatabaseProxy;
let app: TestApp;

beforeAll(async () => {
  observer = await createTestApp();
  proxy = await createProxy(observer.connectionString);
  app = await createTestApp({ database: proxy });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await observer[Symbol.asyncDispose]();
});

test('while the database is away both fronts answer 503 with Retry-After, and come back with it', async () => {
  const id = await startService(app);

  await proxy.cut();
  const rest = await app.rest('GET', `/services/${id}`);
  const write = await app.rest('POST', `/customers/c/services/${id}`);
  const graphql = await query(`{ service(id: "${id}") { id } }`);
  await proxy.restore();
  const again = await app.rest('GET', `/services/${id}`);

  expect(rest).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' }, headers: { 'retry-after': '1' } });
  expect(write).toMatchObject({
    status: 503,
    json: { code: 'UNAVAILABLE' },
    headers: { 'retry-after': '1' },
  });
  expect(graphql).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect(graphql.json.errors[0].extensions.code).toBe('UNAVAILABLE');
  expect(again).toMatchObject({ status: 200, json: { service_id: id } });
});

test('a write whose connection breaks meanwhile is reported as unknown, and not sent again', async () => {
  const id = await startService(app, { customer_id: 'first' });
  await using lock = await lockService(id);

  const writing = app.rest('POST', `/customers/second/services/${id}`);
  await lock.isWaitedFor();
  await proxy.cut();
  const answer = await writing;
  await lock.release();
  await proxy.restore();

  expect(answer).toMatchObject({ status: 503, json: { code: 'OUTCOME_UNKNOWN' } });
  const events = await observer.sql('select version from event where service_id = $1', [id]);
  expect(events.length).toBeLessThanOrEqual(2);
});

test.each([
  ['REST', () => app.rest('GET', '/customers/first/services')],
  ['GraphQL', () => query('{ customer(id: "first") { services { nodes { id } } } }')],
])('a connection that is reset while something is read by %s is the state of the database', async (_, read) => {
  const blocker = new pg.Client({ connectionString: observer.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('lock table service');
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and application_name = 'context-gateway'`;

  const reading = read();
  await expect.poll(async () => (await observer.sql(waiting)).length).toBe(1);
  proxy.reset();
  const answer = await reading;
  await blocker.end();

  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect(answer.text).toContain('"code":"UNAVAILABLE"');
});

test.each([
  ['cannot be read or written', '58030'],
  ['is full', '53100'],
])('a disk that %s is the state of the database, and no fault of the gateway', async (_, code) => {
  const id = await startService(app, { customer_id: 'first' });
  await observer.sql(
    `create function fail() returns trigger language plpgsql as $$
     begin raise exception 'the disk' using errcode = '${code}'; end $$`,
  );
  await observer.sql('create trigger failing before update on service execute function fail()');
  const answer = await app.rest('POST', `/customers/second/services/${id}`);
  await observer.sql('drop function fail cascade');

  expect(answer).toMatchObject({
    status: 503,
    json: { code: 'UNAVAILABLE' },
    headers: { 'retry-after': '1' },
  });
});

test('idle connections that the server ends are replaced', async () => {
  const id = await startService(app);

  await observer.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'context-gateway' and state = 'idle'`,
  );
  await expect.poll(() => app.gateway.database.load().connections.idle).toBe(0);
  const { status } = await app.rest('GET', `/services/${id}`);

  expect(status).toBe(200);
});

function query(document: string) {
  return app.rest('POST', '/graphql', { body: { query: document } });
}

type Lock = AsyncDisposable & { isWaitedFor(): Promise<void>; release(): Promise<void> };

async function lockService(id: number): Promise<Lock> {
  const client = new pg.Client({ connectionString: observer.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [id]);
  return {
    async isWaitedFor() {
      const waiting =
        'select from pg_stat_activity where datname = current_database() and wait_event_type = $1';
      while ((await observer.sql(waiting, ['Lock'])).length === 0) await sleep(10);
    },
    release: async () => {
      await client.query('rollback');
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
