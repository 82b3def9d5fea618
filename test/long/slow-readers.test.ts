import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
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
  const body = { customer_id: 'c', Note: { text: 'x'.repeat(30_000) } };
  id = String((await app.rest('POST', '/genesys/1/cs/services/start', { body })).json.service_id);
});
afterAll(() => app[Symbol.asyncDispose]());

test('who takes nothing from a WebSocket is cut off, and can tell why', async () => {
  const { socket, closed } = await openWebSocket(address, {});
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query, variables: { id } } }));
  await expect.poll(() => app.gateway.changes.size).toBe(1);
  socket.pause();

  await changeMoreThanWaits();
  await sleep(12_000);
  socket.resume();

  expect(await closed).toEqual({ code: 4420, reason: 'What is sent is taken too slowly.' });
  await expect.poll(() => app.gateway.changes.size).toBe(0);
}, 60_000);

test('who takes nothing from an event stream finds it broken off', async () => {
  const sent = request(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  sent.end(JSON.stringify({ query, variables: { id } }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.pause();

  await changeMoreThanWaits();
  await expect.poll(() => app.gateway.changes.size, { timeout: 30_000 }).toBe(0);
  const broken = once(response, 'error');
  response.resume();

  expect(await broken).toMatchObject([{ message: 'aborted' }]);
}, 60_000);

/** Than fits into the buffers between two sockets. */
async function changeMoreThanWaits(): Promise<void> {
  for (let count = 0; count < 400; count++) {
    const { status } = await app.rest('POST', `/customers/c/services/${id}`);
    expect(status).toBe(200);
  }
}
