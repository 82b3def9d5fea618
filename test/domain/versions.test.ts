import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const acts = [
  ['associate', (id: number) => `/customers/other/services/${id}`],
  ['end', (id: number) => `/services/${id}/end`],
  ['undo', (id: number) => `/services/${id}/associations/undo`],
] as const;

test.each(acts)('%s with a stale If-Match answers 412 and changes nothing', async (_, path) => {
  const id = await startService(app, { customer_id: 'first' });
  await app.rest('POST', `/customers/second/services/${id}`);
  const before = await app.hash();

  const { status, json } = await app.rest('POST', path(id), { headers: { 'if-match': '"1"' } });

  expect(status).toBe(412);
  expect(json).toMatchObject({ code: 'STALE_VERSION', detail: `Service ${id} has version 2, not 1.` });
  expect(await app.hash()).toBe(before);
});

test.each(acts)('%s with the version that there is acts, and answers the next one', async (_, path) => {
  const id = await startService(app, { customer_id: 'first' });
  const { headers } = await app.rest('POST', `/customers/second/services/${id}`);

  const answer = await app.rest('POST', path(id), { headers: { 'if-match': String(headers['etag']) } });

  expect(answer.status).toBe(200);
  expect(answer.headers['etag']).toBe('"3"');
});

test.each(['*', undefined])('If-Match %s asks for no version', async (ifMatch) => {
  const id = await startService(app);

  const headers: Record<string, string> = ifMatch ? { 'if-match': ifMatch } : {};
  const { status } = await app.rest('POST', `/customers/other/services/${id}`, { headers });

  expect(status).toBe(200);
});

test.each([
  'W/"1"',
  '"one"',
  '"99999999999"',
  '"one", "2"',
])('If-Match %j matches nothing that there is', async (ifMatch) => {
  const id = await startService(app);

  const headers = { 'if-match': ifMatch };
  const { status } = await app.rest('POST', `/customers/other/services/${id}`, { headers });

  expect(status).toBe(412);
});

test.each(['1', '"1", "2"', '"one', ''])('If-Match %j is refused by its name', async (ifMatch) => {
  const id = await startService(app);
  const before = await app.hash();

  const { status, json } = await app.rest('POST', `/customers/other/services/${id}`, {
    headers: { 'if-match': ifMatch },
  });

  expect(status).toBe(400);
  expect(json.errors).toEqual([
    { path: 'If-Match', message: 'must be one entity tag of ours, like "7", or *' },
  ]);
  expect(await app.hash()).toBe(before);
});

test('If-None-Match with the version that there is answers 304 without a body', async () => {
  const id = await startService(app);
  const ask = (tag: string) => app.rest('GET', `/services/${id}`, { headers: { 'if-none-match': tag } });

  const answers = [
    await ask('"1"'),
    await ask('W/"1"'),
    await ask('"9", "1"'),
    await ask('*'),
    await ask('"2"'),
  ];

  expect(answers.map(({ status }) => status)).toEqual([304, 304, 304, 304, 200]);
  expect(answers[0]).toMatchObject({ text: '', headers: { etag: '"1"' } });
});

test('of 20 callers that expect one version, one acts and the others learn the version there is', async () => {
  const id = await startService(app, { customer_id: 'start' });
  const mutation = (customer: number) =>
    `mutation { associateService(input: { serviceId: "${id}", customerId: "c-${customer}", expectedVersion: 1 })
      { __typename ... on Conflict { code currentVersion } } }`;

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, customer) =>
      app.rest('POST', '/graphql', { body: { query: mutation(customer) } }),
    ),
  );

  const results = answers.map(({ json }) => json.data.associateService);
  const stale = { __typename: 'Conflict', code: 'STALE_VERSION', currentVersion: 2 };
  expect(results.filter(({ __typename }) => __typename === 'AssociateServicePayload')).toHaveLength(1);
  expect(results.filter(({ __typename }) => __typename === 'Conflict')).toEqual(Array(19).fill(stale));
});
