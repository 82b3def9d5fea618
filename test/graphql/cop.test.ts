import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, createTestApp, type TestApp } from '../harness.js';
import { ask } from './ways.js';

// What graphql-cop looks for, each with what it sends.

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ settings: { PROFILE: 'production' } });
});
afterAll(() => app[Symbol.asyncDispose]());

function expectRefused({ status, json }: Answer, expected: number): void {
  expect(status).toBe(expected);
  expect(json).toEqual({ errors: [expect.objectContaining({ message: expect.any(String) })] });
}

test.each([
  ['{ __schema { directive } }'],
  ['{ servces { nodes { id } } }'],
  ['{ services(statu: ACTIVE) { nodes { id } } }'],
  ['{ services(status: ACTIV) { nodes { id } } }'],
  ['{ services { ... on ServiceConnecton { nodes { id } } } }'],
  ['mutation { startService(input: { custmerId: "anna" }) { __typename } }'],
])('field suggestions: %s is not told what else there is', async (query) => {
  const { text, json } = await ask(app, { query });

  expect(json.errors.length).toBeGreaterThan(0);
  expect(text).not.toMatch(/did you mean/i);
});

test('field suggestions: neither are variables, whichever way they go', async () => {
  const query = 'query ($status: Status) { services(status: $status) { nodes { id } } }';

  const answers = [];
  for (const status of ['ACTIVE', 'ACTIV', 'ACTIV'])
    answers.push(await ask(app, { query, variables: { status } }));

  expect(answers.map(({ json }) => 'errors' in json)).toEqual([false, true, true]);
  for (const { text } of answers) expect(text).not.toMatch(/did you mean/i);
});

test('introspection is off', async () => {
  const schema = await ask(app, { query: 'query cop { __schema { types { name fields { name } } } }' });
  const type = await ask(app, {
    query: '{ __type(name: "Query") { name ...A } } fragment A on __Type { fields { name } }',
  });

  expect(schema.json).toEqual({
    errors: [expect.objectContaining({ message: 'Introspection is off: __schema cannot be asked for.' })],
  });
  expect(type.json).toEqual({
    errors: [expect.objectContaining({ message: 'Introspection is off: fields cannot be asked for.' })],
  });
});

test('of a type it is told no more than a refused document tells: whether there is one of the name', async () => {
  const { json } = await ask(app, {
    query: '{ a: __type(name: "Query") { name __typename } b: __type(name: "Nothing") { name } }',
  });

  expect(json).toEqual({ data: { a: { name: 'Query', __typename: '__Type' }, b: null } });
});

test.each([
  'kind',
  'description',
  'possibleTypes { name }',
  'enumValues { name }',
  'inputFields { name }',
])('of a type %s is not told', async (field) => {
  const { json } = await ask(app, { query: `{ __type(name: "Query") { ${field} } }` });

  expect(json.data).toBeUndefined();
  expect(json.errors[0].message).toMatch(/^Introspection is off/);
});

test.each([
  '/graphiql',
  '/playground',
  '/console',
  '/graphql',
])('GraphiQL: there is no page at %s', async (url) => {
  for (const accept of ['text/html', '*/*']) {
    const { status, text } = await app.rest('GET', url, { headers: { accept } });

    expect(status).toBe(url === '/graphql' ? 405 : 404);
    expect(text).not.toMatch(/<html|GraphiQL|playground/i);
  }
});

test.each([
  ['queries', 'query cop { __typename }'],
  ['mutations', 'mutation cop { __typename }'],
])('%s by GET are refused', async (_, query) => {
  for (const method of ['GET', 'HEAD'] as const) {
    const { status, headers } = await app.rest(method, `/graphql?query=${encodeURIComponent(query)}`);

    expect([status, headers['allow']]).toEqual([405, 'POST']);
  }
});

test('a form is refused', async () => {
  const answer = await app.rest('POST', '/graphql', {
    rawBody: 'query=query+cop+%7B+__typename+%7D',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

  expectRefused(answer, 415);
});

test('alias overloading: 101 aliases are refused', async () => {
  const aliases = Array.from({ length: 101 }, (_, index) => `alias${index}: __typename`);

  const answer = await ask(app, { query: `query cop { ${aliases.join(' ')} }` });

  expectRefused(answer, 400);
});

test('batches are refused', async () => {
  const answer = await ask(app, Array(10).fill({ query: 'query cop { __typename }' }));

  expectRefused(answer, 400);
});

test('field duplication: one field 500 times is refused', async () => {
  const answer = await ask(app, { query: `query cop { ${'__typename '.repeat(500)} }` });

  expectRefused(answer, 400);
});

test('directive overloading: ten unknown directives are one fault', async () => {
  const answer = await ask(app, { query: `query cop { __typename ${'@aa'.repeat(10)} }` });

  expectRefused(answer, 400);
});

test('circular introspection is refused where introspection is on', async () => {
  await using open = await createTestApp({ settings: { PROFILE: 'production', INTROSPECTION: 'on' } });
  const circle = (below: string) =>
    `query cop { __schema { types { fields { type { fields { type { ${below} } } } } } } }`;

  const once = await ask(open, { query: circle('name') });
  const answer = await ask(open, { query: circle('fields { type { name } }') });

  expect(once.json.errors).toBeUndefined();
  expect(answer.json).toEqual({
    errors: [expect.objectContaining({ message: 'Maximum introspection depth exceeded' })],
  });
});

test('circular fragments are refused', async () => {
  const query = 'query { ...A } fragment A on Query { __typename ...B } fragment B on Query { ...A }';

  expectRefused(await ask(app, { query }), 200);
});

test('neither an answer nor an error has a trace', async () => {
  const answers = [];
  for (const query of ['query cop { __typename }', 'qwerty cop { abc }', '{ service(id: "x") { id } }']) {
    answers.push(await ask(app, { query }, { 'apollo-tracing': '1' }));
  }

  expect(answers[0]?.json).toEqual({ data: { __typename: 'Query' } });
  for (const { text } of answers) expect(text).not.toMatch(/tracing|exception|stack|\.[jt]s:\d/i);
});
