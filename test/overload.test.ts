import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService } from './graphql/makers.js';
import { type Answer, createTestApp, type TestApp } from './harness.js';

let app: TestApp;
let serviceId: string;
const mostAtOnce = 256;

beforeAll(async () => {
  app = await createTestApp();
  serviceId = await startService(app, { customerId: 'anna' });
});
afterAll(() => app[Symbol.asyncDispose]());

test('what comes while more wait than can be served in time is refused, in the shape of its front, and changes nothing', async () => {
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [serviceId]);
  const call = () => app.rest('POST', `/customers/bert/services/${serviceId}`);

  const accepted: Answer[] = [];
  const waiting = Array.from({ length: mostAtOnce }, () => call().then((answer) => accepted.push(answer)));
  const refused = await Promise.all(Array.from({ length: 20 }, call));
  const { status, json } = await app.rest('POST', '/graphql', { body: { query: '{ __typename }' } });
  const answeredBefore = accepted.length;
  await client.query('rollback');
  await client.end();
  await Promise.all(waiting);

  expect(answeredBefore).toBe(0);
  for (const answer of refused) {
    expect(answer).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
    expect(answer.headers['retry-after']).toBe('1');
  }
  expect([status, json.errors[0].extensions.code]).toEqual([503, 'UNAVAILABLE']);
  expect(new Set(accepted.map((answer) => answer.status))).toEqual(new Set([200]));
  const [service] = await app.sql('select version from service where id = $1', [serviceId]);
  expect(service).toEqual({ version: 1 + mostAtOnce });
  expect(await call()).toMatchObject({ status: 200 });
  // So many refusals would fill the log.
  expect(app.log.filter(({ level }) => Number(level) >= 40).length).toBeLessThan(3);
});

test('whoever sends bodies slowly takes nobody’s place', async () => {
  const port = Number(new URL(await app.server.listen({ port: 0, host: '127.0.0.1' })).port);
  const head =
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
  const sockets = Array.from({ length: mostAtOnce + 44 }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(head, resolve))));
  await expect.poll(() => openCalls()).toBe(sockets.length);

  const { status } = await app.rest('GET', `/services/${serviceId}`);

  for (const socket of sockets) socket.destroy();
  expect(status).toBe(200);
});

/** How many connections the gateway has taken. */
function openCalls(): Promise<number> {
  return new Promise((resolve, reject) =>
    app.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
