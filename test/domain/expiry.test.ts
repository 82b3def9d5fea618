import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineAttribute, mapField } from '../graphql/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

const base85 = '/genesys/1/cs';
const now = new Date('2026-03-01T10:00:00.000Z');
const day = 24 * 60 * 60;
let app: TestApp;

beforeAll(async () => {
  const secondsByType = new Map([
    ['claim', 10 * day],
    ['7', 30 * day],
  ]);
  app = await createTestApp({ now: () => now, retention: { secondsByType } });
});
afterAll(() => app[Symbol.asyncDispose]());

test('a service is kept as long as it says, else as long as its type, else for 5 years, counted from the server’s clock', async () => {
  const started = { customer_id: 'c', timestamp: '2026-02-01T00:00:00Z' };

  const kept = [
    await startService(app, started),
    await startService(app, { ...started, service_type: 'claim' }),
    await startService(app, { ...started, service_type: 7 }),
    await startService(app, { ...started, service_type: 'claim', ttl: 60 }),
    await startService(app, { ...started, expiration_time: '2026-03-02T00:00:00+02:00' }),
    await startService(app, { ...started, ttl: 60, expiration_time: '2027-01-01T00:00:00Z' }),
    await startService(app, { ...started, ttl: 60, expiration_time: '2001-01-01T00:00:00Z' }),
    await startService(app, { ...started, ttl: null }),
    await startService(app, { ...started, ttl: null, expiration_time: '2001-01-01T00:00:00Z' }),
    await startService(app, { ...started, ttl: null, expiration_time: '2027-01-01T00:00:00Z' }),
  ];

  expect(await Promise.all(kept.map(expiryOf))).toEqual([
    after(5 * 365 * day),
    after(10 * day),
    after(30 * day),
    after(60),
    '2026-03-01T22:00:00.000Z',
    after(60),
    after(60),
    null,
    null,
    null,
  ]);
});

test('the expiry of a mapped type goes by its name as well as by its dbid', async () => {
  const secondsByType = new Map([['loan', day]]);
  await using own = await createTestApp({ now: () => now, retention: { secondsByType } });
  await defineAttribute(own, { name: 'Types', values: [{ dbid: 9, name: 'loan' }] });
  await mapField(own, 'SERVICE_TYPE', 'Types');

  const id = await startService(own, { customer_id: 'c', service_type: 9 });

  const [row] = await own.sql<{ at: Date }>('select expires_at as at from service where id = $1', [id]);
  expect(row?.at.toISOString()).toBe(after(day));
});

test('an end, an association and an update of its own can say it anew; other acts leave it', async () => {
  const id = await startService(app, { customer_id: 'c', ttl: 60 });
  const put = (body: object) => app.rest('PUT', `${base85}/services/${id}`, { body });

  await app.rest('POST', `${base85}/customers/c2/services/${id}`, { body: { service_type: 'claim' } });
  expect(await expiryOf(id)).toBe(after(60));
  await app.rest('POST', `${base85}/customers/c2/services/${id}`, { body: { ttl: 120 } });
  expect(await expiryOf(id)).toBe(after(120));
  await app.rest('POST', `${base85}/services/${id}/end`, {
    body: { expiration_time: '2026-04-01T00:00:00Z' },
  });
  expect(await expiryOf(id)).toBe('2026-04-01T00:00:00.000Z');
  const answer = await put({ ttl: 5, expiration_time: '2027-01-01T00:00:00Z' });
  expect([answer.status, answer.text, answer.headers['etag']]).toEqual([200, '', '"5"']);
  expect(await expiryOf(id)).toBe(after(5));
  await put({ ttl: 60, expiration_time: '2001-01-01T00:00:00Z' });
  expect(await expiryOf(id)).toBe(after(60));
  await put({ expiration_time: null });
  expect(await expiryOf(id)).toBeNull();
});

test('GraphQL sets and shows the same', async () => {
  const id = await startService(app, { customer_id: 'c' });
  const mutate = async (input: string) => {
    const query = `mutation { setServiceExpiry(input: { serviceId: ${id}, ${input} }) {
      ... on SetServiceExpiryPayload { service { version expiresAt autoCompleteAfter autoCompleteAt } }
      ... on Invalid { faults { path } } } }`;
    return (await app.rest('POST', '/graphql', { body: { query } })).json.data.setServiceExpiry;
  };

  expect(await mutate('ttl: 60')).toEqual({
    service: { version: 2, expiresAt: after(60), autoCompleteAfter: null, autoCompleteAt: null },
  });
  expect(await mutate('ttl: 0, expirationTime: "2020-01-01T00:00:00Z"')).toEqual({
    faults: [{ path: 'ttl' }, { path: 'expirationTime' }],
  });
  expect(await mutate('expectedVersion: 2')).toEqual({ faults: [{ path: 'ttl' }] });
});

test('what is wrong with an expiry is told, and under the bare paths there is none', async () => {
  const id = await startService(app);
  const before = await app.hash();
  const refused = async (method: 'POST' | 'PUT', url: string, body: object) => {
    const { status, json } = await app.rest(method, url, { body });
    return [status, ...(json.errors ?? []).map(({ path }: { path: string }) => path)];
  };

  expect(
    await refused('POST', `${base85}/services/start`, {
      customer_id: 'c',
      ttl: '60',
      expiration_time: '2026-03-01T10:00:00Z',
      auto_complete_after: -1,
    }),
  ).toEqual([400, 'auto_complete_after', 'ttl', 'expiration_time']);
  expect(await refused('PUT', `${base85}/services/${id}`, {})).toEqual([400, 'ttl']);
  expect(await refused('PUT', `${base85}/services/${id}`, { ttl: 1, Note: 1 })).toEqual([400, 'Note']);
  expect(await refused('PUT', `${base85}/services/${id}`, { ttl: 3_153_600_001 })).toEqual([400, 'ttl']);
  expect(await refused('PUT', `${base85}/services/404404`, { ttl: 1 })).toEqual([404]);
  expect(await refused('PUT', `/services/${id}`, { ttl: 1 })).toEqual([404]);
  expect(await refused('POST', '/services/start', { customer_id: 'c', service_type: 1, ttl: 1 })).toEqual([
    400,
    'ttl',
  ]);
  expect(await app.hash()).toBe(before);
});

test('every change puts the completion of an idle service off, its end takes it away', async () => {
  let time = now;
  await using own = await createTestApp({ now: () => time, retention: { autoCompleteSeconds: 3_600 } });
  const at = async (id: number) => {
    const [row] = await own.sql<{ at: Date | null }>(
      'select auto_complete_at as at from service where id = $1',
      [id],
    );
    return row?.at?.toISOString() ?? null;
  };
  const usual = await startService(own, { customer_id: 'c' });
  const own60 = await startService(own, { customer_id: 'c', auto_complete_after: 60 });
  const never = await startService(own, { customer_id: 'c', auto_complete_after: null });

  expect([await at(usual), await at(own60), await at(never)]).toEqual([after(3_600), after(60), null]);
  time = new Date(now.getTime() + 30_000);
  await own.rest('POST', `${base85}/services/${own60}/tasks/start`, { body: {} });
  expect(await at(own60)).toBe(after(90));
  await own.rest('POST', `${base85}/customers/c/services/${own60}`, { body: { auto_complete_after: 10 } });
  expect(await at(own60)).toBe(after(40));
  await own.rest('POST', `${base85}/services/${own60}/end`);
  await own.rest('POST', `${base85}/customers/c2/services/${own60}`);
  expect(await at(own60)).toBeNull();
});

test.each([
  { ttl: 60 },
  { expiration_time: '2026-03-01T10:00:01Z' },
])('a retry of a start with %j is the same call, whenever it comes', async (expiry) => {
  let time = now;
  await using own = await createTestApp({ now: () => time });
  const send = () =>
    own.rest('POST', `${base85}/services/start`, {
      body: { customer_id: 'c', ...expiry },
      headers: { 'idempotency-key': 'k' },
    });
  const first = await send();
  time = new Date(now.getTime() + 5_000);

  const again = await send();

  expect([again.status, again.json]).toEqual([201, first.json]);
});

test('a retry of a start whose service is gone by now is told so, by a member of the union', async () => {
  const query = `mutation { startService(input: { customerId: "c", idempotencyKey: "gone" }) {
    ... on StartServicePayload { service { id } } ... on Error { code } } }`;
  const send = async () => (await app.rest('POST', '/graphql', { body: { query } })).json.data.startService;
  const { service } = await send();
  await app.rest('DELETE', `${base85}/services/${service.id}`);

  expect(await send()).toEqual({ code: 'NOT_FOUND' });
});

function after(seconds: number): string {
  return new Date(now.getTime() + seconds * 1_000).toISOString();
}

async function expiryOf(id: number): Promise<string | null> {
  const { json } = await app.rest('POST', '/graphql', {
    body: { query: `{ service(id: ${id}) { expiresAt } }` },
  });
  return json.data.service.expiresAt;
}
