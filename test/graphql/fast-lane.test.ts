import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { operations, storyOf } from './fast-lane-operations.js';
import { defineFeedbackAndSatisfaction } from './makers.js';
import { ask, openWays, type Ways } from './ways.js';

let ways: Ways;

beforeAll(async () => {
  ways = await openWays();
});
afterAll(() => ways[Symbol.asyncDispose]());

const name = '{ __typename }';
const service = 'query ($id: ID!) { service(id: $id) { id } }';
const several = 'query A { __typename } query B { services { nodes { id } } }';
const failing = '{ a: service(id: "x") { id } b: services(first: -1) { nodes { id } } }';
const deferred = '{ services { ... @defer { nodes { id } } } }';

/** What is asked, and whether the lane takes it once the document is known. */
const calls: readonly [what: string, body: Record<string, unknown>, isFast: boolean][] = [
  ['an operation without a name', { query: name }, true],
  ['members that are null', { query: name, variables: null, operationName: null, extensions: null }, true],
  ['variables that nobody asked for', { query: name, variables: { a: [1] } }, true],
  ['introspection', { query: getIntrospectionQuery() }, true],
  ['one of several operations', { query: several, operationName: 'B' }, true],
  ['several operations and no name', { query: several }, false],
  ['an operation that there is not', { query: several, operationName: 'C' }, false],
  ['an empty name', { query: name, operationName: '' }, false],
  ['a name that is no string', { query: name, operationName: 5 }, false],
  ['variables that are missing', { query: service }, true],
  ['variables of another type', { query: service, variables: { id: { a: 1 } } }, true],
  ['variables that are a list', { query: name, variables: [] }, false],
  ['variables that are a string', { query: name, variables: '{}' }, false],
  [
    'a directive whose variable is missing',
    { query: 'query ($a: Boolean!) { mapNames @skip(if: $a) }' },
    true,
  ],
  ['failures of two fields', { query: failing }, true],
  ['a syntax error', { query: '{ services(' }, false],
  ['a document that is nested too deep', { query: '{a'.repeat(20_000) }, false],
  ['unknown fields', { query: '{ nothing services { nodes { nothing } } }' }, false],
  ['an unknown type and argument', { query: 'query ($a: Unheard) { services(no: $a) { edges } }' }, false],
  ['an unknown directive', { query: deferred }, false],
  ['a subscription, which there is none of', { query: 'subscription { services { id } }' }, false],
  ['a document without operations', { query: 'fragment A on Query { __typename }' }, false],
  ['an empty document', { query: '' }, false],
  ['a comment alone', { query: '# nothing' }, false],
  ['no document', { variables: {} }, false],
  ['a document that is null', { query: null }, false],
  ['a document that is no string', { query: [name] }, false],
  ['a member that nobody knows', { query: name, id: 1 }, false],
  ['a member that nobody knows and is null', { query: name, id: null }, true],
];

test.each(calls)('%s: the first answer and the second are those of Yoga', async (_, body, isFast) => {
  const exchanges = await ways.compare(async (app) => {
    await ask(app, body);
    await ask(app, body);
  });

  expect(exchanges.at(-1)?.isFast).toBe(isFast);
});

test.each([
  ['', true],
  ['*/*', true],
  ['application/*', true],
  ['application/json', true],
  ['Application/JSON; q=0.9, text/html', true],
  ['application/json, text/event-stream', true],
  ['application/graphql-response+json, application/json;q=0.9', true],
  ['application/graphql-response+json;q=0.5', true],
  ['application/json;charset=utf-8', false],
  ['application/json;charset=latin1, */*', false],
  ['text/html, application/json', false],
  ['text/event-stream, application/json', false],
  ['multipart/mixed', false],
  ['text/event-stream', false],
  ['image/png', false],
  ['json', false],
])('whoever accepts “%s” gets the type, the status and the bytes of Yoga', async (accept, isFast) => {
  const exchanges = await ways.compare(async (app) => {
    await ask(app, { query: service, variables: { id: '1' } });
    for (const id of ['1', 'x', null]) await ask(app, { query: service, variables: { id } }, { accept });
  });

  expect(exchanges.slice(1).map((exchange) => exchange.isFast)).toEqual([isFast, isFast, isFast]);
});

test('a path with a query string is left to Yoga', async () => {
  const exchanges = await ways.compare(async (app) => {
    await ask(app, { query: name });
    for (const url of ['/graphql?a=b', '/graphql?/health']) await ask(app, { query: name }, {}, url);
  });

  expect(exchanges.slice(1).map(({ isFast }) => isFast)).toEqual([false, false]);
});

test('the operations of a service’s life get the answers of Yoga, those that fail too', async () => {
  const exchanges = await ways.compare(async (app) => {
    await defineFeedbackAndSatisfaction(app);
    const { json } = await app.rest('POST', '/services/start', { body: { contact_key: '+49 711' } });
    for (const query of Object.values(operations)) await ask(app, { query, variables: null });
    for (const [operationName, variables] of storyOf(String(json.service_id))) {
      await ask(app, { query: operations[operationName], operationName, variables });
    }
  });

  const told = exchanges.filter(({ body }) => 'operationName' in body);
  expect(told.filter(({ isFast }) => !isFast)).toEqual([]);
  expect(new Set(told.map(({ body }) => body['operationName']))).toEqual(new Set(Object.keys(operations)));
});
