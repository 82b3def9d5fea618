import { expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bare, base85, defineExtensions } from './calls.js';

/** The request of the documentation of Associate Service, to the byte. */
const body = `{  
 "timestamp": "2009-05-12T12:05:12.145Z",
 "interaction_id": "123ABCAADFJ1259ACF",
 "media_type": 1,
 "resource_id": 5005,
 "resource_type": 2,
 "disposition": 10,
 "Feedback": 
  { 
          "FeedbackType":"survey",
          "rating":7,
          "notes":"warm welcome at frontdesk, thanks for the nice trip"
  },
 "Satisfaction": [
  {
          "rating":2,
          "pertinence":8,
          "useful":true,
          "place":"Terranova mexico resort"
  },
  {
          "rating":8,
          "pertinence":4,
          "useful":false,
          "place":"Fancy resort Paris"
  }
 ]
}`;

const records = {
  Feedback: {
    FeedbackType: 'survey',
    rating: 7,
    notes: 'warm welcome at frontdesk, thanks for the nice trip',
  },
  Satisfaction: [
    { rating: 2, pertinence: 8, useful: true, place: 'Terranova mexico resort' },
    { rating: 8, pertinence: 4, useful: false, place: 'Fancy resort Paris' },
  ],
};

test('on the bare path it answers 200 with nothing, and all of it is stored', async () => {
  await using app = await createTestApp({ now });
  await startService1500(app);
  await defineExtensions(app);

  const answer = await app.rest('POST', `${bare}/customers/0004Va58A92T0018/services/1500`, {
    rawBody: body,
  });

  expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"2"', 'content-length': '0' } });
  await expectStored(app, bare);
});

test('under 8.5 it needs no schemas', async () => {
  await using app = await createTestApp({ now });
  await startService1500(app);

  const answer = await app.rest('POST', `${base85}/customers/0004Va58A92T0018/services/1500`, {
    rawBody: body,
  });

  expect(answer).toMatchObject({ status: 200, text: '' });
  await expectStored(app, base85);
});

test('on the bare path without schemas it answers 400 naming both extensions, and changes nothing', async () => {
  await using app = await createTestApp({ now });
  await startService1500(app);
  const before = await app.hash();

  const answer = await app.rest('POST', `${bare}/customers/0004Va58A92T0018/services/1500`, {
    rawBody: body,
  });

  expect(answer.status).toBe(400);
  expect(answer.json.errors).toEqual([
    { path: 'Feedback', message: expect.stringContaining('extension'), allowed: [] },
    { path: 'Satisfaction', message: expect.stringContaining('extension'), allowed: [] },
  ]);
  expect(await app.hash()).toBe(before);
});

const startedAt = '2026-03-01T10:00:00.000Z';
const now = () => new Date(startedAt);

async function startService1500(app: TestApp): Promise<void> {
  await app.sql("select setval('service_id_seq', 1499)");
  const answer = await app.rest('POST', `${bare}/services/start`, {
    body: { contact_key: '408-832-7799', service_type: 100 },
  });
  expect(answer.text).toBe('{"service_id":1500}');
}

/** The association's time is no new start: the service goes on from where it was. */
async function expectStored(app: TestApp, basePath: string): Promise<void> {
  const { json } = await app.rest('GET', `${basePath}/services/1500?extensions=*`);
  expect(json).toEqual({
    service_id: 1500,
    service_type: 100,
    customer_id: '0004Va58A92T0018',
    contact_key: '408-832-7799',
    disposition: 10,
    started: {
      interaction_id: '123ABCAADFJ1259ACF',
      media_type: 1,
      resource_id: 5005,
      resource_type: 2,
      timestamp: startedAt,
    },
    ...records,
  });
  expect(
    await app.sql(
      'select version, kind, from_customer_id, to_customer_id, front, occurred_at from association order by 1',
    ),
  ).toEqual([
    {
      version: 1,
      kind: 'START',
      from_customer_id: null,
      to_customer_id: null,
      front: 'REST',
      occurred_at: now(),
    },
    {
      version: 2,
      kind: 'ASSOCIATE',
      from_customer_id: null,
      to_customer_id: '0004Va58A92T0018',
      front: 'REST',
      occurred_at: new Date('2009-05-12T12:05:12.145Z'),
    },
  ]);
}
