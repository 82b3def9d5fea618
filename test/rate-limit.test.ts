import { once } from 'node:events';
import { expect, test } from 'vitest';
import { bearer, makeKey } from './auth/makers.js';
import { createTestApp } from './harness.js';
import { openWebSocket } from './streams.js';

const settings = { RATE_LIMIT: '2/h' };

test('without the setting nobody is counted', async () => {
  await using app = await createTestApp();

  const { headers } = await app.rest('GET', '/server/status');

  expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
});

test('each answer tells what is left, and one call too many is 429, with when to try again', async () => {
  await using app = await createTestApp({ settings });

  const ask = () => app.rest('GET', '/server/status');
  const answers = [await ask(), await ask(), await ask()] as const;

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers.map(({ headers }) => headers['ratelimit-remaining'])).toEqual(['1', '0', '0']);
  const [, , { headers, json }] = answers;
  expect(headers).toMatchObject({ 'ratelimit-limit': '2', 'cache-control': 'no-store' });
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(headers['ratelimit-reset'])).toBeGreaterThan(0);
  expect(json).toMatchObject({
    status: 429,
    title: 'Too Many Requests',
    code: 'RATE_LIMITED',
    detail: 'Too many calls: at most 2 in 3600 s are allowed.',
    exception: expect.stringMatching(/\.TooManyRequestsException$/),
  });
});

test('both fronts and paths that there are not count alike; GraphQL is told in its own form', async () => {
  await using app = await createTestApp({ settings });
  await app.rest('GET', '/graphql?query={mapNames}');
  await app.rest('GET', '/nothing');
  const before = await app.hash();

  const { status, headers, json } = await app.rest('POST', '/graphql', {
    body: { query: 'mutation { startService(input: {}) { __typename } }' },
  });

  expect(status).toBe(429);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(json.errors).toEqual([
    { message: 'Too many calls: at most 2 in 3600 s are allowed.', extensions: { code: 'RATE_LIMITED' } },
  ]);
  expect(await app.hash()).toBe(before);
});

test('each key has its own count, and credentials that do not hold have that of their address', async () => {
  await using app = await createTestApp({ settings });
  const keys = [await makeKey(app), await makeKey(app)];
  const call = async (headers: Record<string, string>) =>
    (await app.rest('GET', '/server/status', { headers })).status;

  const statuses = [];
  for (const { key } of [...keys, ...keys, ...keys]) statuses.push(await call(bearer(key)));
  const guesses = [];
  for (const end of ['a', 'b', 'c']) guesses.push(await call(bearer(`${keys[0]?.key}${end}`)));
  guesses.push(await call({}));

  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  expect(guesses).toEqual([401, 401, 429, 429]);
});

test('addresses of one IPv6 network of 64 bits have one count, IPv4 in IPv6 that of its address', async () => {
  await using app = await createTestApp({ settings });
  const call = async (remoteAddress: string) =>
    (await app.server.inject({ url: '/server/status', remoteAddress })).statusCode;

  const statuses = [];
  for (const end of [':1', ':2', 'a:b:c:d']) statuses.push(await call(`2001:db8:0:1:${end}`));
  statuses.push(await call('2001:db8:0:2::1'));
  for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1']) statuses.push(await call(address));

  expect(statuses).toEqual([200, 200, 429, 200, 200, 200, 429]);
});

test('credentials that were never seen are not even looked up for an address that is over the limit', async () => {
  await using app = await createTestApp({ settings });
  const [known, unknown] = [await makeKey(app), await makeKey(app)];
  const call = async (headers: Record<string, string>) =>
    (await app.rest('GET', '/server/status', { headers })).status;

  const statuses = [await call(bearer(known.key)), await call({}), await call({})];
  statuses.push(await call(bearer(unknown.key)), await call(bearer(known.key)), await call({}));

  expect(statuses).toEqual([200, 401, 401, 429, 200, 429]);
});

test('each subscription by an open WebSocket counts, by the key that its first message brought', async () => {
  await using app = await createTestApp({ settings });
  const { key } = await makeKey(app);
  const address = await app.server.listen({ port: 0 });
  const { socket } = await openWebSocket(address, bearer(key));
  const subscribe = async (id: string) => {
    socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: '{ mapNames }' } }));
    const [message] = await once(socket, 'message');
    return JSON.parse(String(message)).payload;
  };

  const codes = [];
  for (const id of ['a', 'b', 'c']) {
    const [{ extensions }] = await subscribe(id);
    codes.push(extensions.code);
  }
  socket.terminate();

  expect(codes).toEqual(['BAD_REQUEST', 'BAD_REQUEST', 'RATE_LIMITED']);
});

test('a subscription beyond those that a connection may have counts as well', async () => {
  await using app = await createTestApp({ settings: { RATE_LIMIT: '101/h' } });
  const { key } = await makeKey(app);
  const address = await app.server.listen({ port: 0 });
  const { socket } = await openWebSocket(address, bearer(key));
  const refused = async () => {
    const [message] = await once(socket, 'message');
    return JSON.parse(String(message)).payload[0].extensions.code;
  };
  const payload = { query: 'subscription { service(id: 1) { cursor } }' };
  const subscribe = (id: number) =>
    socket.send(JSON.stringify({ type: 'subscribe', id: String(id), payload }));

  for (let id = 0; id < 100; id++) subscribe(id);
  await expect.poll(() => app.gateway.changes.size).toBe(100);
  const codes = [];
  for (const id of [100, 101]) {
    subscribe(id);
    codes.push(await refused());
  }
  socket.terminate();

  expect(codes).toEqual(['LIMIT_EXCEEDED', 'RATE_LIMITED']);
});

test('what else is sent by a WebSocket counts too, but for the end of what counted already', async () => {
  await using app = await createTestApp({ settings: { RATE_LIMIT: '3/h' } });
  const { key } = await makeKey(app);
  const address = await app.server.listen({ port: 0 });
  // Both count for their address as they are opened.
  const unnamed = await openWebSocket(address, null);
  const { socket, closed } = await openWebSocket(address, bearer(key));
  const answers: string[] = [];
  socket.on('message', (message) => answers.push(JSON.parse(String(message)).type));
  const send = (...messages: object[]) => {
    for (const message of messages) socket.send(JSON.stringify(message));
  };

  const payload = { query: 'subscription { service(id: 1) { cursor } }' };
  for (const id of ['a', 'b']) send({ type: 'subscribe', id, payload }, { type: 'complete', id });
  send({ type: 'ping' });
  await expect.poll(() => answers).toEqual(['pong']);
  send({ type: 'ping' });
  for (let count = 0; count < 2; count++) unnamed.socket.send('{ "type": "ping" }');

  const tooMany = { code: 1013, reason: 'Too many calls: at most 3 in 3600 s are allowed.' };
  expect(await unnamed.closed).toEqual(tooMany);
  expect(await closed).toEqual(tooMany);
  expect(answers).toEqual(['pong']);
});

test('what comes by a WebSocket that is being closed is not looked at any more', async () => {
  await using app = await createTestApp({ settings: { RATE_LIMIT: '5/h' } });
  const { key } = await makeKey(app);
  const address = await app.server.listen({ port: 0 });
  const { socket, closed } = await openWebSocket(address, bearer(key));

  socket.send('{ "type": "connection_init" }');
  for (const id of ['a', 'b']) {
    socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: '{ mapNames }' } }));
  }

  expect(await closed).toMatchObject({ code: 4429 });
  const { headers } = await app.rest('GET', '/server/status', { headers: bearer(key) });
  expect(headers['ratelimit-remaining']).toBe('4');
});
