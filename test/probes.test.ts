import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from './auth/makers.js';
import { createTestApp, type TestApp } from './harness.js';
import { createProxy, type DatabaseProxy } from './proxy.js';

const ready = { status: 'ready', checks: { database: 'ok', migrations: 'ok', process: 'ok' } };

let observer: TestApp;
let proxy: DatabaseProxy;
let app: TestApp;

beforeAll(async () => {
  observer = await createTestApp();
  proxy = await createProxy(observer.connectionString);
  app = await createTestApp({ database: proxy, settings: { RATE_LIMIT: '5/h' } });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await observer[Symbol.asyncDispose]();
});

test('a gateway that serves is alive and ready, and says what its server serves', async () => {
  const health = await app.rest('GET', '/health');
  const readiness = await app.rest('GET', '/ready');

  expect(health).toMatchObject({ status: 200, json: { status: 'ok' } });
  expect(readiness).toMatchObject({ status: 200, json: { ...ready, mode: 'production' } });
  expect(readiness.headers['cache-control']).toBe('no-store');
});

test('probes are answered to everybody, as often as they like, under whatever name', async () => {
  await makeKey(observer);
  const headers = { host: 'pod-17.internal:4000' };

  for (let count = 0; count < 20; count++) {
    expect((await app.rest('GET', '/health', { headers })).status).toBe(200);
    expect((await app.rest('GET', '/ready', { headers })).status).toBe(200);
  }

  const statuses = await Promise.all(Array.from({ length: 6 }, () => app.rest('GET', '/server/status')));
  expect(statuses.map(({ status }) => status)).toContain(429);
});

test('probes take HEAD, and say of other methods what they take', async () => {
  for (const path of ['/health', '/ready', '/metrics']) {
    const refused = await observer.rest('POST', path);
    expect(refused).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(refused.json.code).toBe('METHOD_NOT_ALLOWED');
  }
  for (const path of ['/health', '/ready']) {
    expect(await app.rest('HEAD', path)).toMatchObject({ status: 200, text: '' });
  }
});

test('to ask often costs the database nothing', async () => {
  const statements = await app.countStatements(() =>
    Promise.all(Array.from({ length: 50 }, () => app.rest('GET', '/ready'))),
  );
  const alive = await app.countStatements(() => app.rest('GET', '/health'));

  expect(statements).toBeLessThanOrEqual(1);
  expect(alive).toBe(0);
});

test('without its database a gateway is alive, not ready, and ready again when that is back', async () => {
  const told = async () => (await app.rest('GET', '/ready')).json;
  await expect.poll(told).toMatchObject(ready);
  const before = app.log.length;

  await proxy.cut();
  await expect.poll(told).toMatchObject({
    status: 'unready',
    checks: { database: 'unreachable', migrations: 'unknown' },
  });
  const { status } = await app.rest('GET', '/ready');
  const alive = await app.rest('GET', '/health');
  await proxy.restore();

  expect([status, alive.status]).toEqual([503, 200]);
  await expect.poll(told).toMatchObject(ready);
  const lines = app.log.slice(before).map(({ msg }) => String(msg));
  // Each is said once; a database that is slow to answer is away meanwhile.
  expect(lines.filter((line) => /ready/.test(line)).join()).toMatch(
    /^(,?the gateway is not ready,the gateway is ready again)+$/,
  );
});

test('a database that lacks a migration is not ready; one that has more of them is', async () => {
  await using other = await createTestApp();
  const level = async () => (await other.rest('GET', '/ready')).json.checks.migrations;
  const newest =
    "migration_name = (select max(migration_name) from _prisma_migrations where migration_name < '3')";

  await other.sql(
    "insert into _prisma_migrations (id, checksum, migration_name, finished_at) values ('x', 'x', '3000_newer', now())",
  );
  expect(await level()).toBe('ok');
  await other.sql(`update _prisma_migrations set rolled_back_at = now() where ${newest}`);
  await expect.poll(level).toBe('missing');

  expect((await other.rest('GET', '/ready')).status).toBe(503);
});

test('a gateway in maintenance is ready, and says so', async () => {
  await using other = await createTestApp();

  await other.rest('POST', '/server/mode', { body: { mode: 'maintenance' } });

  const { status, json } = await other.rest('GET', '/ready');
  expect([status, json.mode]).toEqual([200, 'maintenance']);
});

test('a gateway that stops is not ready from then on, while it still answers', async () => {
  const stopping = await createTestApp();
  const { server } = stopping;
  let answer: { status: number | undefined; text: string } | undefined;
  // What is in flight is finished, and new calls are still taken.
  server.addHook('preClose', async () => {
    answer = await get((server.server.address() as AddressInfo).port);
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  expect((await get((server.server.address() as AddressInfo).port)).status).toBe(200);

  await stopping[Symbol.asyncDispose]();

  expect(answer?.status).toBe(503);
  expect(JSON.parse(answer?.text ?? '')).toMatchObject({
    status: 'unready',
    checks: { process: 'stopping' },
  });
});

function get(port: number): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', path: '/ready', agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, text });
    });
    call.on('error', reject).end();
  });
}
