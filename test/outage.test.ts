import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, createTestApp, type TestApp } from './harness.js';
import { createProxy, type DatabaseProxy, targetOf } from './proxy.js';
import { startService } from './seeds.js';
import { resetReaderOf } from './transactions.js';

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

test.each([
  ['a socket of the file system', listenAtFile],
  // Where that has two addresses, what both refuse is one error without a system call.
  ['the name of a host', listenAtName],
])('a database by %s that is away is 503, and nothing was sent', async (_, listen) => {
  await using way = await listen();
  await using gateway = await createTestApp({ database: way });
  const schema = {
    name: 'Away',
    type: 'single-valued',
    attributes: [{ name: 'a', type: 'string', length: 9 }],
  };
  const before = await gateway.rest('GET', '/metadata/services/extensions');

  await way.close();
  const read = await gateway.rest('GET', '/metadata/services/extensions');
  const write = await gateway.rest('POST', '/metadata/services/extensions', { body: schema });
  await using fresh = await createTestApp({ database: way });
  const unknown = await fresh.rest('GET', '/services/1');

  expect(before.status).toBe(200);
  for (const answer of [read, write, unknown]) {
    expect(answer).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
  }
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
  const answer = await resetReaderOf('service', { observer, proxy }, read);

  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  expect(answer.text).toContain('"code":"UNAVAILABLE"');
});

test('an act that is done and cannot be shown is answered as it is without a representation', async () => {
  const id = await startService(app, { customer_id: 'first' });
  const associate = () =>
    app.rest('POST', `/customers/second/services/${id}?active_states=true`, {
      headers: { prefer: 'return=representation' },
    });

  const answer = await resetReaderOf('state', { observer, proxy }, associate);

  expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"2"' } });
  expect(answer.headers).not.toHaveProperty('preference-applied');
  expect(await ownerOf(id)).toEqual([{ customer_id: 'second', version: 2 }]);
});

test('an act that is done and whose representation is too large is answered without it', async () => {
  const id = await startService(app, { customer_id: 'first', Note: 'x' });
  await observer.sql('update extension set size_bytes = 40000000 where service_id = $1', [id]);

  const answer = await app.rest('POST', `/customers/second/services/${id}?extensions=*`, {
    headers: { prefer: 'return=representation' },
  });

  expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"2"' } });
});

test('a mutation whose answer cannot be read has an outcome that is unknown, and may have acted', async () => {
  const id = await startService(app, { customer_id: 'first' });
  const associate = `mutation { associateService(input: { serviceId: "${id}", customerId: "second" }) {
    ... on AssociateServicePayload { service { states { id } } }
  } }`;

  const { status, headers, json } = await resetReaderOf('state', { observer, proxy }, () => query(associate));

  expect({ status, data: json.data, retryAfter: headers['retry-after'] }).toEqual({
    status: 503,
    data: null,
    retryAfter: '1',
  });
  expect(json.errors[0]).toMatchObject({
    message: 'The call could not be done to its end: a change may or may not have been made.',
    extensions: { code: 'OUTCOME_UNKNOWN' },
  });
  expect(await ownerOf(id)).toEqual([{ customer_id: 'second', version: 2 }]);
});

test('a mutation behind one that has acted does not say that nothing was done', async () => {
  const id = await startService(app, { customer_id: 'first' });
  await observer.sql(`create function fail() returns trigger language plpgsql as $$
    begin raise exception 'the disk' using errcode = '53100'; end $$`);
  await observer.sql(`create trigger failing before update on service for each row
    when (new.customer_id = 'third') execute function fail()`);
  const associate = (to: string) =>
    `${to}: associateService(input: { serviceId: "${id}", customerId: "${to}" }) { __typename }`;

  const alone = await query(`mutation { ${associate('third')} }`);
  const behind = await query(`mutation { ${associate('second')} ${associate('third')} }`);
  await observer.sql('drop function fail cascade');

  expect(codeOf(alone)).toBe('UNAVAILABLE');
  expect(codeOf(behind)).toBe('OUTCOME_UNKNOWN');
  expect(await ownerOf(id)).toEqual([{ customer_id: 'second', version: 2 }]);
});

test('a schema that is created is answered without being read again', async () => {
  const blocker = new pg.Client({ connectionString: observer.connectionString });
  const readers = new pg.Client({ connectionString: observer.connectionString });
  await blocker.connect();
  await readers.connect();
  await blocker.query('begin');
  await blocker.query('select from tenant for update');
  const creating = app.rest('POST', '/metadata/services/extensions', {
    body: { name: 'Note', type: 'single-valued', attributes: [{ name: 'a', type: 'integer' }] },
  });
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await observer.sql(waiting)).length).toBe(1);
  await readers.query('begin');
  const locking = readers.query('lock table extension_schema');
  await expect.poll(async () => (await observer.sql(waiting)).length).toBe(2);

  await blocker.end();
  await locking;
  const { status, text } = await creating;
  await readers.end();

  expect([status, text]).toEqual([201, '{"name":"Note"}']);
});

test('a business attribute that is defined and cannot be read again has an outcome that is unknown', async () => {
  const define = `mutation {
    defineBusinessAttribute(input: { name: "Kinds", values: [{ dbid: 1, name: "a" }] }) { __typename }
  }`;

  // What calls are checked against is there by then.
  await query('{ mapNames }');

  const answer = await resetReaderOf('field_mapping', { observer, proxy }, () => query(define));

  expect(codeOf(answer)).toBe('OUTCOME_UNKNOWN');
  expect(await observer.sql('select name from business_attribute')).toEqual([{ name: 'Kinds' }]);
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

function ownerOf(id: number) {
  return observer.sql('select customer_id, version from service where id = $1', [id]);
}

function codeOf({ json }: Answer): string {
  return json.errors[0].extensions.code;
}

/** A way to the database that ends for good. */
type Way = AsyncDisposable & { connectionString: string; close(): Promise<void> };

/** As PostgreSQL listens on a machine of its own, until its file is gone. */
async function listenAtFile(): Promise<Way> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetOf(observer.connectionString));
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((listening) => server.listen(join(directory, '.s.PGSQL.5432'), listening));
  const { user, database, password } = new pg.Client({ connectionString: observer.connectionString });
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    connectionString: `postgresql://${user}:${password}@/${database}?host=${directory}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listenAtName(): Promise<Way> {
  const named = await createProxy(observer.connectionString);
  const connectionString = named.connectionString.replace('@127.0.0.1:', '@localhost:');
  return { connectionString, close: named.cut, [Symbol.asyncDispose]: named.cut };
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
