import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { startService } from './seeds.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  await app.server.listen({ port: 0 });
});
afterAll(() => app[Symbol.asyncDispose]());

/** All that is answered to these bytes until the gateway hangs up. */
async function send(bytes: string): Promise<{ head: string; problem: Record<string, unknown> }> {
  const { port } = app.server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
  return { head, problem: JSON.parse(body) };
}

const request = (...headers: string[]) =>
  ['GET /services/1 HTTP/1.1', 'Host: localhost', ...headers, '', ''].join('\r\n');

test.each([
  ['no request line', 'hello\r\n\r\n', 400, 'INVALID', 'request'],
  ['a method that there is not', request().replace('GET', 'GOT'), 400, 'INVALID', 'request'],
  ['a header without a name', request(': x'), 400, 'INVALID', 'request'],
  ['two lengths', request('Content-Length: 1', 'Content-Length: 2'), 400, 'INVALID', 'request'],
  [
    'a length and chunks',
    request('Content-Length: 1', 'Transfer-Encoding: chunked'),
    400,
    'INVALID',
    'request',
  ],
  [
    'headers of more than 16 KiB',
    request(`X-Long: ${'x'.repeat(20_000)}`),
    431,
    'HEADERS_TOO_LARGE',
    'headers',
  ],
  [
    'a path of more than 16 KiB',
    request().replace('/1', `/${'1'.repeat(20_000)}`),
    431,
    'HEADERS_TOO_LARGE',
    'headers',
  ],
])('%s is answered like any other fault, and the connection closed', async (_, bytes, status, code, path) => {
  const { head, problem } = await send(bytes);

  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/^content-type: application\/json\r?$/m);
  expect(head).toContain('x-content-type-options: nosniff');
  expect(head).toContain('connection: close');
  expect(problem).toMatchObject({
    type: 'about:blank',
    status,
    code,
    errors: [{ path, message: expect.any(String) }],
    exception: expect.stringMatching(/^com\.genesyslab\..*Exception$/),
  });
  expect(problem['message']).toBe(problem['detail']);
});

const withoutHost = 'GET /services/1 HTTP/1.1\r\nConnection: close\r\n';

test.each([
  ['no Host', `${withoutHost}\r\n`, 400, 'INVALID', 'Host', 'application/json'],
  [
    'no Host, by who asks for problems',
    `${withoutHost}Accept: application/problem+json\r\n\r\n`,
    400,
    'INVALID',
    'Host',
    'application/problem+json',
  ],
  [
    'an expectation that is not known',
    request('Expect: something'),
    417,
    'EXPECTATION_FAILED',
    'Expect',
    'application/json',
  ],
  [
    'an expectation that is not known, by who asks for problems',
    request('Expect: something', 'Accept: application/problem+json'),
    417,
    'EXPECTATION_FAILED',
    'Expect',
    'application/problem+json',
  ],
])('%s is a fault like any other', async (_, bytes, status, code, path, type) => {
  const { head, problem } = await send(bytes);

  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(/^content-type: ([^;\r]+)/m.exec(head)?.[1]).toBe(type);
  expect(head).toContain('x-content-type-options: nosniff');
  expect(problem).toMatchObject({ status, code, errors: [{ path, message: expect.any(String) }] });
});

test('HTTP/1.0 needs no Host; what has none asks for no name of this machine', async () => {
  const { problem } = await send('GET /services/1 HTTP/1.0\r\n\r\n');

  expect(problem).toMatchObject({ status: 403, code: 'FORBIDDEN' });
});

test('what is no HTTP behind a call that is being done is not answered: it would be taken for the call’s', async () => {
  const id = await startService(app, { customer_id: 'anna' });
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [id]);
  const { port } = app.server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST /customers/bert/services/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
  );
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await app.sql(waiting)).length).toBe(1);

  socket.write('hello\r\n\r\n');

  expect(await text(socket)).toBe('');
  await client.query('rollback');
  await client.end();
});
