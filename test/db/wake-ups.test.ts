import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { countListening, isListening } from '../streams.js';

let app: TestApp;
/** Another gateway on the same database. */
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  replica = await createTestApp({ database: app });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('a write on one gateway wakes those who listen on another, with the tenant', async () => {
  using ear = await listen(replica);

  await start();

  await expect.poll(() => ear.heard).toContain('default');
});

test('writes that come together wake nobody for each of them', async () => {
  using ear = await listen(replica);

  for (let round = 0; round < 40; round++) await Promise.all([start(), start(), start(), start(), start()]);
  await expect.poll(() => ear.heard.length).toBeGreaterThan(0);

  expect(ear.heard.length).toBeLessThan(150);
});

test('a read, and a write that is refused, wake nobody', async () => {
  using ear = await listen(replica);

  await app.rest('GET', '/customers/c/services');
  await app.rest('POST', '/customers/c/services/404404');
  const silent = [...ear.heard];
  await start();
  await expect.poll(() => ear.heard.length).toBeGreaterThan(0);

  expect(silent).toEqual([]);
  expect(ear.heard).toHaveLength(1);
});

test('a connection that breaks is made anew, and none is kept where nobody listens', async () => {
  const ear = await listen(replica);

  await app.sql(`select pg_terminate_backend(pid) from pg_stat_activity where ${isListening}`);
  // What is told between the connections is lost.
  await expect.poll(() => start().then(() => ear.heard)).toContain('default');
  ear[Symbol.dispose]();

  await expect.poll(() => countListening(app)).toBe(0);
});

test('who listens as soon as the last one left does not wait for it', async () => {
  let ear = await listen(replica);

  // Who waits for a pause waits twice as long each time, up to 10 s.
  for (let round = 0; round < 10; round++) {
    ear[Symbol.dispose]();
    ear = await listen(replica, { timeout: 8_000 });
  }

  ear[Symbol.dispose]();
}, 60_000);

/** From when on it hears, and has heard what was rung for before. */
async function listen({ gateway }: TestApp, patience = {}): Promise<Disposable & { heard: string[] }> {
  const heard: string[] = [];
  let hasBegun = false;
  const listening = gateway.database.wakeUps.listen((tenant) => {
    if (tenant === 'begin') hasBegun = true;
    else heard.push(tenant);
  });
  const ring = () => app.gateway.database.transaction('begin', async () => {});
  await expect.poll(() => ring().then(() => hasBegun), patience).toBe(true);
  heard.length = 0;
  return { heard, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}

async function start(): Promise<void> {
  const answer = await app.rest('POST', '/services/start', { body: { customer_id: 'c', service_type: 1 } });
  expect(answer.status).toBe(201);
}
