import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('a service keeps the business unit that it was started for, and lists filter by it', async () => {
  const start = (unit: string) =>
    app.rest('POST', '/graphql', {
      body: {
        query: `mutation { startService(input: { customerId: "c", businessUnit: "${unit}" }) { __typename } }`,
      },
    });
  await start('north');
  await start('south');

  const rest = await app.rest('GET', '/customers/c/services?business_unit=north');
  const graphql = await app.rest('POST', '/graphql', {
    body: { query: '{ services(businessUnit: "north") { nodes { businessUnit } } }' },
  });

  expect(rest.json).toHaveLength(1);
  expect(graphql.json.data.services.nodes).toEqual([{ businessUnit: 'north' }]);
});

test('a business unit of 65 characters is refused', async () => {
  const { status, json } = await app.rest('GET', `/customers/c/services?business_unit=${'u'.repeat(65)}`);

  expect(status).toBe(400);
  expect(json.errors[0]).toMatchObject({
    path: 'business_unit',
    message: expect.stringMatching(/at most 64/),
  });
});
