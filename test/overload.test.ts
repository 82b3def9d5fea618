import { type AddressInfo, connect } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startService } from './graphql/makers.js';
import { type Answer, createTestApp, type TestApp } from './harness.js';
import { scrape } from './samples.js';

let app: TestApp;
let serviceId: string;
const mostAtOnce = 256;

// Where many were served just before, more are let in: each test has an app of its own.
beforeEach(async () => {
  app = await createTestApp();
  await app.server.listen({ port: 0, host: '127.0.0.1' });
  serviceId = await startService(app, { customerId: 'anna' });
});
afterEach(() => app[Symbol.asyncDispose]());

const associate = () => app.rest('POST', `/customers/bert/services/${serviceId}`);

test('what comes while more wait than can be served in time is refused, in the shape of its front, and changes nothing', async () => {
  const [before] = await app.sql<{ version: number }>(versionOf, [serviceId]);
  const { refused, graphql, answeredBefore, warnings, accepted } = await meetTheLimit();

  expect(answeredBefore).toBe(0);
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
    expect(answer.headers['retry-after']).toBe('1');
  }
  expect([graphql.status, graphql.json.errors[0].extensions.code]).toEqual([503, 'UNAVAILABLE']);
  // One waits for the other: where that takes long, the last of them have waited for too long.
  for (const { status } of accepted) expect([200, 503]).toContain(status);
  const served = accepted.filter(({ status }) => status === 200).length;
  expect(served).toBeGreaterThan(0);
  expect(await app.sql(versionOf, [serviceId])).toEqual([{ version: (before?.version ?? 0) + served }]);
  expect(await associate()).toMatchObject({ status: 200 });
  // So many refusals would fill the log.
  expect(warnings.length).toBeLessThan(3);
});

test('what is answered at once lets no more of those in that wait', async () => {
  const query = { body: { query: '{ __typename }' } };
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: mostAtOnce }, () => app.rest('POST', '/graphql', query)));
  }

  const { refused, accepted } = await meetTheLimit();

  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  expect(accepted.length).toBe(mostAtOnce);
});

test('a call whose caller has gone takes its place until it is done', async () => {
  let scene = await callAndLeave();
  // A call that has waited for the lock for 5 s gives it up, and its place.
  while (scene.milliseconds > 5_000) scene = await callAndLeave();

  expect(scene.status).toBe(503);
  expect(await statusOfRead()).toBe(200);
});

test('whoever sends bodies slowly takes nobody’s place', async () => {
  const { port } = app.server.server.address() as AddressInfo;
  const head =
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
  const sockets = Array.from({ length: mostAtOnce + 44 }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(head, resolve))));
  await expect.poll(openCalls).toBe(sockets.length);

  const status = await statusOfRead();

  for (const socket of sockets) socket.destroy();
  expect(status).toBe(200);
});

const versionOf = 'select version from service where id = $1';

/** As many calls as are let in, held up until twenty more have come and been answered. */
async function meetTheLimit() {
  const lock = await lockService();
  const logged = app.log.length;
  const accepted: Answer[] = [];
  const waiting = Array.from({ length: mostAtOnce }, () => associate().then((one) => accepted.push(one)));
  const refused = await Promise.all(Array.from({ length: 20 }, associate));
  const graphql = await app.rest('POST', '/graphql', { body: { query: '{ __typename }' } });
  const answeredBefore = accepted.length;
  const warnings = app.log.slice(logged).filter(({ level }) => Number(level) >= 40);
  await lock.release();
  await Promise.all(waiting);
  return { accepted, refused, graphql, answeredBefore, warnings };
}

/** As many calls as are let in, whose callers go before the calls are done. */
async function callAndLeave(): Promise<{ status: number; milliseconds: number }> {
  const { port } = app.server.server.address() as AddressInfo;
  const lock = await lockService();
  const calledAt = performance.now();
  const sockets = Array.from({ length: mostAtOnce }, () => connect(port, '127.0.0.1'));
  const call = `POST /customers/bert/services/${serviceId} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`;
  for (const socket of sockets) socket.write(call);
  await expect.poll(statusOfRead).toBe(503);

  for (const socket of sockets) socket.destroy();
  await expect.poll(openCalls).toBe(0);
  const status = await statusOfRead();
  const milliseconds = performance.now() - calledAt;
  await lock.release();
  await expect.poll(inFlight).toBe(0);
  return { status, milliseconds };
}

async function lockService(): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [serviceId]);
  return {
    async release() {
      await client.query('rollback');
      await client.end();
    },
  };
}

async function statusOfRead(): Promise<number> {
  return (await app.rest('GET', `/services/${serviceId}`)).status;
}

async function inFlight(): Promise<number> {
  return (await scrape(app)).sum('gateway_requests_in_flight');
}

/** How many connections the gateway has taken. */
function openCalls(): Promise<number> {
  return new Promise((resolve, reject) =>
    app.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
