import { createClient } from 'context-gateway/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../auth/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createExampleSchemas } from '../seeds.js';
import { type Desk, openDesk } from './example-desk.js';

// The client as a desktop uses it, over HTTP, with an agent's credentials.

const now = () => new Date('2026-03-01T09:30:00.000Z');
let app: TestApp;
let desk: Desk;
let headers: Record<string, string>;

beforeAll(async () => {
  app = await createTestApp({ now });
  await createExampleSchemas(app);
  const { key } = await makeKey(app, { role: 'WRITER', name: 'desk' });
  const url = `${await app.server.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
  headers = { authorization: `Bearer ${key}` };
  desk = openDesk(createClient({ url, token: key }), { id: 5005, name: 'Kim' });
});
afterAll(() => app[Symbol.asyncDispose]());

test('an unknown caller becomes a customer, whose open services come up with their tasks', async () => {
  const earlier = await app.rest('POST', '/services/start', {
    body: { customer_id: 'anna', service_type: 'claim' },
    headers,
  });
  await app.rest('POST', `/services/${earlier.json.service_id}/tasks/start`, {
    body: { task_type: 'ring back' },
    headers,
  });

  const begun = await desk.ring({ number: '+49 30 1', interactionId: 'call-1' });
  const rungAgain = await desk.ring({ number: '+49 30 1', interactionId: 'call-2' });
  const cards = await desk.identify('anna');

  const since = 'since 2026-03-01T09:30:00.000Z';
  expect(rungAgain).toEqual(begun);
  expect(cards).toEqual([
    {
      serviceId: `${earlier.json.service_id}`,
      headline: `claim ${since}: `,
      tasks: [`${earlier.json.service_id}:0 ring back`],
    },
    { serviceId: begun[0], headline: `call ${since}: Feedback`, tasks: [] },
  ]);
});

test('what an agent did shows in the history, also that it was taken back', async () => {
  const [serviceId = ''] = await desk.ring({ number: '+49 30 2', interactionId: 'call-3' });
  await desk.identify('berta');

  const owner = await desk.correct(serviceId);

  expect(owner).toBe('nobody known');
  expect(await desk.showHistory(serviceId)).toEqual([
    'START - ',
    'ASSOCIATE berta the caller said so',
    'UNDO - somebody else',
  ]);
});

test('of two agents who finish one task, one is told that the other was faster', async () => {
  const { json } = await app.rest('POST', '/services/start', {
    body: { customer_id: 'carl', service_type: 'claim' },
    headers,
  });
  const path = `/services/${json.service_id}/tasks/start`;
  await app.rest('POST', path, { body: { task_type: 'ring back' }, headers });

  const first = await desk.finishTask(`${json.service_id}:0`, 'reached');
  const second = await desk.finishTask(`${json.service_id}:0`, 'not reached');

  expect([first, second]).toEqual(['done in 0 ms', 'somebody else was faster']);
});
