import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { startService } from './seeds.js';

const desk = 'https://desk.example.com';
let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ corsOrigins: [desk] });
});
afterAll(() => app[Symbol.asyncDispose]());

const foreign: [string, Record<string, string>][] = [
  ['a form of another site', { origin: 'https://evil.example', 'content-type': 'text/plain' }],
  ['a page that hides where it is from', { origin: 'null' }],
  ['a page of a neighbouring site', { origin: 'http://localhost:81', 'sec-fetch-site': 'same-site' }],
  ['a browser that says no origin', { 'sec-fetch-site': 'cross-site' }],
];

test.each(foreign)('%s changes nothing, on either front', async (_, headers) => {
  const id = await startService(app);
  const before = await app.hash();

  const rest = await app.rest('POST', `/customers/evil/services/${id}`, { headers, rawBody: '' });
  const graphql = await app.rest('POST', '/graphql', {
    headers: { ...headers, 'content-type': 'application/json' },
    body: { query: `mutation { completeService(input: { serviceId: "${id}" }) { __typename } }` },
  });

  expect(rest).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } });
  expect(graphql.status).toBe(403);
  expect(graphql.json.errors[0].extensions.code).toBe('FORBIDDEN');
  expect(await app.hash()).toBe(before);
});

const own: [string, Record<string, string>][] = [
  ['a program', {}],
  ['a page of the gateway itself', { origin: 'http://localhost:4000', host: 'localhost:4000' }],
  ['one behind a proxy', { origin: 'https://gateway.example.com', 'sec-fetch-site': 'same-origin' }],
  ['a page of an allowed origin', { origin: desk, 'sec-fetch-site': 'cross-site' }],
];

test.each(own)('%s may', async (_, headers) => {
  const id = await startService(app);

  const { status } = await app.rest('POST', `/customers/own/services/${id}`, { headers });

  expect(status).toBe(200);
});

test.each([
  'evil.example:4000',
  'localhost.evil.example',
  '192.0.2.1',
])('without credentials nothing is answered under the name %s', async (host) => {
  const id = await startService(app);

  const answers = [
    await app.rest('GET', `/services/${id}`, { headers: { host } }),
    await app.rest('GET', '/graphql?query={services{nodes{id}}}', { headers: { host } }),
  ];

  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
});

test.each([
  'localhost:99999',
  '[::1',
  'a b',
  'localhost/',
  'localhost#',
  'localhost:80, evil.example',
])('the host "%s", which can be none, is refused by both fronts', async (host) => {
  await using open = await createTestApp({ auth: { isOff: true } });
  const fault = { path: 'Host', message: 'must be a host and its port' };

  const rest = await open.rest('GET', '/services/1', { headers: { host } });
  const graphql = await open.rest('POST', '/graphql', {
    headers: { host },
    body: { query: '{ mapNames }', extensions: {} },
  });

  expect(rest).toMatchObject({ status: 400, json: { code: 'INVALID', errors: [fault] } });
  expect(graphql).toMatchObject({ status: 400, json: { errors: [{ extensions: { code: 'INVALID' } }] } });
  expect(graphql.json.errors[0].extensions.faults).toEqual([fault]);
});

test('where AUTH=none was said, any name will do', async () => {
  await using open = await createTestApp({ auth: { isOff: true } });
  const id = await startService(open);

  const { status } = await open.rest('GET', `/services/${id}`, { headers: { host: 'gateway.example.com' } });

  expect(status).toBe(200);
});

test('a page of an allowed origin may read what the answers say in their headers', async () => {
  const id = await startService(app);
  const ask = (origin: string) => app.rest('GET', `/services/${id}`, { headers: { origin } });

  const [allowed, other] = [await ask(desk), await ask('https://evil.example')];

  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': desk,
    'access-control-expose-headers': expect.stringContaining('ETag'),
  });
  expect(other.headers).not.toHaveProperty('access-control-allow-origin', 'https://evil.example');
});
