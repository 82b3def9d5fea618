import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

let app: TestApp;
let port: number;
let id: number;
let before: string;

beforeAll(async () => {
  app = await createTestApp();
  port = Number(new URL(await app.server.listen({ host: '127.0.0.1', port: 0 })).port);
  id = await startService(app);
  before = await app.hash();
});
afterAll(() => app[Symbol.asyncDispose]());

const end = 'Host: localhost\r\nConnection: close\r\n\r\n';
const post = (headers: string, body: string) =>
  `POST /services/1/end HTTP/1.1\r\nContent-Type: application/json\r\n${headers}${end}${body}`;

const malformed: [what: string, bytes: string | Buffer][] = [
  ['no HTTP at all', 'hello\r\n\r\n'],
  ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
  ['zeros', Buffer.alloc(4_096)],
  ['an unknown method', `BREW /services/1 HTTP/1.1\r\n${end}`],
  ['a method in small letters', `get /services/1 HTTP/1.1\r\n${end}`],
  ['no path', `GET HTTP/1.1\r\n${end}`],
  ['a version that is none', `GET /services/1 HTTP/9.9\r\n${end}`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['bytes beyond ASCII in the path', Buffer.from(`GET /services/\xff\xfe HTTP/1.1\r\n${end}`, 'latin1')],
  ['a zero in the path', `GET /services/\0 HTTP/1.1\r\n${end}`],
  ['dots that lead out', `GET /../../etc/passwd HTTP/1.1\r\n${end}`],
  ['dots within', `GET /services/../server/nope HTTP/1.1\r\n${end}`],
  ['the asterisk', `OPTIONS * HTTP/1.1\r\n${end}`],
  ['another address', `GET http://evil.example/services/1x HTTP/1.1\r\n${end}`],
  ['a path of 64 KiB', `GET /${'x'.repeat(65_536)} HTTP/1.1\r\n${end}`],
  ['no host', 'GET /services/1 HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['two hosts', `GET /services/1x HTTP/1.1\r\nHost: evil.example\r\n${end}`],
  ['a zero in a header', `GET /services/1 HTTP/1.1\r\nX-Reason: a\0b\r\n${end}`],
  ['a header without a colon', `GET /services/1 HTTP/1.1\r\nnonsense\r\n${end}`],
  ['a space before the colon', `GET /services/1 HTTP/1.1\r\nX-Reason : a\r\n${end}`],
  ['a header of 64 KiB', `GET /services/1 HTTP/1.1\r\nX-Reason: ${'x'.repeat(65_536)}\r\n${end}`],
  ['ten thousand headers', `GET /services/1 HTTP/1.1\r\n${'A: b\r\n'.repeat(10_000)}${end}`],
  ['two lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}')],
  ['a negative length', post('Content-Length: -1\r\n', '{}')],
  ['a length that is no number', post('Content-Length: 2x\r\n', '{}')],
  [
    'a length and chunks',
    post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'),
  ],
  ['chunks that are none', post('Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n')],
  ['another encoding', post('Transfer-Encoding: x\r\n', '{}')],
  ['a length of more than is taken', post('Content-Length: 99999999\r\n', '{}')],
  ['an expectation that is none', `GET /services/1 HTTP/1.1\r\nExpect: x\r\n${end}`],
];

test.each(malformed)('%s is refused, and changes nothing', async (_, bytes) => {
  const socket = await open();

  socket.write(bytes);
  const said = await everythingFrom(socket);

  for (const status of statusesOf(said)) expect(status).toMatch(/^4\d\d$/);
  expect(statusesOf(said).length).toBeGreaterThan(0);
  expect(said).not.toMatch(/node_modules|\.[jt]s:\d|Error:|prisma|select |HPE_|ERR_/i);
  await expectUnharmed();
});

test.each([
  ['a connection that says nothing', ''],
  ['half a request line', 'GET /serv'],
  ['half of the headers', 'POST /services/1/end HTTP/1.1\r\nHost: localhost\r\nContent-'],
  ['half of a body', post('Content-Length: 1000\r\n', '{"disposition":')],
  ['half of a chunk', post('Transfer-Encoding: chunked\r\n', 'ff\r\n{"dispos')],
])('%s that breaks off changes nothing', async (_, bytes) => {
  for (const cut of ['end', 'resetAndDestroy'] as const) {
    const socket = await open();
    socket.write(bytes);
    await sleep(5);
    socket[cut]();
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
  }

  await expectUnharmed();
});

test('a body that comes byte by byte and is cut changes nothing', async () => {
  const socket = await open();
  const request = `POST /services/${id}/end HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 30\r\nHost: localhost\r\n\r\n`;

  socket.write(request);
  for (const byte of '{"disposition":1') {
    socket.write(byte);
    await sleep(1);
  }
  socket.resetAndDestroy();

  await expectUnharmed();
});

test('of requests that come at once each has its answer, in their order', async () => {
  const socket = await open();
  const status = 'GET /server/status HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const unknown = 'GET /services/404404 HTTP/1.1\r\nHost: localhost\r\n\r\n';

  socket.write(`${status}${unknown}${status}GET /nope HTTP/1.1\r\n${end}`);

  expect(statusesOf(await everythingFrom(socket))).toEqual(['200', '404', '200', '404']);
});

test('what comes behind something malformed is not listened to', async () => {
  const socket = await open();

  socket.write(`BROKEN\r\n\r\nPOST /services/${id}/end HTTP/1.1\r\n${end}`);

  expect(statusesOf(await everythingFrom(socket))).toEqual(['400']);
  await expectUnharmed();
});

test('a tunnel is not opened', async () => {
  const socket = await open();

  socket.write(`CONNECT localhost:1 HTTP/1.1\r\n${end}`);

  expect(await everythingFrom(socket)).toBe('');
  await expectUnharmed();
});

test('callers that do not read what they are told are no harm', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, open));
  for (const socket of sockets) {
    socket.pause();
    socket.write('GET /services/404404 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50));
  }

  await expectUnharmed();

  for (const socket of sockets) socket.resetAndDestroy();
});

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // Whatever the other end does to it is seen by what came.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function everythingFrom(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

function statusesOf(said: string): string[] {
  return [...said.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => String(status));
}

async function expectUnharmed(): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/services/${id}`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).not.toHaveProperty('completed');
  expect(await app.hash()).toBe(before);
  expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
}
