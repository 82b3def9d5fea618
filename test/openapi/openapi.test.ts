import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../../src/rest/openapi/document.js';
import { legacyApi } from '../../src/rest/routes.js';
import { createTestApp, type TestApp } from '../harness.js';
import { start } from '../rest/calls.js';
import { AnswerCheck } from './answer-check.js';
import type { Document } from './document.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('the document is there for everybody, and asked for each time', async () => {
  await using closed = await createTestApp({ auth: { isReachable: true } });

  const first = await closed.rest('GET', '/openapi.json');
  const again = await closed.rest('GET', '/openapi.json', {
    headers: { 'if-none-match': String(first.headers['etag']) },
  });

  expect([first.status, again.status]).toEqual([200, 304]);
  expect(first.json).toEqual(openApiDocument(closed.gateway.version));
  expect(first.headers['cache-control']).toBe('no-cache');
});

test('the document takes GET alone', async () => {
  const { status, headers } = await app.rest('POST', '/openapi.json', { body: {} });

  expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
});

test.each([
  { PROFILE: 'production' },
  { INTROSPECTION: 'off' },
])('with %o there is no document', async (settings) => {
  await using silent = await createTestApp({ settings });

  expect((await silent.rest('GET', '/openapi.json')).status).toBe(404);
});

test('the page is one that loads nothing but the document, and is asked for each time', async () => {
  const first = await app.rest('GET', '/docs');
  const again = await app.rest('GET', '/docs', {
    headers: { 'if-none-match': String(first.headers['etag']) },
  });

  expect([first.status, again.status]).toEqual([200, 304]);
  for (const { headers } of [first, again]) {
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src ('sha256-[\w+/=]+' ?){2}; style-src 'sha256-[\w+/=]+'; img-src data:; connect-src 'self';/,
    );
  }
});

test.each([{ PROFILE: 'production' }, { GRAPHIQL: 'off' }])('with %o there is no page', async (settings) => {
  await using silent = await createTestApp({ settings });

  expect((await silent.rest('GET', '/docs')).status).toBe(404);
});

test('every path is there under the base paths that have it', () => {
  const { paths } = openApiDocument('0.0.0');
  const methodsOf = (path: string) => Object.keys(paths[path] ?? {}).sort();

  expect(methodsOf('/services/{service_id}')).toEqual(['get']);
  expect(methodsOf('/genesys/1/cs/services/{service_id}')).toEqual(['delete', 'get', 'put']);
  expect(methodsOf('/services/{service_id}/extensions/{name}/by/unique')).toEqual(['put']);
  expect(methodsOf('/genesys/1/cs/services/{service_id}/extensions/{name}/by/unique')).toEqual([]);
  expect(methodsOf('/services_composite/start')).toEqual([]);
});

test('a route without a description is named with where to add it', () => {
  const [[, , name, operation]] = legacyApi as [(typeof legacyApi)[number]];

  expect(() => openApiDocument('0.0.0', [...legacyApi, ['GET', '/new', name, operation]])).toThrow(
    /The route GET \/new has no description: add one under 'GET \/new' .* src\/rest\/openapi\//,
  );
});

test('every example is a body that is taken', () => {
  const document = openApiDocument('0.0.0') as unknown as Document;
  const check = new AnswerCheck(document);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const withExample = operations.filter(({ operation }) => exampleOf(operation) !== undefined);

  expect(withExample.length).toBeGreaterThan(40);
  for (const { path, method, operation } of withExample) {
    expect(check.faultsOfBody(path, method, JSON.stringify(exampleOf(operation)))).toEqual([]);
  }
});

function exampleOf(operation: Document['paths'][string][string]): unknown {
  return operation.requestBody?.content['application/json']?.example;
}

describe('an answer that is not as the document says fails the test', () => {
  test.each<[what: string, plant: (text: string) => string, says: RegExp]>([
    [
      'a member that is missing',
      (text) => text.replace('"started"', '"begun"'),
      /must have required property 'started'/,
    ],
    [
      'a value of another type',
      (text) => text.replace(/"service_id":\d+/, '"service_id":"1"'),
      /service_id must be integer/,
    ],
    ['no JSON', () => '{', /JSON/],
  ])('%s', async (_, plant, says) => {
    await using spoilt = await createTestApp();
    const path = `/services/${await start(spoilt, { customer_id: 'anna' })}`;
    await using planted = await createTestApp({ database: spoilt });
    planted.server.addHook('onSend', async (_request, _reply, payload) => plant(String(payload)));

    await expect(planted.rest('GET', path)).rejects.toThrow(says);
  });

  const service = { service_id: 1, started: { timestamp: '2026-03-01T06:00:00.000Z' } };
  const good = {
    method: 'GET',
    url: '/services/1',
    headers: {},
    body: undefined,
    answer: {
      status: 200,
      headers: { 'x-request-id': 'r', etag: '"1"', 'content-type': 'application/json; charset=utf-8' },
      text: JSON.stringify(service),
    },
  };

  const check = new AnswerCheck(openApiDocument('0.0.0'));

  test('and one that is does not', () => {
    expect(check.check(good)).toBe(true);
  });

  test.each<[what: string, answer: Partial<typeof good.answer>, says: string, call?: Partial<typeof good>]>([
    ['a status', { status: 202 }, 'getService has no answer 202'],
    [
      'a header that is missing',
      { headers: { ...good.answer.headers, etag: undefined } } as never,
      'the header etag is missing',
    ],
    [
      'a header that is surplus',
      { headers: { ...good.answer.headers, location: '/' } } as never,
      'the header location is not described',
    ],
    [
      'a type',
      { headers: { ...good.answer.headers, 'content-type': 'text/html' } },
      'the type text/html is not described',
    ],
    [
      'a surplus member',
      { text: JSON.stringify({ ...service, started: { ...service.started, by: 1 } }) },
      '/started must NOT have additional properties',
    ],
    ['a path', {}, 'the route has no description', { url: '/new' }],
    [
      'a body that is taken',
      { status: 200, headers: { ...good.answer.headers, 'content-type': '' }, text: '' },
      "must have required property 'mode'",
      { method: 'POST', url: '/server/mode', body: '{}' as never },
    ],
  ])('%s', (_, answer, says, call = {}) => {
    const exchange = { ...good, ...call, answer: { ...good.answer, ...answer } };

    expect(() => check.check(exchange)).toThrow(says);
  });
});
