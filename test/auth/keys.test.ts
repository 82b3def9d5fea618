import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeApiKey } from '../../src/domain/api-keys.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';
import { basic, bearer, makeKey, makeTenants } from './makers.js';

const startOfTime = Date.parse('2026-01-01T00:00:00Z');

/** An app whose clock stands still until it is told to go on. */
async function createTimedApp(): Promise<TestApp & { pass(milliseconds: number): void }> {
  let milliseconds = startOfTime;
  const app = await createTestApp({ now: () => new Date(milliseconds) });
  return {
    ...app,
    pass(more) {
      milliseconds += more;
    },
  };
}

/** Has a key, so that it asks for credentials; its clock stands still. */
let app: TestApp;
let pass: (milliseconds: number) => void;

beforeAll(async () => {
  const timed = await createTimedApp();
  app = timed;
  pass = timed.pass;
  await makeKey(app);
});
afterAll(() => app[Symbol.asyncDispose]());

const query = { query: '{ services { nodes { id } } }' };

function ask(at: TestApp, headers: Record<string, string> = {}) {
  return at.rest('GET', '/services/404', { headers });
}

test('on this machine everything is allowed until there is a key, and then within 5 s nothing without one', async () => {
  await using app = await createTimedApp();

  const open = await ask(app);
  const { key } = await makeKey(app);
  app.pass(5_000);
  const closed = await ask(app);
  const graphql = await app.rest('POST', '/graphql', { body: query });
  const withKey = await ask(app, bearer(key));

  expect([open.status, closed.status, graphql.status, withKey.status]).toEqual([404, 401, 401, 404]);
  expect(graphql.json).toEqual({
    errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }],
  });
});

test('a revoked key counts as one, so that revoking the last one opens nothing', async () => {
  await using app = await createTimedApp();
  const { id } = await makeKey(app);
  await revokeApiKey(app.gateway.database.admin, id, new Date());

  expect((await ask(app)).status).toBe(401);
  app.pass(60_000);
  expect((await ask(app)).status).toBe(401);
});

test('where others can reach it nothing is allowed without credentials, and with AUTH=none everything', async () => {
  await using reachable = await createTestApp({ auth: { isReachable: true } });
  await using off = await createTestApp({ auth: { isReachable: true, isOff: true }, database: reachable });
  await makeKey(reachable);

  expect((await ask(reachable)).status).toBe(401);
  expect((await ask(off)).status).toBe(404);
  expect((await ask(off, bearer('cgw_wrong'))).status).toBe(404);
});

test('a new key works at once, a revoked one for no longer than 5 s', async () => {
  const first = await makeKey(app);
  expect((await ask(app, bearer(first.key))).status).toBe(404);

  const second = await makeKey(app);
  const atOnce = await ask(app, bearer(second.key));
  await revokeApiKey(app.gateway.database.admin, second.id, new Date());
  pass(4_999);
  const stillKnown = await ask(app, bearer(second.key));
  pass(1);
  const forgotten = await ask(app, bearer(second.key));

  expect([atOnce.status, stillKnown.status, forgotten.status]).toEqual([404, 404, 401]);
  expect((await ask(app, bearer(first.key))).status).toBe(404);
});

test('a clock that is set back keeps no key alive', async () => {
  const { key, id } = await makeKey(app);
  await ask(app, bearer(key));
  await revokeApiKey(app.gateway.database.admin, id, new Date());

  pass(-3_600_000);

  expect((await ask(app, bearer(key))).status).toBe(401);
});

test.each([
  ['a user name', 'ivr'],
  ['none', ''],
])('a key is the password of Basic, with %s', async (_, user) => {
  const { key } = await makeKey(app);

  expect((await ask(app, basic(user, key))).status).toBe(404);
  expect((await ask(app, basic(user, `${key}x`))).status).toBe(401);
  expect((await ask(app, basic(key, ''))).status).toBe(401);
});

test('the scheme may be written in any case; what is no form of credentials is refused', async () => {
  const { key, id } = await makeKey(app);

  expect((await ask(app, { authorization: `bEARER  ${key} ` })).status).toBe(404);
  for (const authorization of [
    key,
    'Bearer',
    `Bearer ${key} x`,
    `Digest ${key}`,
    `Bearer ${id}`,
    'Basic %',
    'Bearer a.b.c',
  ]) {
    expect((await ask(app, { authorization })).status, authorization).toBe(401);
  }
});

test('credentials are asked for before the body is read; the page of GraphiQL is for everybody', async () => {
  await makeKey(app);

  const malformed = await app.rest('POST', '/services/start', { rawBody: '{' });
  const large = await app.rest('POST', '/graphql', { rawBody: 'x'.repeat(2 ** 21) });
  const page = await app.rest('GET', '/graphql', { headers: { accept: 'text/html' } });
  const byGet = await app.rest('GET', '/graphql?query={__typename}');

  expect([malformed.status, large.status, page.status, byGet.status]).toEqual([401, 401, 200, 401]);
});

test('a REST error has the body that all errors have', async () => {
  const { key } = await makeKey(app, { role: 'READER' });

  const { json: missing } = await ask(app);
  const { json: small } = await app.rest('POST', '/services/start', { body: {}, headers: bearer(key) });

  expect(missing).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'The call needs credentials and has none.',
    code: 'UNAUTHENTICATED',
    errors: [],
    message: 'The call needs credentials and has none.',
    exception: 'com.genesyslab.gsg.services.contextservices.exceptions.UnauthorizedException',
  });
  expect(small).toMatchObject({
    status: 403,
    code: 'FORBIDDEN',
    detail: 'startService takes the role writer, the credentials have reader.',
    exception: expect.stringMatching(/ForbiddenException$/),
  });
});

test('of several root fields none is done where the role is too small for one', async () => {
  const { key } = await makeKey(app, { role: 'WRITER' });
  const start = 'startService(input: { customerId: "part" }) { __typename }';
  const schema =
    'createExtensionSchema(input: { name: "Part", type: SINGLE_VALUED, attributes: [] }) { __typename }';
  const before = await app.hash();

  const answers = await Promise.all(
    [
      `mutation { ${start} ${schema} }`,
      `mutation { ${start} ...m } fragment m on Mutation { ${schema} }`,
    ].map((query) => app.rest('POST', '/graphql', { body: { query }, headers: bearer(key) })),
  );

  for (const { json } of answers) {
    expect(json.data).toBeNull();
    expect(json.errors[0].extensions.code).toBe('FORBIDDEN');
  }
  expect(await app.hash()).toBe(before);
});

test('history tells which key called', async () => {
  await makeTenants(app, 'acme');
  const { key, id } = await makeKey(app, { tenants: ['acme'], name: 'front desk' });
  const headers = bearer(key);

  await app.rest('POST', '/services/start', { body: { customer_id: 'c', service_type: 1 }, headers });

  expect(await app.sql("select principal from association where tenant = 'acme'")).toEqual([
    { principal: `key:${id} front desk` },
  ]);
});

test('credentials for several tenants need ContactCenterId; those for one may name it', async () => {
  await makeTenants(app, 'a', 'b', 'c');
  const one = bearer((await makeKey(app, { tenants: ['a'] })).key);
  const two = bearer((await makeKey(app, { tenants: ['a', 'b'] })).key);
  const all = bearer((await makeKey(app, { tenants: 'all' })).key);
  const status = async (headers: Record<string, string>) => (await ask(app, headers)).status;

  expect(await status(one)).toBe(404);
  expect(await status({ ...one, contactcenterid: 'a' })).toBe(404);
  expect(await status({ ...one, contactcenterid: 'b' })).toBe(400);
  expect(await status({ ...two, contactcenterid: 'b' })).toBe(404);
  expect(await status({ ...two, contactcenterid: 'c' })).toBe(400);
  expect(await status({ ...all, contactcenterid: 'c' })).toBe(404);
  expect(await status({ ...all, contactcenterid: 'd' })).toBe(400);
  for (const headers of [two, all]) {
    expect((await ask(app, headers)).json.errors).toEqual([
      { path: 'ContactCenterId', message: 'is required: the credentials allow several tenants' },
    ]);
    const graphql = await app.rest('POST', '/graphql', { body: query, headers });
    expect([graphql.status, graphql.json.errors[0].extensions.faults[0].path]).toEqual([
      400,
      'ContactCenterId',
    ]);
  }
});

test('without credentials ContactCenterId chooses the tenant, else it is the default one', async () => {
  await using app = await createTestApp();
  await makeTenants(app, 'acme');
  const id = await startService(app);

  expect((await app.rest('GET', `/services/${id}`)).status).toBe(200);
  expect((await app.rest('GET', `/services/${id}`, { headers: { contactcenterid: 'acme' } })).status).toBe(
    404,
  );
  expect((await app.rest('GET', `/services/${id}`, { headers: { contactcenterid: 'none' } })).status).toBe(
    400,
  );
});

test('a tenant that was just made is known within 5 s', async () => {
  const headers = { ...bearer((await makeKey(app, { tenants: 'all' })).key), contactcenterid: 'later' };
  expect((await ask(app, headers)).status).toBe(400);

  await makeTenants(app, 'later');
  pass(5_000);

  expect((await ask(app, headers)).status).toBe(404);
});

test('GroupId is text of 1 to 64 characters; what is wrong with both headers is told at once', async () => {
  const headers = bearer((await makeKey(app)).key);
  const unit = { ...headers, groupid: 'z%C3%BCrich' };
  const body = { customer_id: 'c', service_type: 1 };

  const { json } = await app.rest('POST', '/services/start', { body, headers: unit });
  const wrong = await ask(app, { ...headers, groupid: 'x'.repeat(65), contactcenterid: 'none' });
  const undecodable = await ask(app, { ...headers, groupid: '%E0%A4%A' });

  expect(await app.sql('select business_unit from service where id = $1', [json.service_id])).toEqual([
    { business_unit: 'zürich' },
  ]);
  expect(wrong.json.errors.map(({ path }: { path: string }) => path)).toEqual(['GroupId', 'ContactCenterId']);
  expect(undecodable.status).toBe(400);
});
