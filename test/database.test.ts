import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asUnavailable } from '../src/db/failures.js';
import { currentMoment } from '../src/domain/events.js';
import { createTestApp, type TestApp } from './harness.js';
import { createExtensionSchema, startService } from './seeds.js';

let app: TestApp;

beforeAll(async () => {
  const first = await createTestApp();
  // For the sessions that begin from now on.
  await first.sql(
    `alter database ${new URL(first.connectionString).pathname.slice(1)} set timezone = 'America/New_York'`,
  );
  const onNewSessions = await createTestApp({ database: first });
  app = {
    ...onNewSessions,
    [Symbol.asyncDispose]: async () => {
      await onNewSessions[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    },
  };
});
afterAll(() => app[Symbol.asyncDispose]());

test('a database whose sessions are in another zone keeps and finds times as they were given', async () => {
  const id = await startService(app, { customer_id: 'zone', timestamp: '2025-11-24T05:00:00.000Z' });

  const list = await app.rest(
    'GET',
    '/customers/zone/services?started_from=2025-11-24T04:59:00Z&started_to=2025-11-24T05:01:00Z',
  );
  const [row] = await app.sql("select started_at at time zone 'UTC' as utc from service where id = $1", [id]);
  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `{ service(id: "${id}") { started { timestamp } updatedAt associations { nodes { recordedAt } } } }`,
    },
  });

  expect(list.json).toMatchObject([{ service_id: id, started: { timestamp: '2025-11-24T05:00:00.000Z' } }]);
  expect(String(row?.['utc'])).toContain('05:00:00');
  expect(json.data.service.started.timestamp).toBe('2025-11-24T05:00:00.000Z');
  expect(json.data.service.associations.nodes[0].recordedAt).toBe(json.data.service.updatedAt);
});

test('a session that the server ends as soon as it has begun is the state of the database', async () => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end(readyAndEnded)),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await using away = await createTestApp({
    database: { connectionString: `postgresql://a@127.0.0.1:${port}/a` },
  });

  const asked = currentMoment(away.gateway.database.forTenant('default'));

  await expect(asked).rejects.toSatisfy((error) => asUnavailable(error) !== undefined);
  server.close();
});

test('a statement that meets a serialization failure is sent again', async () => {
  const id = await startService(app);
  await app.sql('create sequence tries');
  await app.sql(`create function fail_once() returns trigger language plpgsql as $$ begin
    if nextval('tries') = 1 then raise exception 'once' using errcode = '40001'; end if; return new; end $$`);
  await app.sql(
    'create trigger fail_once before update on service for each row execute function fail_once()',
  );

  const { status } = await app.rest('POST', `/customers/again/services/${id}`);

  await app.sql('drop trigger fail_once on service');
  expect(status).toBe(200);
  expect(await app.sql('select last_value::int as tries from tries')).toEqual([{ tries: 2 }]);
  expect(await app.sql('select version from event where service_id = $1', [id])).toHaveLength(2);
});

test('what waited for a service sees the extensions that there are by then', async () => {
  const id = await startService(app, { customer_id: 'c' });
  const write = (body: object) => app.rest('POST', `/genesys/1/cs/customers/c/services/${id}`, { body });
  const full = (name: string) =>
    Object.fromEntries(Array.from({ length: 5 }, (_, n) => [name + n, 'x'.repeat(32_000)]));

  const answers = await Promise.all([
    write(full('a')),
    write(full('b')),
    write(full('c')),
    write({ a0: null }),
  ]);

  const [stored] = await app.sql(
    'select sum(size_bytes)::int as bytes from extension where service_id = $1',
    [id],
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 413, 413]);
  expect(stored?.['bytes']).toBeLessThanOrEqual(262_144);
});

test.each([
  ['plain', 'removal', 'key'],
  ['plain', 'key', 'removal'],
  ['key', 'plain', 'removal'],
  ['removal', 'plain', 'key'],
])('writes that travel together each get what they need: a %s, a %s, a %s', async (...kinds) => {
  const start = () => startService(app, { customer_id: 'c', Note: { a: 1 } });
  const [first, second, ...ids] = await Promise.all(Array.from({ length: 5 }, start));
  const acts = {
    plain: { body: { est_duration: 1 } },
    removal: { body: { Note: null } },
    key: { body: { est_duration: 2 }, headers: { 'idempotency-key': `batch ${kinds}` } },
  };
  const write = (id: unknown, act: object) =>
    app.rest('POST', `/genesys/1/cs/customers/c/services/${id}`, act);
  const send = (kind: string, place: number) => write(ids[place], acts[kind as keyof typeof acts]);

  // Two are under way at once: what comes behind them waits, and goes together.
  const ahead = [write(first, acts.plain), write(second, acts.plain)];
  const statements = await app.countStatements(async () => {
    await Promise.all([...ahead, ...kinds.map(send)]);
  });

  const again = await send('key', kinds.indexOf('key'));
  const noted = await app.sql('select service_id::int as id from extension where service_id = any($1)', [
    ids,
  ]);
  expect(statements).toBeLessThanOrEqual(3);
  expect(again.headers['idempotency-replayed']).toBe('true');
  expect(noted.map(({ id }) => id)).not.toContain(ids[kinds.indexOf('removal')]);
  expect(noted).toHaveLength(2);
});

test('an extension that appears while its removal waits for the service is removed', async () => {
  const id = await startService(app, { customer_id: 'c' });
  // Two gateways, since one sends its writes to one service one after the other.
  await using replica = await createTestApp({ database: app });
  const write = (gateway: TestApp, body: object) =>
    gateway.rest('POST', `/genesys/1/cs/customers/c/services/${id}`, { body });
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [id]);

  const set = write(app, { Late: { a: 1 } });
  await waitForPatience();
  const removed = write(replica, { Late: null });
  await waitForLocks(2);
  await client.query('commit');
  const answers = [await set, await removed];

  await client.end();
  const { json } = await app.rest('GET', `/services/${id}?extensions=*`);
  expect(answers.map(({ status, headers }) => [status, headers['etag']])).toEqual([
    [200, '"2"'],
    [200, '"3"'],
  ]);
  expect(json).not.toHaveProperty('Late');
});

test('a replica that only reads learns of a schema for what it shows', async () => {
  const replica = await createTestApp({ database: app });
  const id = await startService(app, { customer_id: 'reader', fresh: { zebra: 1, ape: 2 } });
  await replica.rest('GET', `/services/${id}`);

  await createExtensionSchema(app, 'Fresh', 'single-valued', [
    { name: 'zebra', type: 'integer' },
    { name: 'ape', type: 'integer' },
  ]);
  const { text } = await replica.rest('GET', `/services/${id}?extensions=*`);

  await replica[Symbol.asyncDispose]();
  expect(text).toContain('"Fresh":{"zebra":1,"ape":2}');
});

/** Until that many statements wait for a row. */
async function waitForLocks(count: number, condition = 'true'): Promise<void> {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and ${condition}`;
  while ((await app.sql(waiting)).length < count) await sleep(10);
}

/** Until a statement keeps its place in the lock's queue: that of a batch gives it up after 100 ms. */
function waitForPatience(): Promise<void> {
  return waitForLocks(1, "now() - query_start > interval '200 ms'");
}

test('while there are hardly any services, they are found by their key, not by their start', async () => {
  await using app = await createTestApp();
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();

  await client.query('set enable_seqscan = off');
  await client.query('set plan_cache_mode = force_generic_plan');
  await client.query('prepare by_key as select from service where tenant = $1 and id = $2 for key share');
  const { rows } = await client.query("explain (costs off) execute by_key ('default', 1)");
  await client.end();

  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('using service_pkey');
});

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string): string {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return `${type}${length.toString('latin1')}${body}`;
}

/** In one piece, as they come when both are sent before the gateway reads. */
const readyAndEnded = Buffer.from(
  message('R', '\0\0\0\0') + message('Z', 'I') + message('E', 'SFATAL\0VFATAL\0C57P01\0Mended\0\0'),
  'latin1',
);
