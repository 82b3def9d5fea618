import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';

/** Of more bytes than are sent. */
const upload = 'HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{';

test('PostgreSQL ends what takes longer than the setting says', async () => {
  await using app = await createTestApp({ settings: { STATEMENT_TIMEOUT: '7s' } });

  const rows = await app.gateway.database.admin.prisma.$queryRaw`show statement_timeout`;

  expect(rows).toEqual([{ statement_timeout: '7s' }]);
});

test.each([
  ['its headers', 'POST /genesys/1/cs/services/start HTTP/1.1\r\nHost: local'],
  ['its body', `POST /genesys/1/cs/services/start ${upload}`],
  ['its body, to GraphQL', `POST /graphql ${upload}`],
])('a request that does not come whole, but for %s, is 408: nothing was done', async (_, begun) => {
  await using app = await createTestApp({ settings: { REQUEST_TIMEOUT: '1s' } });
  const before = await app.hash();
  const socket = await connectTo(app);

  socket.write(begun);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');

  expect(head).toMatch(/^HTTP\/1.1 408 /);
  expect(head).toContain('connection: close');
  expect(JSON.parse(body)).toMatchObject({ status: 408, code: 'REQUEST_TIMEOUT' });
  expect(await app.hash()).toBe(before);
});

test('a call that takes too long is 503, which says whether anything may have changed; an export waits', async () => {
  await using app = await createTestApp({ settings: { REQUEST_TIMEOUT: '1s' } });
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('lock table service');

  const accept = 'application/graphql-response+json';
  const exported = app.rest(
    'GET',
    '/genesys/1/cs/maintenance/services/stream?time_from=2020-01-01T00:00:00Z',
  );
  const mutation = 'mutation B { startService(input: { customerId: "anna" }) { __typename } }';
  const graphql = (body: object) => app.rest('POST', '/graphql', { body, headers: { accept } });
  const [read, write, query, act] = await Promise.all([
    app.rest('GET', '/customers/anna/services'),
    app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: 'anna' } }),
    graphql({ query: `query A { services { nodes { id } } } ${mutation}`, operationName: 'A' }),
    graphql({ query: `query A { services { nodes { id } } } ${mutation}`, operationName: 'B' }),
  ]);
  await blocker.query('rollback');
  await blocker.end();

  for (const { status, headers } of [read, write, query, act]) {
    expect([status, headers['retry-after']]).toEqual([503, '1']);
  }
  expect([read.json.code, write.json.code]).toEqual(['UNAVAILABLE', 'OUTCOME_UNKNOWN']);
  expect(query.json.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  expect(act.json.errors).toMatchObject([{ extensions: { code: 'OUTCOME_UNKNOWN' } }]);
  for (const { headers } of [query, act]) expect(headers['content-type']).toBe(`${accept}; charset=utf-8`);
  expect((await exported).status).toBe(200);
  expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('an export whose reader takes nothing any more is ended, and a slow one is read to its end', async () => {
  await using app = await createTestApp({ settings: { REQUEST_TIMEOUT: '3s' } });
  await app.sql(
    `with made as (insert into service (tenant, contact_key, started_at, updated_at)
       select 'default', n::text, now(), now() from generate_series(1, 400) n returning tenant, id)
     insert into extension (tenant, service_id, scope, owner_id, name, name_key, value, size_bytes)
     select tenant, id, 'SERVICE', 0, 'Note', 'note', to_jsonb(repeat('x', 100000)), 100000 from made`,
  );
  const stalled = await connectTo(app);
  const slow = await connectTo(app);
  const path = '/genesys/1/cs/maintenance/services/stream?time_from=2020-01-01T00:00:00Z&export_content=true';
  const call = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

  stalled.pause();
  stalled.write(call);
  slow.write(call);
  const connections = () => promisify(app.server.server.getConnections).call(app.server.server);
  let received = '';
  let mostRead = 0;
  for await (const chunk of slow) {
    received += chunk;
    if (received.length < mostRead + 2_000_000) continue;
    mostRead = received.length;
    await sleep(300);
  }
  await expect.poll(connections).toBe(0);
  stalled.resume();
  const cut = await text(stalled);

  expect(received.match(/"service_id":/g)?.length).toBe(400);
  expect(received).toMatch(/\]\r\n0\r\n\r\n$/);
  expect(cut).not.toMatch(/0\r\n\r\n$/);
});

async function connectTo(app: TestApp): Promise<Socket> {
  if (!app.server.server.listening) await app.server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
