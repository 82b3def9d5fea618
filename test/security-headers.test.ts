import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type RestOptions, type TestApp } from './harness.js';

let app: TestApp;
let path: string;

beforeAll(async () => {
  app = await createTestApp({ corsOrigins: ['https://desk.example.com'] });
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: 'anna' } });
  path = `/services/${json.service_id}`;
});
afterAll(() => app[Symbol.asyncDispose]());

const json = { 'content-type': 'application/json' };

test.each<
  [what: string, status: number, method: 'GET' | 'POST' | 'PUT' | 'HEAD', url: string, options?: RestOptions]
>([
  ['a list', 200, 'GET', '/customers/anna/services'],
  ['the head of a list', 200, 'HEAD', '/customers/anna/services'],
  ['an export', 200, 'GET', '/genesys/1/cs/maintenance/services/stream?time_from=2020-01-01T00:00:00Z'],
  ['GraphQL', 200, 'POST', '/graphql', { body: { query: '{ mapNames }' } }],
  ['GraphQL that is known', 200, 'POST', '/graphql', { body: { query: '{ mapNames }' } }],
  ['GraphQL by GET', 200, 'GET', '/graphql?query={mapNames}'],
  ['no GraphQL', 400, 'POST', '/graphql', { rawBody: '{', headers: json }],
  ['a method that is not taken', 405, 'PUT', '/graphql'],
  ['a service that there is not', 404, 'GET', '/services/404'],
  ['a path that there is not', 404, 'GET', '/nothing'],
  ['a path that cannot be decoded', 400, 'GET', '/%E0%A4%A'],
  [
    'a body that is no JSON',
    415,
    'POST',
    '/services/start',
    { rawBody: 'a=b', headers: { 'content-type': 'text/plain' } },
  ],
  ['a page of another site', 403, 'POST', '/services/start', { headers: { origin: 'https://evil.example' } }],
])('%s says that it is for the caller alone, and no page', async (_, status, method, url, options) => {
  const answer = await app.rest(method, url, options);

  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
});

test('what has an ETag may be kept, and is asked for each time', async () => {
  const first = await app.rest('GET', path);
  const again = await app.rest('GET', path, { headers: { 'if-none-match': String(first.headers['etag']) } });

  expect([first.status, again.status]).toEqual([200, 304]);
  for (const { headers } of [first, again]) expect(headers['cache-control']).toBe('private, no-cache');
});

test('GraphiQL keeps its own policy, also when a browser’s copy is still right', async () => {
  const open = (headers: Record<string, string>) =>
    app.rest('GET', '/graphql', { headers: { accept: 'text/html', ...headers } });

  const first = await open({});
  const again = await open({ 'if-none-match': String(first.headers['etag']) });

  expect([first.status, again.status]).toEqual([200, 304]);
  for (const { headers } of [first, again]) {
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-security-policy': expect.stringContaining("script-src 'sha256-"),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  }
});

test.each([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
])('a browser is told that pages of allowed origins may send %s', async (method) => {
  const origin = 'https://desk.example.com';
  const headers = { origin, 'access-control-request-method': method };
  const answer = await app.rest('OPTIONS', path, { headers });

  expect([answer.status, answer.text]).toEqual([204, '']);
  expect(answer.headers['access-control-allow-origin']).toBe(origin);
  expect(String(answer.headers['access-control-allow-methods']).split(', ')).toContain(method);
});

test('a browser is told nothing of other origins', async () => {
  const { headers } = await app.rest('OPTIONS', path, {
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'PUT' },
  });

  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test.each([
  ['without what it asks about', 405, '/graphql', { origin: 'https://desk.example.com' }],
  ['without an origin', 405, '/graphql', { 'access-control-request-method': 'PUT' }],
  ['of a service', 405, '/services/1', {}],
  ['of a path that there is not', 404, '/nothing', {}],
])('OPTIONS %s is refused like any other method that is not taken', async (_, status, url, headers) => {
  const answer = await app.rest('OPTIONS', url, { headers });
  const other = await app.rest('PATCH', url, { headers: { origin: 'https://desk.example.com' } });

  expect([answer.status, answer.headers['allow']]).toEqual([status, other.headers['allow']]);
  expect(answer.json).toEqual(other.json);
});

test('what pages of other origins may read stays readable', async () => {
  const { headers } = await app.rest('GET', path, { headers: { origin: 'https://desk.example.com' } });

  expect(headers['access-control-allow-origin']).toBe('https://desk.example.com');
  expect(headers['access-control-expose-headers']).toContain('RateLimit-Remaining');
});
