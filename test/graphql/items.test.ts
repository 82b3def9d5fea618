import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '../harness.js';
import { ask, openWays, type Ways } from './ways.js';

let ways: Ways;

beforeAll(async () => {
  ways = await openWays();
});
afterAll(() => ways[Symbol.asyncDispose]());

async function askTwice(query: string): Promise<Answer[]> {
  const exchanges = await ways.compare(async (gateway) => {
    for (let time = 0; time < 2; time++) await ask(gateway, { query });
  });
  return exchanges.map(({ answer }) => answer);
}

const refusalOf = (count: number) => ({
  errors: [
    {
      message: `The operation asks for up to ${count} items; at most 500000 are allowed: ask for smaller pages.`,
      extensions: { code: 'LIMIT_EXCEEDED', limit: 'items', allowed: 500_000 },
    },
  ],
});

const history = (name: string, args: string) =>
  `${name}: services(${args}) { nodes { associations(first: 500) { nodes { version } } } }`;

/** Of each service the history, and 3 states with 3 tasks with 3 extensions each. */
function five(entries: string): string {
  const below = `${entries} { nodes { version } } states { tasks { extensions { schemaName } } }`;
  return ['a', 'b', 'c', 'd', 'e']
    .map((name) => `${name}: services(first: 500) { nodes { ${below} } }`)
    .join(' ');
}

test.each([
  ['pages within pages', `{ ${history('a', 'first: 500')} ${history('b', 'last: 500')} }`, 501_000],
  [
    'pages in fragments',
    `{ ...A ...A b: services(first: 500) { ...B } } fragment A on Query { ${history('a', 'first: 500')} } fragment B on ServiceConnection { edges { node { associations(first: 500) { nodes { kind } } } } }`,
    751_500,
  ],
  ['lists below pages', `{ ${five('associations(first: 180)')} }`, 550_000],
])('%s that are too many items together are refused before anything is read', async (_, query, count) => {
  for (const { status, json } of await askTwice(query)) {
    expect([status, json]).toEqual([400, refusalOf(count)]);
  }
});

test('how many items are asked for is known when the variables are, by Yoga and by the fast lane', async () => {
  const query = `query ($size: Int, $has: Boolean = true) { ${history('a', 'first: $size')} ${history('b', 'last: 500')} ... @include(if: $has) { ${history('c', 'first: 1')} } }`;

  const exchanges = await ways.compare(async (gateway) => {
    for (const variables of [
      { size: 400 },
      { size: 500, has: false },
      { size: 498 },
      { size: 498, has: false },
    ])
      await ask(gateway, { query, variables });
  });

  const outcomes = exchanges.map(({ isFast, answer }) => [
    isFast,
    answer.status,
    answer.json.errors?.[0]?.message,
  ]);
  expect(outcomes).toEqual([
    [false, 200, undefined],
    [true, 400, refusalOf(501_000).errors[0]?.message],
    [true, 400, refusalOf(500_499).errors[0]?.message],
    [true, 200, undefined],
  ]);
});

test('the size that a variable has by default counts, and so does that of a page without one', async () => {
  const query = `query ($size: Int = 500) { ${history('a', 'first: $size')} ${history('b', 'first: 500')} }`;
  const usual = `{ ${five('associations')} }`;

  const [first] = await askTwice(query);
  const [second] = await askTwice(usual);

  expect(first?.json).toEqual(refusalOf(501_000));
  expect(second?.json.errors).toBeUndefined();
});
