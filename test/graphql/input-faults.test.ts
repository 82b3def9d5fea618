import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  AssociateServiceDocument,
  type AssociateServiceInput,
  ServiceDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { defineFeedbackAndSatisfaction, startService } from './makers.js';

let app: TestApp;
let serviceId: string;
let before: string;

beforeAll(async () => {
  app = await createTestApp({ now: () => new Date('2026-03-01T10:00:00Z') });
  await defineFeedbackAndSatisfaction(app);
  serviceId = await startService(app, { customerId: 'anna' });
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await app.hash();
});

async function associate(input: Partial<AssociateServiceInput>) {
  const { data } = await app.graphql(AssociateServiceDocument, {
    input: { serviceId, customerId: 'bert', ...input },
  });
  return data?.associateService;
}

/** What the gateway answers to a body that no typed client would send. */
async function post(query: string, variables?: string) {
  const rawBody = `{"query":${JSON.stringify(query)}${variables ? `,"variables":${variables}` : ''}}`;
  return app.rest('POST', '/graphql', { rawBody });
}

function postInput(members: string) {
  return post(
    'mutation ($input: AssociateServiceInput!) { associateService(input: $input) { __typename ... on Error { code } ... on Invalid { faults { path message } } } }',
    `{"input":{"serviceId":"${serviceId}","customerId":"bert",${members}}}`,
  );
}

function postLiteral(members: string) {
  return post(
    `mutation { associateService(input: { serviceId: "${serviceId}", customerId: "bert", ${members} }) { __typename ... on Error { code } ... on Invalid { faults { path message } } } }`,
  );
}

test('two malformed ids are two faults', async () => {
  expect(await associate({ serviceId: 'x', customerId: '' })).toMatchObject({
    __typename: 'Invalid',
    code: 'INVALID',
    faults: [
      { path: 'serviceId', message: 'must be an integer from 1 to 9223372036854775807', allowed: null },
      { path: 'customerId', message: 'must not be empty', allowed: null },
    ],
  });
  expect(await app.hash()).toBe(before);
});

test('an unknown extension is told with the ones that there are', async () => {
  expect(await associate({ extensions: [{ schemaName: 'Mood', value: {} }] })).toMatchObject({
    __typename: 'Invalid',
    faults: [{ path: 'extensions.Mood', allowed: ['Feedback', 'Satisfaction'] }],
  });
  expect(await app.hash()).toBe(before);
});

test('all faults of fields and records are told at once, each with its path', async () => {
  const answer = await associate({
    sessionId: 'x'.repeat(33),
    interactionId: 'x'.repeat(51),
    dispositionDesc: 'x'.repeat(65),
    contactKey: 'x'.repeat(129),
    reason: 'x'.repeat(257),
    actor: 'x'.repeat(129),
    estDuration: -1,
    expectedVersion: -1,
    timestamp: '2026-03-02T10:00:01Z',
    extensions: [
      { schemaName: 'feedback', value: { rating: '7', notes: 'x'.repeat(61), mood: 'good' } },
      { schemaName: 'Satisfaction', value: [{ rating: 1 }, { rating: 1.5, useful: 'true' }] },
      { schemaName: 'Nothing' },
    ],
  });

  expect(answer?.__typename).toBe('Invalid');
  const paths = answer?.__typename === 'Invalid' ? answer.faults.map(({ path }) => path) : [];
  expect(paths.sort()).toEqual(
    [
      'actor',
      'contactKey',
      'dispositionDesc',
      'estDuration',
      'expectedVersion',
      'extensions.Nothing',
      'extensions.Nothing',
      'extensions.Satisfaction[1].rating',
      'extensions.Satisfaction[1].useful',
      'extensions.feedback.mood',
      'extensions.feedback.notes',
      'extensions.feedback.rating',
      'interactionId',
      'reason',
      'sessionId',
      'timestamp',
    ].sort(),
  );
  expect(await app.hash()).toBe(before);
});

test('one extension twice is a fault, whatever its case', async () => {
  const extensions = [
    { schemaName: 'Feedback', value: {} },
    { schemaName: 'FEEDBACK', value: {} },
  ];

  expect(await associate({ extensions })).toMatchObject({ faults: [{ path: 'extensions.FEEDBACK' }] });
  expect(await app.hash()).toBe(before);
});

test('an extension of more than 32 KiB is too large', async () => {
  const value = Array.from({ length: 600 }, () => ({ place: 'x'.repeat(60) }));

  expect(await associate({ extensions: [{ schemaName: 'Satisfaction', value }] })).toMatchObject({
    __typename: 'Invalid',
    code: 'TOO_LARGE',
    faults: [{ path: 'extensions.Satisfaction' }],
  });
  expect(await app.hash()).toBe(before);
});

test.each([
  ['NUL', '\\u0000'],
  ['a lone surrogate', '\\ud800'],
])('%s is a fault in a field, in a record and as a name', async (_, character) => {
  const { json } = await postInput(
    `"reason":"${character}","extensions":[{"schemaName":"Feedback","value":{"notes":"${character}"}},{"schemaName":"${character}","value":{}}]`,
  );

  const { faults } = json.data.associateService;
  expect(faults.map(({ path }: { path: string }) => path)).toEqual(
    expect.arrayContaining(['reason', 'extensions.Feedback.notes']),
  );
  expect(await app.hash()).toBe(before);
});

test.each([
  [
    'a variable',
    () => postInput('"extensions":[{"schemaName":"Feedback","value":{"__proto__":{"rating":1}}}]'),
  ],
  [
    'a literal',
    () => postLiteral('extensions: [{ schemaName: "Feedback", value: { __proto__: { rating: 1 } } }]'),
  ],
])('__proto__ in %s is a fault', async (_, send) => {
  const { json } = await send();

  expect(json.data.associateService).toMatchObject({
    __typename: 'Invalid',
    faults: [{ path: 'extensions.Feedback.__proto__', message: 'is reserved' }],
  });
  expect(await app.hash()).toBe(before);
});

test.each([
  ['an integer beyond 2^53−1 for a Long', '"resourceId":9007199254740993', 'variables.input.resourceId'],
  ['an integer beyond 2^53−1 for a TypeCode', '"mediaType":-9007199254740993', 'variables.input.mediaType'],
  [
    'an integer beyond 2^53−1 in a record',
    '"extensions":[{"schemaName":"Feedback","value":{"rating":9007199254740993}}]',
    'variables.input.extensions[0].value.rating',
  ],
  [
    'a number beyond a double',
    '"extensions":[{"schemaName":"Feedback","value":1e999}]',
    'variables.input.extensions[0].value',
  ],
  ['a key twice', '"extensions":[{"schemaName":"Feedback","value":{"a":1,"a":2}}]', 'a'],
])('%s in the variables is refused', async (_, members, path) => {
  const { status, json } = await postInput(members);

  expect(status).toBe(400);
  expect(json.errors).toMatchObject([{ extensions: { code: 'INVALID', faults: [{ path }] } }]);
  expect(json.data).toBeUndefined();
  expect(await app.hash()).toBe(before);
});

test.each([
  ['an integer beyond 2^53−1 for a Long', 'resourceId: 9007199254740993'],
  ['an integer beyond 2^53−1 for a TypeCode', 'mediaType: -9007199254740993'],
  ['an integer beyond 2^53−1 as JSON', 'extensions: [{ schemaName: "Feedback", value: 9007199254740993 }]'],
  [
    'an integer beyond 2^53−1 in JSON',
    'extensions: [{ schemaName: "Feedback", value: [{ a: [9007199254740993] }] }]',
  ],
  ['a number beyond a double', 'extensions: [{ schemaName: "Feedback", value: { rating: 1e999 } }]'],
  ['a word without quotes', 'extensions: [{ schemaName: "Feedback", value: { notes: good } }]'],
  ['a fraction for a Long', 'resourceId: 1.0'],
  ['a fraction for a TypeCode', 'mediaType: 1.5'],
  ['a bad date', 'timestamp: "2026-02-30T00:00:00Z"'],
  ['a number as a date', 'timestamp: 1772359200000'],
  ['a string of 65 characters for a TypeCode', `mediaType: "${'x'.repeat(65)}"`],
])('%s in a literal is refused', async (_, members) => {
  const { json } = await postLiteral(members);

  expect(json.errors).toMatchObject([{ extensions: { code: 'INVALID' } }]);
  expect(json.data).toBeUndefined();
  expect(await app.hash()).toBe(before);
});

test('a key twice in a literal is refused', async () => {
  const { json } = await postLiteral('extensions: [{ schemaName: "Feedback", value: { a: 1, a: 2 } }]');

  expect(json.errors[0].message).toContain('"a"');
  expect(json.data).toBeUndefined();
  expect(await app.hash()).toBe(before);
});

test.each([
  '"sessionId":5',
  '"sessionId":true',
  '"interactionId":["x"]',
  '"resourceId":"5"',
  '"resourceId":true',
  '"resourceId":[5]',
  '"resourceId":1.5',
  '"mediaType":true',
  '"mediaType":["voice"]',
  '"mediaType":{}',
  '"estDuration":"60"',
  '"expectedVersion":"1"',
  '"expectedVersion":1.5',
  '"timestamp":1772359200000',
  '"timestamp":"2026-03-01T10:00:00"',
  '"timestamp":"2026-02-30T10:00:00Z"',
  '"timestamp":"yesterday"',
  '"customerId":true',
  '"customerId":null',
  '"customer_id":"x"',
  '"extensions":[null]',
  '"extensions":[{"value":{}}]',
])('the wrong type in %s is refused and never coerced', async (members) => {
  const { json } = await postInput(members);

  expect(json.errors).not.toHaveLength(0);
  expect(json.errors[0].extensions.code).toBe('INVALID');
  expect(json.data).toBeUndefined();
  expect(await app.hash()).toBe(before);
});

test.each([
  ['a string for an integer', '{"rating":"7"}', 'extensions.Feedback.rating'],
  ['a boolean for an integer', '{"rating":true}', 'extensions.Feedback.rating'],
  ['a number for a string', '{"notes":7}', 'extensions.Feedback.notes'],
  ['a list for a record', '[{"rating":7}]', 'extensions.Feedback'],
  ['a string for a record', '"good"', 'extensions.Feedback'],
])('%s in a record is a fault and never coerced', async (_, value, path) => {
  const { json } = await postInput(`"extensions":[{"schemaName":"Feedback","value":${value}}]`);

  expect(json.data.associateService).toMatchObject({ __typename: 'Invalid', faults: [{ path }] });
  expect(await app.hash()).toBe(before);
});

test('a value that is nested 1,000 deep is refused, as a variable and as a literal', async () => {
  const deep = '['.repeat(1000) + ']'.repeat(1000);

  const variable = await postInput(`"extensions":[{"schemaName":"Feedback","value":${deep}}]`);
  const literal = await postLiteral(`extensions: [{ schemaName: "Feedback", value: ${deep} }]`);

  expect(variable.status).toBe(400);
  expect(variable.json.errors).toMatchObject([
    { extensions: { code: 'INVALID', faults: [{ path: 'body' }] } },
  ]);
  expect(literal.status).toBe(400);
  expect(literal.json.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'tokens' } }]);
  expect(await app.hash()).toBe(before);
});

test('a document that no parser’s stack holds is the caller’s fault', async () => {
  const { json } = await post(`{ services(types: ${'['.repeat(300_000)}`);

  expect(json.errors).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'tokens' } }]);
  expect(app.log.filter(({ level }) => level === 50)).toEqual([]);
});

test('variables inside a JSON literal are resolved, as JSON', async () => {
  const query = `mutation ($rating: Int, $notes: DateTime, $absent: String) {
    associateService(
      input: {
        serviceId: "${serviceId}"
        customerId: "anna"
        extensions: [{ schemaName: "Feedback", value: { rating: $rating, notes: $notes, FeedbackType: $absent } }]
      }
    ) { __typename }
  }`;

  const { json } = await post(query, '{"rating":7,"notes":"2026-03-01T10:00:00Z"}');

  expect(json).toEqual({ data: { associateService: { __typename: 'AssociateServicePayload' } } });
  const { data } = await app.graphql(ServiceDocument, { id: serviceId });
  expect(data?.service?.extensions).toMatchObject([
    { value: { rating: 7, notes: '2026-03-01T10:00:00.000Z' } },
  ]);
});
