import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { createExtensionSchema, startService } from '../seeds.js';

let app: TestApp;
/** A replica: another gateway on the same database, with a memory of its own. */
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  replica = await createTestApp({ database: app });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('a replica takes an extension whose schema another one has just defined', async () => {
  const id = await startService(replica);

  await createExtensionSchema(app, 'Fresh', 'single-valued', [{ name: 'n', type: 'integer' }]);
  const { status } = await replica.rest('POST', `/customers/c/services/${id}`, { body: { Fresh: { n: 1 } } });

  expect(status).toBe(200);
});

test('a replica with an outdated registry never accepts what a committed schema refuses', async () => {
  const id = await startService(replica);
  const attach = () =>
    replica.rest('POST', `/genesys/1/cs/customers/c/services/${id}`, { body: { Late: 'attached data' } });
  await attach();

  await createExtensionSchema(app, 'Late', 'single-valued', [{ name: 'n', type: 'integer' }]);
  const before = await app.hash();
  const { status, json } = await attach();

  expect(status).toBe(400);
  expect(json.errors).toEqual([{ path: 'Late', message: expect.stringMatching(/must be an object/) }]);
  expect(await app.hash()).toBe(before);
});

test('nor does it on a start', async () => {
  const start = () =>
    replica.rest('POST', '/genesys/1/cs/services/start', {
      body: { customer_id: 'c', LateStart: 'attached' },
    });
  await start();

  await createExtensionSchema(app, 'LateStart', 'single-valued', [{ name: 'n', type: 'integer' }]);
  const before = await app.hash();
  const { status } = await start();

  expect(status).toBe(400);
  expect(await app.hash()).toBe(before);
});

test('of several replicas that define one schema at once, one succeeds', async () => {
  const body = { name: 'Once', type: 'single-valued', attributes: [{ name: 'n', type: 'integer' }] };

  const answers = await Promise.all(
    [app, replica, app, replica].map((gateway) =>
      gateway.rest('POST', '/metadata/services/extensions', { body }),
    ),
  );

  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
});
