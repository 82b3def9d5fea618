import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';

test('a connection that nothing has come by yet holds up no stop', async () => {
  const app = await createTestApp();
  const port = await listen(app);
  const accepted = once(app.server.server, 'connection');
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await accepted;

  const stopping = app[Symbol.asyncDispose]();
  const first = await Promise.race([stopping.then(() => 'stopped'), sleep(5_000).then(() => 'held up')]);
  await stopping;
  socket.destroy();

  expect(first).toBe('stopped');
});

test('whoever goes by the probe finds out before nobody listens', async () => {
  const app = await createTestApp();
  const port = await listen(app);
  await get(port, '/ready');

  const stopping = app[Symbol.asyncDispose]();
  const probes: number[] = [];
  const calls: (number | undefined)[] = [];
  for (let status = await get(port, '/ready'); status; status = await get(port, '/ready')) {
    probes.push(status);
    // As a balancer does until it has found out.
    calls.push(await get(port, '/customers/c/services'));
    await sleep(100);
  }
  await stopping;

  // Where nobody goes by it, a third of a second is waited for callers.
  expect(probes.length).toBeGreaterThan(4);
  expect(new Set(probes)).toEqual(new Set([503]));
  expect(new Set(calls.slice(0, -1))).toEqual(new Set([200]));
});

async function listen({ server }: TestApp): Promise<number> {
  await server.listen({ port: 0 });
  return (server.server.address() as AddressInfo).port;
}

/** By a connection of its own; undefined where nobody listens. */
async function get(port: number, path: string): Promise<number | undefined> {
  const sent = request({ host: '127.0.0.1', port, path, agent: false }).end();
  try {
    const [response] = await once(sent, 'response');
    response.resume();
    return response.statusCode;
  } catch {
    return undefined;
  }
}
