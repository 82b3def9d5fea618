import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { openWebSocket } from '../streams.js';

const query = 'subscription ($id: ID!) { service(id: $id) { cursor service { extensions { value } } } }';

let app: TestApp;
let address: string;
let id: string;

beforeAll(async () => {
  app = await createTestApp();
  address = await app.server.listen({ port: 0 });
  const texts = Array.from({ length: 7 }, (_, index) => [`Note${index}`, { text: 'x'.repeat(30_000) }]);
  const body = { customer_id: 'c', ...Object.fromEntries(texts) };
  id = String((await app.rest('POST', '/genesys/1/cs/services/start', { body })).json.service_id);
});
afterAll(() => app[Symbol.asyncDispose]());

test('who takes nothing from a WebSocket is cut off, and can tell why', async () => {
  const connection = nextConnection();
  const { socket, closed } = await openWebSocket(address, {});
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query, variables: { id } } }));
  await expect.poll(() => app.gateway.changes.size).toBe(1);
  socket.pause();

  await changeUntilStuck(await connection);
  // Cut off after 10 seconds, it has 5 more to hear of it.
  await sleep(11_000);
  socket.resume();

  expect(await closed).toEqual({ code: 4420, reason: 'What is sent is taken too slowly.' });
  await expect.poll(() => app.gateway.changes.size).toBe(0);
}, 60_000);

test('who takes nothing from an event stream finds it broken off', async () => {
  const connection = nextConnection();
  const sent = request(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  sent.end(JSON.stringify({ query, variables: { id } }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.pause();

  await changeUntilStuck(await connection);
  await expect.poll(() => app.gateway.changes.size, { timeout: 40_000 }).toBe(0);
  const broken = once(response, 'error');
  response.resume();

  expect(await broken).toMatchObject([{ message: 'aborted' }]);
}, 60_000);

/** The gateway's end of it. */
async function nextConnection(): Promise<Socket> {
  const [socket] = await once(app.server.server, 'connection');
  return socket;
}

/** Until the buffers between the two ends are full, and more waits in the gateway's own. */
async function changeUntilStuck(socket: Socket): Promise<void> {
  for (let isStuck = false; !isStuck; ) {
    for (let count = 0; count < 10; count++) {
      const { status } = await app.rest('POST', `/customers/c/services/${id}`);
      expect(status).toBe(200);
    }
    const waiting = socket.writableLength;
    await sleep(250);
    isStuck = waiting > 0 && socket.writableLength === waiting;
  }
}
