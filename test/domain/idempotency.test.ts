import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { createExtensionSchema, startService } from '../seeds.js';

let now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;
/** Another gateway on the same database. */
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  replica = await createTestApp({ now: () => now, database: app });
  await createExtensionSchema(app, 'Feedback', 'single-valued', [{ name: 'rating', type: 'integer' }]);
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('the same start four times at once over two gateways starts one service', async () => {
  const start = (gateway: TestApp) =>
    gateway.rest('POST', '/services/start', {
      body: { customer_id: 'once', service_type: 1, Feedback: { rating: 5 } },
      headers: { 'idempotency-key': 'start-once' },
    });

  const answers = await Promise.all([start(app), start(replica), start(app), start(replica)]);

  const started = await app.sql('select id from service where customer_id = $1', ['once']);
  expect(started).toHaveLength(1);
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([`{"service_id":${started[0]?.['id']}}`]));
  expect(new Set(answers.map(({ headers }) => headers['location'])).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(3);
});

test('the same associate four times at once counts one version', async () => {
  const id = await startService(app, { customer_id: 'before' });
  const associate = (gateway: TestApp) =>
    gateway.rest('POST', `/customers/after/services/${id}`, {
      body: { interaction_id: 'i', Feedback: { rating: 5 } },
      headers: { 'idempotency-key': 'associate-once' },
    });

  const answers = await Promise.all([associate(app), associate(replica), associate(app), associate(replica)]);

  expect(answers.map(({ status, headers }) => [status, headers['etag']])).toEqual(
    Array(4).fill([200, '"2"']),
  );
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(3);
  expect(await versionsOf(id)).toEqual([1, 2]);
});

test('a replay answers what came of the act, whatever happened to the service since', async () => {
  const id = await startService(app, { customer_id: 'a' });
  const first = await end(id, 'end-once');
  await app.rest('POST', `/customers/b/services/${id}`);

  const again = await end(id, 'end-once');

  expect(first).toMatchObject({ status: 200, headers: { etag: '"2"' } });
  expect(first.headers).not.toHaveProperty('idempotency-replayed');
  expect(again).toMatchObject({
    status: 200,
    text: '',
    headers: { etag: '"2"', 'idempotency-replayed': 'true' },
  });
  expect(await versionsOf(id)).toEqual([1, 2, 3]);
});

test('a start whose service is deleted by now starts no other one: 404', async () => {
  const call = { body: { customer_id: 'deleted' }, headers: { 'idempotency-key': 'start-deleted' } };
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', call);
  await app.rest('DELETE', `/genesys/1/cs/services/${json.service_id}`);

  const again = await app.rest('POST', '/genesys/1/cs/services/start', call);

  expect(again.status).toBe(404);
  expect(again.json.detail).toBe(`The call acted on service ${json.service_id}, which is gone.`);
  expect(await app.sql('select from service where customer_id = $1', ['deleted'])).toEqual([]);
});

test('GraphQL replays the call that came by REST, and shows the service as it now is', async () => {
  const id = await startService(app, { customer_id: 'a' });
  await app.rest('POST', `/customers/b/services/${id}`, {
    body: { media_type: 'voice', Feedback: { rating: 1 } },
    headers: { 'idempotency-key': 'both-fronts', 'x-reason': 'known' },
  });
  await app.rest('POST', `/customers/c/services/${id}`);

  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `mutation { associateService(input: { serviceId: "${id}", customerId: "b", mediaType: "voice", reason: "known",
        extensions: [{ schemaName: "Feedback", value: { rating: 1 } }], idempotencyKey: "both-fronts" }) {
          ... on AssociateServicePayload { replayed service { customerId version } association { version toCustomerId } } } }`,
    },
  });

  expect(json.data.associateService).toEqual({
    replayed: true,
    service: { customerId: 'c', version: 3 },
    association: { version: 2, toCustomerId: 'b' },
  });
});

test('the same members in another order are the same command', async () => {
  const id = await startService(app, { customer_id: 'a' });
  const send = (rawBody: string) =>
    app.rest('POST', `/genesys/1/cs/customers/b/services/${id}`, {
      rawBody,
      headers: { 'idempotency-key': 'order' },
    });
  await send('{"session_id":"s","Any":{"a":1,"b":[1,2]}}');

  const again = await send('{"Any":{"b":[1,2],"a":1},"session_id":"s"}');

  expect(again).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' } });
});

test.each([
  ['another field', { session_id: 'other', Feedback: { rating: 1 } }, {}],
  ['another extension', { session_id: 's', Feedback: { rating: 2 } }, {}],
  ['one field more', { session_id: 's', Feedback: { rating: 1 }, resource_id: 1 }, {}],
  ['a time', { session_id: 's', Feedback: { rating: 1 }, timestamp: '2026-03-01T09:00:00Z' }, {}],
  ['an If-Match', { session_id: 's', Feedback: { rating: 1 } }, { 'if-match': '"2"' }],
])('the key of one command with %s is 422, and changes nothing', async (name, body, headers) => {
  const id = await startService(app, { customer_id: 'a' });
  const key = { 'idempotency-key': `reused ${name}` };
  const path = `/customers/b/services/${id}`;
  await app.rest('POST', path, { body: { session_id: 's', Feedback: { rating: 1 } }, headers: key });
  const before = await app.hash();

  const { status, json } = await app.rest('POST', path, { body, headers: { ...key, ...headers } });

  expect(status).toBe(422);
  expect(json.code).toBe('IDEMPOTENCY_KEY_REUSED');
  expect(await app.hash()).toBe(before);
});

test('in GraphQL the key of another command is a Conflict', async () => {
  const start = (customer: string) =>
    app.rest('POST', '/graphql', {
      body: {
        query: `mutation { startService(input: { customerId: "${customer}", idempotencyKey: "graphql-reused" })
          { __typename ... on Error { code } } }`,
      },
    });
  await start('a');

  const { json } = await start('b');

  expect(json.data.startService).toEqual({ __typename: 'Conflict', code: 'IDEMPOTENCY_KEY_REUSED' });
});

test('a refusal leaves no key: the same key acts once the reason is mended', async () => {
  const id = await startService(app, { customer_id: 'a' });
  const send = (body: object, version: string) =>
    app.rest('POST', `/customers/b/services/${id}`, {
      body,
      headers: { 'idempotency-key': 'mended', 'if-match': version },
    });

  const refusals = [await send({ Feedback: { rating: 'x' } }, '"1"'), await send({}, '"9"')];
  const kept = await app.sql('select key from idempotency_key where key = $1', ['mended']);
  const mended = await send({}, '"1"');

  expect(refusals.map(({ status }) => status)).toEqual([400, 412]);
  expect(kept).toEqual([]);
  expect(mended.status).toBe(200);
  expect(mended.headers).not.toHaveProperty('idempotency-replayed');
});

test('a retry is answered with what was done, though the schemas would refuse it by now', async () => {
  const start = () =>
    app.rest('POST', '/genesys/1/cs/services/start', {
      body: { customer_id: 'c', Schemaless: 5 },
      headers: { 'idempotency-key': 'before the schema' },
    });
  const first = await start();
  await createExtensionSchema(app, 'Schemaless', 'single-valued', [{ name: 'n', type: 'integer' }]);

  const again = await start();

  expect(again).toMatchObject({ status: 201, text: first.text, headers: { 'idempotency-replayed': 'true' } });
});

test('a key is kept for 24 hours, then it can be used anew', async () => {
  const start = () =>
    app.rest('POST', '/services/start', {
      body: { customer_id: 'daily', service_type: 1 },
      headers: { 'idempotency-key': 'daily' },
    });
  const first = await start();

  now = new Date('2026-03-02T09:59:59.000Z');
  const withinADay = await start();
  now = new Date('2026-03-02T10:00:01.000Z');
  const dayAfter = await start();

  expect(withinADay.text).toBe(first.text);
  expect(dayAfter.text).not.toBe(first.text);
  expect(dayAfter.headers).not.toHaveProperty('idempotency-replayed');
});

test('a schema is created once for one key, and the name stays taken for others', async () => {
  const create = (key: string) =>
    app.rest('POST', '/metadata/services/extensions', {
      body: { name: 'Retried', type: 'single-valued', attributes: [{ name: 'n', type: 'integer' }] },
      headers: { 'idempotency-key': key },
    });

  const answers = [await create('schema-1'), await create('schema-1'), await create('schema-2')];

  expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
  expect(answers.map(({ headers }) => headers['idempotency-replayed'])).toEqual([
    undefined,
    'true',
    undefined,
  ]);
});

test('a schema can be created with a key that was used more than 24 hours ago', async () => {
  const create = (name: string) =>
    app.rest('POST', '/metadata/services/extensions', {
      body: { name, type: 'single-valued', attributes: [{ name: 'n', type: 'integer' }] },
      headers: { 'idempotency-key': 'schema-daily' },
    });
  await create('Yesterday');

  now = new Date(now.getTime() + 25 * 60 * 60 * 1000);
  const { status } = await create('Today');

  expect(status).toBe(201);
});

test.each(['', 'k'.repeat(256)])('a key of %j is refused by its name', async (key) => {
  const id = await startService(app);

  const { status, json } = await end(id, key);

  expect(status).toBe(400);
  expect(json.errors[0].path).toBe('Idempotency-Key');
});

function end(id: number, key: string) {
  return app.rest('POST', `/services/${id}/end`, { headers: { 'idempotency-key': key } });
}

async function versionsOf(id: number): Promise<number[]> {
  const events = await app.sql<{ version: number }>(
    'select version from event where service_id = $1 order by version',
    [id],
  );
  return events.map(({ version }) => version);
}
