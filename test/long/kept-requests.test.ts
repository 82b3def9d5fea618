import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { openWebSocket } from '../streams.js';

let app: TestApp;
let address: string;

beforeAll(async () => {
  app = await createTestApp();
  address = await app.server.listen({ port: 0 });
});
afterAll(() => app[Symbol.asyncDispose]());

test.each([
  ['server-sent events', openManyBySse],
  ['a WebSocket', openManyByWebSocket],
])('what came along with a subscription by %s is not kept for as long as it lasts', async (_, open) => {
  // As long as one can be, in all of its parts.
  const junk = 'x'.repeat(230_000);
  const query = `# ${junk}\nsubscription ($id: ID!) { service(id: $id) { cursor } }`;
  const asked = { query, variables: { id: '1', junk }, extensions: { junk } };
  const ends = [await open(10, asked)];
  const before = heldBytes();

  try {
    for (let count = 0; count < 2; count++) ends.push(await open(90, asked));
    // Less than any one of the parts; what is sent and read takes some room for a while.
    await expect.poll(() => heldBytes() - before).toBeLessThan(180 * junk.length * 0.6);
  } finally {
    for (const end of ends) end();
  }
  await expect.poll(() => app.gateway.changes.size).toBe(0);
});

const collectGarbage = () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
};

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Keeps nothing of what it sends. @returns what ends them all */
async function openManyBySse(count: number, asked: object): Promise<() => void> {
  const all: ClientRequest[] = [];
  for (const body = JSON.stringify(asked); all.length < count; ) {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const sent = request(`${address}/graphql`, { method: 'POST', headers });
    all.push(sent);
    sent.on('error', () => {});
    sent.end(body);
    const [response] = await once(sent, 'response');
    response.on('error', () => {}).resume();
  }
  return () => {
    for (const sent of all) sent.destroy();
  };
}

async function openManyByWebSocket(count: number, payload: { extensions: object }): Promise<() => void> {
  const { socket } = await openWebSocket(address, {});
  const others = app.gateway.changes.size;
  for (let id = 1; id <= count; id++) {
    socket.send(JSON.stringify({ type: 'subscribe', id: String(id), payload, more: payload.extensions }));
    await expect.poll(() => app.gateway.changes.size, { interval: 5 }).toBe(others + id);
  }
  return () => socket.terminate();
}
