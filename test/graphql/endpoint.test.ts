import { expect, test } from 'vitest';
import { StartServiceDocument } from '../generated/graphql.js';
import { createTestApp } from '../harness.js';
import { startService } from './makers.js';

const start = 'mutation { startService(input: { customerId: "anna" }) { __typename } }';

test('a query is answered by GET too, with its variables', async () => {
  await using app = await createTestApp();
  const id = await startService(app, { customerId: 'anna' });
  const query = new URLSearchParams({
    query: 'query ($id: ID!) { service(id: $id) { id } }',
    variables: JSON.stringify({ id }),
  });

  const { status, json } = await app.rest('GET', `/graphql?${query}`);

  expect(status).toBe(200);
  expect(json).toEqual({ data: { service: { id } } });
});

test('variables by GET are as exact as those by POST', async () => {
  await using app = await createTestApp();
  const query = new URLSearchParams({ query: '{ __typename }', variables: '{"a":[9007199254740993]}' });

  const { status, json } = await app.rest('GET', `/graphql?${query}`);

  expect(status).toBe(400);
  expect(json.errors).toMatchObject([
    { extensions: { code: 'INVALID', faults: [{ path: 'variables.a[0]' }] } },
  ]);
});

test.each([
  'unknown',
  'known',
])('a mutation by GET is refused and changes nothing, its document %s', async (document) => {
  await using app = await createTestApp();
  if (document === 'known') await app.rest('POST', '/graphql', { body: { query: start } });
  const before = await app.hash();

  const { status, headers, json } = await app.rest('GET', `/graphql?query=${encodeURIComponent(start)}`);

  expect(status).toBe(405);
  expect(headers['allow']).toBe('POST');
  expect(json.errors).toHaveLength(1);
  expect(await app.hash()).toBe(before);
});

test.each([
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
])('a body of the type %s is refused and changes nothing', async (type) => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { status, json } = await app.rest('POST', '/graphql', {
    rawBody: type.startsWith('text')
      ? JSON.stringify({ query: start })
      : `query=${encodeURIComponent(start)}`,
    headers: { 'content-type': type },
  });

  expect(status).toBe(415);
  expect(json).toEqual({
    errors: [
      { message: 'The body must be application/json.', extensions: { code: 'UNSUPPORTED_MEDIA_TYPE' } },
    ],
  });
  expect(await app.hash()).toBe(before);
});

test.each([
  ['no JSON', '{"query":', 400, 'INVALID'],
  ['a list', JSON.stringify([{ query: start }]), 400, 'BAD_REQUEST'],
  ['a string', '"{ __typename }"', 400, 'BAD_REQUEST'],
  ['nothing', '', 400, 'BAD_REQUEST'],
  ['a query that is no string', '{"query":5}', 400, 'BAD_REQUEST'],
  ['variables that are no object', '{"query":"{ __typename }","variables":[]}', 400, 'BAD_REQUEST'],
  [
    'more than 1 MiB',
    JSON.stringify({ query: start, extensions: { a: 'x'.repeat(2 ** 20) } }),
    413,
    'TOO_LARGE',
  ],
])('a body that is %s is refused and changes nothing', async (_, rawBody, expectedStatus, code) => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { status, json } = await app.rest('POST', '/graphql', { rawBody });

  expect(status).toBe(expectedStatus);
  expect(json.errors).toMatchObject([{ message: expect.any(String), extensions: { code } }]);
  expect(await app.hash()).toBe(before);
});

test.each([
  'image/png',
  'application/problem+json',
  'application/json; charset=latin1',
])('a mutation whose answer may only be %s is refused before it changes anything', async (accept) => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { status, json } = await app.rest('POST', '/graphql', {
    headers: { accept },
    body: { query: start },
  });

  expect(status).toBe(406);
  expect(json.errors).toEqual([
    {
      message: 'Accept must allow application/json or application/graphql-response+json.',
      extensions: { code: 'NOT_ACCEPTABLE' },
    },
  ]);
  expect(await app.hash()).toBe(before);
});

test('what is wrong with a document is told with a code of GraphQL', async () => {
  await using app = await createTestApp();

  const unknown = await app.rest('POST', '/graphql', { body: { query: '{ nothing }' } });
  const broken = await app.rest('POST', '/graphql', { body: { query: '{' } });

  expect(unknown.json.errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  expect(broken.json.errors).toMatchObject([{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }]);
});

test.each([
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
] as const)('%s is refused with what is allowed', async (method) => {
  await using app = await createTestApp();

  const { status, headers, json } = await app.rest(method, '/graphql');

  expect(status).toBe(405);
  expect(headers['allow']).toBe('GET, POST');
  expect(json.errors).toHaveLength(1);
});

test('an unexpected error is masked, and logged once with the request’s id', async () => {
  await using app = await createTestApp();
  await app.sql('alter table service rename column session_id to secret_id');

  const { status, text, json } = await app.rest('POST', '/graphql', {
    body: { query: '{ services { nodes { id } } }' },
    headers: { 'x-request-id': 'request-7' },
  });

  expect(status).toBe(200);
  expect(json).toMatchObject({
    data: null,
    errors: [{ message: 'Unexpected error.', path: ['services'], extensions: { code: 'INTERNAL' } }],
  });
  expect(text).not.toMatch(/session_id|select|prisma|stack|\.ts/i);
  const logged = app.log.filter(({ level }) => level === 50);
  expect(logged).toMatchObject([
    { reqId: 'request-7', msg: 'unexpected error', err: { type: expect.any(String) } },
  ]);
});

test('an unexpected error in a write is masked alike', async () => {
  await using app = await createTestApp();
  await app.sql('drop table event');

  const { data, errors } = await app.graphql(StartServiceDocument, { input: { customerId: 'anna' } });

  expect(data).toBeNull();
  expect(errors).toMatchObject([{ message: 'Unexpected error.', extensions: { code: 'INTERNAL' } }]);
  expect(app.log.filter(({ level }) => level === 50)).toHaveLength(1);
});

/** Makes PostgreSQL fail with a code of its own. */
const failure = (sqlState: string) => `create function fail() returns trigger language plpgsql as
  $$ begin raise exception 'a secret of the server' using errcode = '${sqlState}'; end $$`;

test.each([
  ['UNAVAILABLE', '53300'],
  ['OUTCOME_UNKNOWN', '57P01'],
])('a write that the database does not take is 503 %s, with Retry-After', async (code, sqlState) => {
  await using app = await createTestApp();
  await app.sql(failure(sqlState));
  await app.sql('create trigger fail before insert on event for each row execute function fail()');
  const before = await app.hash();

  const { status, headers, text, json } = await app.rest('POST', '/graphql', { body: { query: start } });

  expect(status).toBe(503);
  expect(headers['retry-after']).toBe('1');
  expect(json.errors).toMatchObject([{ path: ['startService'], extensions: { code } }]);
  expect(json.errors[0].extensions).not.toHaveProperty('http');
  expect(text).not.toContain('secret');
  expect(await app.hash()).toBe(before);
});

test('a read while the database is away is 503 UNAVAILABLE, with Retry-After', async () => {
  await using app = await createTestApp();
  await app.sql('alter table service rename to hidden');
  await app.sql(failure('53300').replace('returns trigger', 'returns boolean'));
  await app.sql('create view service as select * from hidden where fail()');
  await app.sql("insert into hidden (tenant, started_at, updated_at) values ('default', now(), now())");

  const { status, headers, json } = await app.rest('POST', '/graphql', {
    body: { query: '{ services { nodes { id } } }' },
  });

  expect(status).toBe(503);
  expect(headers['retry-after']).toBe('1');
  expect(json.errors).toMatchObject([{ path: ['services'], extensions: { code: 'UNAVAILABLE' } }]);
});

test.each([
  ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
  ['text/html, application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
  ['application/json, application/graphql-response+json', 'application/json; charset=utf-8'],
  ['image/png', 'application/json; charset=utf-8'],
])('who accepts “%s” gets what is refused before GraphQL has it as %s', async (accept, type) => {
  await using app = await createTestApp();
  const { status, headers, json } = await app.rest('POST', '/graphql', { rawBody: '{', headers: { accept } });

  expect([status, headers['content-type']]).toEqual([400, type]);
  expect(json.errors).toMatchObject([{ extensions: { code: 'INVALID' } }]);
});
