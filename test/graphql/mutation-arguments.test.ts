import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, openWays, type Ways } from './ways.js';

let ways: Ways;

beforeAll(async () => {
  ways = await openWays();
});
afterAll(() => ways[Symbol.asyncDispose]());

const start = (fields: string, head = '') =>
  `mutation ${head} { startService(input: { customerId: "anna" }) { ... on StartServicePayload { ...A } } } fragment A on StartServicePayload { service { id ${fields} } }`;

const size = 'must be an integer from 1 to 500';
const cursor = 'must be a cursor that this list answered';
const types = 'must be a list of 1 to 100 values';
const names = JSON.stringify(Array.from({ length: 101 }, () => 'a'));

test.each([
  ['associations(first: 9999) { nodes { version } }', [['first', size]]],
  [
    'associations(last: 0, after: "x", before: "y") { nodes { version } }',
    [
      ['last', size],
      ['after', cursor],
      ['before', cursor],
    ],
  ],
  [
    'associations(first: 1, last: 1) { pageInfo { hasNextPage } }',
    [['last', 'must not be given together with first']],
  ],
  ['states(types: []) { id }', [['types', types]]],
  ['states { tasks(types: []) { id } }', [['types', types]]],
  [
    'tasks(types: [], stateId: "x") { id }',
    [
      ['types', types],
      ['stateId', 'must be the id of a state, like 1500:0'],
    ],
  ],
  ['tasks { extensions(names: TOO_MANY) { value } }', [['names', 'must be a list of 0 to 100 values']]],
])('a mutation that is to answer %s is refused before it acts', async (fields, faults) => {
  const exchanges = await ways.compare(async (gateway) => {
    const before = await gateway.hash();
    const query = start(fields.replace('TOO_MANY', names));
    for (let time = 0; time < 2; time++) await ask(gateway, { query });
    expect(await gateway.hash()).toBe(before);
  });

  const told = faults.map(([path, message]) => ({ path, message }));
  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, true]);
  for (const { answer } of exchanges) {
    expect(answer.json.data).toBeUndefined();
    expect(answer.json.errors).toEqual([
      {
        message: told.map(({ path, message }) => `${path}: ${message}`).join('; '),
        locations: [expect.anything()],
        extensions: { code: 'INVALID', faults: told },
      },
    ]);
  }
});

test('so is one whose variables say it, each time; what is left out is not looked at', async () => {
  const page = '@include(if: $has) { associations(first: $size) { nodes { version } } }';
  const query = start(`... ${page}`, '($size: Int = 501, $has: Boolean!)');

  const exchanges = await ways.compare(async (gateway) => {
    const before = await gateway.hash();
    for (const variables of [{ has: true }, { has: true, size: -1 }])
      await ask(gateway, { query, variables });
    expect(await gateway.hash()).toBe(before);
    for (const variables of [{ has: false }, { has: true, size: 500 }])
      await ask(gateway, { query, variables });
  });

  expect(exchanges.map(({ answer }) => answer.json.errors?.[0].message)).toEqual([
    `first: ${size}`,
    `first: ${size}`,
    undefined,
    undefined,
  ]);
});

test('a query is refused by the field alone: the others are answered', async () => {
  const query = '{ service(id: "1") { id associations(first: 0) { nodes { version } } } __typename }';

  const [, exchange] = await ways.compare(async (gateway) => {
    await ask(gateway, { query: start('') });
    await ask(gateway, { query });
  });

  expect(exchange?.answer.json).toMatchObject({
    data: { service: null, __typename: 'Query' },
    errors: [{ message: `first: ${size}`, path: ['service', 'associations'] }],
  });
});
