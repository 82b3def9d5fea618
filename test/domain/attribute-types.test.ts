import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { createExtensionSchema, startService } from '../seeds.js';

let app: TestApp;
let id: number;

const types = ['string', 'integer', 'long', 'double', 'date', 'datetime', 'currency', 'boolean'];

beforeAll(async () => {
  app = await createTestApp();
  id = await startService(app);
  for (const type of types) {
    const length = type === 'string' ? { length: 5 } : {};
    await createExtensionSchema(app, `a_${type}`, 'single-valued', [{ name: 'value', type, ...length }]);
  }
});
afterAll(() => app[Symbol.asyncDispose]());

const accepted: [string, unknown, unknown?][] = [
  ['string', ''],
  ['string', 'abcde'],
  ['string', '😀😀😀😀😀'],
  ['integer', 0],
  ['integer', -2_147_483_648],
  ['integer', 2_147_483_647],
  ['integer', 7.0],
  ['long', 9_007_199_254_740_991],
  ['long', -9_007_199_254_740_991],
  ['double', 0.1],
  ['double', -1.5e300],
  ['double', 12],
  ['date', '2024-02-29'],
  ['datetime', '2009-05-12T12:05:12.145Z'],
  ['datetime', '2009-05-12T14:05:12+02:00', '2009-05-12T12:05:12.000Z'],
  ['currency', 12.5],
  ['currency', '-12.50'],
  ['boolean', true],
  ['boolean', false],
];

test.each(accepted)('an attribute of type %s takes %j', async (type, value, kept = value) => {
  const { status } = await write(type, value);

  const { json } = await app.rest('GET', `/services/${id}?extensions=a_${type}`);
  expect(status).toBe(200);
  expect(json[`a_${type}`]).toEqual({ value: kept });
});

const refused: [string, unknown, RegExp][] = [
  ['string', 'abcdef', /at most 5 characters, has 6/],
  ['string', 5, /must be a string/],
  ['string', 'a\u0000', /U\+0000/],
  ['integer', 2_147_483_648, /integer from -2147483648 to 2147483647/],
  ['integer', 1.5, /integer/],
  ['integer', '5', /integer/],
  ['integer', true, /integer/],
  ['integer', [5], /integer/],
  ['long', 1.5, /integer/],
  ['long', '9', /integer/],
  ['double', '1.5', /must be a number/],
  ['double', true, /must be a number/],
  ['date', '2023-02-29', /must be a date/],
  ['date', '2009-05-12T12:05:12Z', /must be a date/],
  ['date', 20_090_512, /must be a date/],
  ['datetime', '2009-05-12', /ISO 8601/],
  ['datetime', '2009-05-12T12:05:12', /zone/],
  ['datetime', '2009-13-12T12:05:12Z', /ISO 8601/],
  ['currency', '12,50', /amount/],
  ['currency', 'EUR 12', /amount/],
  ['boolean', 'true', /true or false/],
  ['boolean', 1, /true or false/],
  ['boolean', {}, /true or false/],
];

test.each(refused)('an attribute of type %s refuses %j', async (type, value, rule) => {
  const before = await app.hash();

  const { status, json } = await write(type, value);

  expect(status).toBe(400);
  expect(json.errors).toEqual([{ path: `a_${type}.value`, message: expect.stringMatching(rule) }]);
  expect(await app.hash()).toBe(before);
});

test('integers beyond 2^53 and numbers beyond a double are refused as they are written, not as they are read', async () => {
  const write = (literal: string) =>
    app.rest('POST', `/customers/c/services/${id}`, { rawBody: `{"a_double":{"value":${literal}}}` });

  const answers = [await write('9007199254740993'), await write('-9007199254740992'), await write('1e999')];

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  expect(answers.map(({ json }) => json.errors[0].path)).toEqual(Array(3).fill('a_double.value'));
});

test('every fault of every record is listed, with its path', async () => {
  await createExtensionSchema(
    app,
    'Strict',
    'multi-valued',
    [
      { name: 'code', type: 'string', mandatory: 'true', length: '3', unique: true },
      { name: 'place', type: 'string' },
      { name: 'floor', type: 'integer' },
      { name: 'open', type: 'boolean', default: 'true' },
    ],
    [['place', 'floor']],
  );
  const records = [
    { code: 'abc', place: 'x', floor: 1 },
    { CODE: 'abcd', Floor: 'one' },
    { place: 'x', floor: 1, window: 2 },
    'no record',
    { code: 'abc' },
  ];

  const { json } = await app.rest('POST', `/customers/c/services/${id}`, { body: { strict: records } });

  expect(json.errors).toEqual([
    { path: 'strict[1].code', message: expect.stringMatching(/at most 3/) },
    { path: 'strict[1].floor', message: expect.stringMatching(/integer/) },
    {
      path: 'strict[2].window',
      message: expect.stringMatching(/not an attribute/),
      allowed: ['code', 'place', 'floor', 'open'],
    },
    { path: 'strict[2].code', message: 'is mandatory' },
    { path: 'strict[3]', message: expect.stringMatching(/must be an object/) },
    { path: 'strict[4].code', message: 'must be unique, repeats record 0' },
    { path: 'strict[2].place', message: 'must be unique together with floor, repeats record 0' },
  ]);
});

test('a default fills in what is absent, and attributes answer in their schema’s order and spelling', async () => {
  await createExtensionSchema(app, 'Ordered', 'single-valued', [
    { name: 'zebra', type: 'string' },
    { name: 'Count', type: 'integer', default: 3 },
    { name: 'ape', type: 'boolean', default: 'false' },
  ]);

  await app.rest('POST', `/customers/c/services/${id}`, { body: { ordered: { APE: true, Zebra: 'z' } } });

  const { text } = await app.rest('GET', `/services/${id}?extensions=ordered`);
  expect(text).toContain('"Ordered":{"zebra":"z","Count":3,"ape":true}');
});

function write(type: string, value: unknown) {
  return app.rest('POST', `/customers/c/services/${id}`, { body: { [`a_${type}`]: { value } } });
}

test('a small text that defaults or faults would blow up a thousandfold is refused', async () => {
  const attributes = Array.from({ length: 100 }, (_, index) => ({ name: `a${index}`, type: 'string' }));
  await createExtensionSchema(
    app,
    'Filled',
    'multi-valued',
    attributes.map((each) => ({ ...each, default: 'x'.repeat(300) })),
  );
  await createExtensionSchema(
    app,
    'Strictest',
    'multi-valued',
    attributes.map((each) => ({ ...each, mandatory: true })),
  );
  const before = await app.hash();
  const send = (name: string, records: number) =>
    app.rest('POST', `/customers/c/services/${id}`, { body: { [name]: Array(records).fill({}) } });

  const answers = [
    await send('Filled', 10_000),
    await send('Strictest', 10_000),
    await send('Filled', 300_000),
  ];

  expect(answers.map(({ status }) => status)).toEqual([413, 400, 413]);
  expect(answers[1]?.json.errors).toHaveLength(100);
  expect(await app.hash()).toBe(before);
});
