import { readFile } from 'node:fs/promises';
import {
  type GraphQLNamedType,
  getIntrospectionQuery,
  getNamedType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mostAnswerBytes } from '../../src/domain/answer-budget.js';
import { tabs } from '../../src/graphql/graphiql-tabs.js';
import { limits } from '../../src/graphql/limits.js';
import { schema } from '../../src/graphql/schema.js';
import { createTestApp, type TestApp } from '../harness.js';
import { ask, openWays, type Ways } from './ways.js';

let app: TestApp;
let ways: Ways;

beforeAll(async () => {
  [app, ways] = await Promise.all([createTestApp(), openWays()]);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await ways[Symbol.asyncDispose]();
});

type Limit = keyof typeof limits;

/** Valid documents that have just so much of one thing, and little of all else. */
const documents: [title: string, limit: Limit, of: (count: number) => string, message: string][] = [
  [
    'tokens',
    'tokens',
    (count) => {
      const extra = 'mapNames '.repeat(count % 5);
      return times(count / 5, (index) => `query A${index} { mapNames ${index === 0 ? extra : ''} }`);
    },
    'The document has more than 1000 tokens, the most that is allowed.',
  ],
  [
    'fields below one another',
    'depth',
    (count) => {
      const [opening, closing] = ['ofType {', '}'].map((text) => text.repeat(count - 5));
      return `{ __schema { types { fields { type { ${opening} name ${closing} } } } } }`;
    },
    'The operation is 16 fields deep; at most 15 are allowed.',
  ],
  [
    'fields',
    'fields',
    (count) => `{ ${times(count, () => 'mapNames')} }`,
    'The operation has 401 fields; at most 400 are allowed.',
  ],
  [
    'fields by fragments in fragments',
    'fields',
    (count) =>
      `{ ...A ...A ${times(count % 20, () => 'mapNames')} }
       fragment A on Query { ...B ...B }
       fragment B on Query { ${times(count / 20, () => '...C')} }
       fragment C on Query { mapNames mapNames mapNames ... { mapNames ... on Query { mapNames } } }`,
    'The operation has 401 fields; at most 400 are allowed.',
  ],
  [
    'aliases',
    'aliases',
    (count) => `{ ${times(count, (index) => `a${index}: mapNames`)} }`,
    'The operation has 16 aliases; at most 15 are allowed.',
  ],
  [
    'directives',
    'directives',
    (count) =>
      `{ ...A @include(if: true) ${times(count - 1, () => 'mapNames @include(if: true)')} } fragment A on Query { mapNames }`,
    'The operation has 6 directives; at most 5 are allowed.',
  ],
  [
    'lists',
    'lists',
    (count) => `{ ${times(count, () => 'fieldMappings { field }')} }`,
    'The operation has 31 lists of objects; at most 30 are allowed.',
  ],
];

function times(count: number, text: (index: number) => string): string {
  return Array.from({ length: Math.floor(count) }, (_, index) => text(index)).join(' ');
}

test.each(
  documents,
)('just as many %s as are allowed are answered, by Yoga and by the fast lane', async (_, limit, of) => {
  const operationName = limit === 'tokens' ? 'A0' : null;

  const exchanges = await ways.compare(async (gateway) => {
    for (let time = 0; time < 2; time++) await ask(gateway, { query: of(limits[limit]), operationName });
  });

  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, true]);
  for (const { answer } of exchanges) {
    expect(answer.status).toBe(200);
    expect(answer.json.errors).toBeUndefined();
  }
});

test.each(documents)('one more of the %s is refused, each time anew', async (_, limit, of, message) => {
  const operationName = limit === 'tokens' ? 'A0' : null;

  const exchanges = await ways.compare(async (gateway) => {
    for (let time = 0; time < 2; time++) await ask(gateway, { query: of(limits[limit] + 1), operationName });
  });

  const extensions = { code: 'LIMIT_EXCEEDED', limit, allowed: limits[limit] };
  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, false]);
  for (const { answer } of exchanges) {
    expect([answer.status, answer.json]).toEqual([400, { errors: [{ message, extensions }] }]);
  }
});

test('a mutation beyond a limit changes nothing, and is told all that it exceeds', async () => {
  const before = await app.hash();
  const start = (index: number) => `a${index}: startService(input: {}) @include(if: true) { __typename }`;

  const { status, json } = await ask(app, { query: `mutation { ${times(16, start)} }` });

  expect(status).toBe(400);
  expect(json.errors.map((error: { message: string }) => error.message)).toEqual([
    'The operation has 16 aliases; at most 15 are allowed.',
    'The operation has 16 directives; at most 5 are allowed.',
  ]);
  expect(await app.hash()).toBe(before);
});

test('fragments that spread one another many times over are refused at once', async () => {
  const doubling = times(60, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`);
  const query = `{ ...F0 } ${doubling} fragment F60 on Query { mapNames }`;

  const { status, json } = await ask(app, { query });

  expect(status).toBe(400);
  expect(json.errors).toMatchObject([{ extensions: { limit: 'fields' } }]);
});

test('fragments that spread themselves are told so', async () => {
  const { json } = await ask(app, {
    query: '{ ...A } fragment A on Query { mapNames ...B } fragment B on Query { ...A }',
  });

  expect(json.errors).toMatchObject([{ message: expect.stringContaining('within itself') }]);
});

test('lists of types within lists of types are refused, as far as GraphQL allows them to all', async () => {
  const query = '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }';

  const { json } = await ask(app, { query });

  expect(json.errors).toMatchObject([{ message: 'Maximum introspection depth exceeded' }]);
});

test('what is deepest in the schema, what a customer’s whole screen shows and GraphiQL’s questions pass', async () => {
  const introspection = getIntrospectionQuery({
    inputValueDeprecation: true,
    schemaDescription: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    oneOf: true,
  });
  const path = deepest(schema.getQueryType());
  const deep = path.reduceRight((below, field) => `${field}${below && ` { ${below} }`}`, '');
  const queries = [...tabs, introspection, `{ ${deep.replace('customer', 'customer(id: "1")')} }`, screenPop];

  expect(path.join('.')).toMatch(
    /^customer\.services\.edges\.node\.states\.tasks\.extensions\.schema\.attributes\.\w+$/,
  );
  for (const query of queries) {
    const { json } = await ask(app, { query });
    expect(json.errors, query).toBeUndefined();
  }
});

test('the GraphQL guide names the limits', async () => {
  const guide = (await readFile('docs/graphql.md', 'utf8')).replaceAll('\n', ' ');

  const { tokens, fields, lists, aliases, directives, depth, items } = limits;
  expect(guide).toContain(
    `${tokens} tokens, ${fields} fields, ${lists} lists of objects, ${aliases} aliases and ${directives} directives, and is at most ${depth} fields deep`,
  );
  expect(guide).toContain(`may hold ${items} items`);
  expect(guide).toContain(`more than ${mostAnswerBytes / 1024 / 1024} MiB`);
});

const extensions = 'extensions { schemaName value schema { name type attributes { name type mandatory } } }';
const event =
  'timestamp sessionId interactionId applicationType applicationId resourceType resourceId mediaType';
const common = `disposition dispositionDesc estDuration duration started { ${event} } completed { ${event} } ${extensions}`;
const screenPop = `{
  customer(id: "anna") {
    id
    services(first: 500) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id version status customerId contactKey businessUnit serviceType expiresAt autoCompleteAt updatedAt
        ${common}
        associations(last: 500) { nodes { version kind fromCustomerId toCustomerId reason actor occurredAt } }
        tasks { id number taskType status ${common} }
        active: states(status: ACTIVE) { id number stateType status previousStateId ${common} tasks { id taskType ${common} } }
        done: states(status: COMPLETED) { id number stateType ${common} tasks { id taskType ${common} } }
      }
    }
  }
}`;

/** The names of the longest way down: there is no way back up. */
function deepest(type: GraphQLNamedType | null | undefined): string[] {
  const types = isUnionType(type) || isInterfaceType(type) ? schema.getPossibleTypes(type) : [type];
  const paths = types
    .filter(isObjectType)
    .flatMap((object) => Object.values(object.getFields()))
    .filter(({ name, args }) => name === 'customer' || !args.some((arg) => isNonNullType(arg.type)))
    .map(({ name, type: below }) => [name, ...deepest(getNamedType(below))]);
  return paths.reduce((longest, path) => (path.length > longest.length ? path : longest), []);
}
