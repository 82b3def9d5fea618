import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnswerBudget } from '../../src/domain/answer-budget.js';
import { readServices } from '../../src/domain/service-reads.js';
import { Prisma } from '../../src/generated/prisma/client.js';
import { createTestApp, type TestApp } from '../harness.js';

let app: TestApp;
let id: number;

const event = {
  session_id: 's',
  interaction_id: 'i',
  application_type: 'app',
  application_id: 9_007_199_254_740_991,
  resource_type: 3,
  resource_id: -1,
  media_type: 'voice',
};

/** One service that has something in every column, one that has next to nothing. */
beforeAll(async () => {
  app = await createTestApp();
  const post = (path: string, body: object) => app.rest('POST', `/genesys/1/cs${path}`, { body });
  const start = { ...event, customer_id: 'anna', contact_key: '5550', service_type: 7, est_duration: 60 };
  const headers = { groupid: 'unit' };
  const body = { ...start, auto_complete_after: 86_400, Note: { deep: [1, 'ä', null] }, Other: 'text' };
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', { headers, body });
  id = json.service_id;
  await post(`/services/${id}/states/start`, { ...event, state_type: 1, est_duration: 5, Kept: [1.5e300] });
  await post(`/services/${id}/states/transition`, {
    ...event,
    from: { state_id: 0, disposition: 2, disposition_desc: 'done' },
    to: { state_type: 'next' },
  });
  await post(`/services/${id}/tasks/start`, { ...event, task_type: 'call', state_id: 1 });
  await post(`/services/${id}/tasks/0/end`, { ...event, disposition: 'x' });
  await app.rest('POST', `/customers/bert/services/${id}`, {
    headers: { 'x-reason': 'why', 'x-actor': 'who' },
  });
  await post(`/services/${id}/end`, { ...event, disposition: 4, disposition_desc: 'over' });
  await post('/services/start', { contact_key: '5551', timestamp: '0001-02-03T04:05:06.007Z' });
});
afterAll(() => app[Symbol.asyncDispose]());

test('services are read with all that hangs on them as Prisma itself reads them', async () => {
  const db = app.gateway.database.forTenant('default');
  const newestFirst = {
    where: { version: { gt: 0, lt: 99 } },
    orderBy: { version: 'desc' },
    take: 1,
  } as const;
  const expected = await db.prisma.service.findMany({
    where: { tenant: 'default' },
    orderBy: { id: 'asc' },
    include: {
      extensions: { orderBy: { nameKey: 'asc' } },
      states: { orderBy: { id: 'asc' } },
      tasks: true,
      associations: newestFirst,
    },
  });

  const read = await readServices(
    db,
    new AnswerBudget(),
    { where: Prisma.sql`true`, orderBy: Prisma.sql`s.id` },
    {
      extensions: [{ scope: 'SERVICE' }, { scope: 'STATE' }, { scope: 'TASK' }],
      states: {},
      tasks: {},
      associations: newestFirst,
    },
  );

  expect(read).toStrictEqual(expected);
  const [full] = read;
  const empty = Object.entries(full ?? {}).filter(([, value]) => value === null);
  expect(empty.map(([name]) => name)).toEqual(['autoCompleteAt']);
  expect(full).toMatchObject({ id: BigInt(id), states: [{ id: 0 }, { id: 1 }], tasks: [{ id: 0 }] });
  expect(full?.extensions).toHaveLength(3);
});

test('what a write answers is the service as Prisma reads it', async () => {
  const body = {
    query: `mutation { updateService(input: { serviceId: "${id}", estDuration: 61 }) {
    ... on UpdateServicePayload { service { id version customerId estDuration expiresAt updatedAt completed { timestamp } } } } }`,
  };

  const written = await app.rest('POST', '/graphql', { body });
  const read = await app.rest('POST', '/graphql', {
    body: {
      query: `{ service(id: "${id}") { id version customerId estDuration expiresAt updatedAt completed { timestamp } } }`,
    },
  });

  expect(written.json.data.updateService.service).toEqual(read.json.data.service);
  expect(read.json.data.service).toMatchObject({ customerId: 'bert', estDuration: 61 });
});
