import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bare, basePaths, expectProblem, start } from './calls.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const scopes = ['services', 'states', 'tasks'];

describe.each(
  basePaths.flatMap((base) => scopes.map((scope) => ({ base, scope }))),
)('for $scope under "$base"', ({ base, scope }) => {
  const url = `${base}/metadata/${scope}/extensions`;
  const suffix = base === '' ? 'Old' : 'New';

  test('a schema answers 201 with its name and where it is, and is answered as it was given', async () => {
    const body = {
      name: `Order${suffix}`,
      type: 'multi-valued',
      attributes: [
        { name: 'number', type: 'string', length: '10', mandatory: 'true', unique: true },
        { name: 'amount', type: 'currency', default: '0.00' },
        { name: 'card', type: 'string', length: 19, encrypt: true },
        { name: 'gift', type: 'boolean', default: 'false', mandatory: false },
      ],
      unique: [['amount', 'card'], 'gift'],
    };

    const answer = await app.rest('POST', url, { body });

    expect(answer).toMatchObject({
      status: 201,
      text: `{"name":"Order${suffix}"}`,
      headers: { location: `${url}/Order${suffix}` },
    });
    const { text } = await app.rest('GET', `${url}/order${suffix.toLowerCase()}`);
    expect(text).toBe(
      JSON.stringify({
        name: `Order${suffix}`,
        type: 'multi-valued',
        attributes: [
          { name: 'number', type: 'string', length: 10, mandatory: true, unique: true },
          { name: 'amount', type: 'currency', default: '0.00' },
          { name: 'card', type: 'string', length: 19, encrypt: true },
          { name: 'gift', type: 'boolean', default: false, mandatory: false },
        ],
        unique: ['number', ['amount', 'card'], 'gift'],
      }),
    );
    expect((await app.rest('GET', url)).json).toContainEqual(JSON.parse(text));
  });

  test('a name that is taken answers 409 in any case, and changes nothing', async () => {
    const body = { name: `Taken${suffix}`, type: 'single-valued', attributes: [{ name: 'a', type: 'long' }] };
    await app.rest('POST', url, { body });
    const before = await app.hash();

    const answer = await app.rest('POST', url, { body: { ...body, name: `tAKEN${suffix}` } });

    expectProblem(answer, { status: 409, code: 'CONFLICT' });
    expect(await app.hash()).toBe(before);
  });

  test('every fault of a schema is told at once, and nothing changes', async () => {
    const before = await app.hash();

    const answer = await app.rest('POST', url, {
      body: {
        name: '1x',
        type: 'many',
        attributes: [
          { name: 'a b', type: 'text', mandatory: 'yes' },
          { name: 'n', type: 'integer', length: 5, default: '1' },
          { name: 'N', type: 'string', length: 0, other: 1 },
        ],
        unique: ['x', []],
      },
    });

    expect(answer.status).toBe(400);
    expect(answer.json.errors.map(({ path }: { path: string }) => path)).toEqual([
      'name',
      'type',
      'attributes[0].name',
      'attributes[0].type',
      'attributes[0].mandatory',
      'attributes[1].length',
      'attributes[2].other',
      'attributes[2].length',
      'attributes[2].name',
      'unique[0]',
      'unique[1]',
    ]);
    expect(await app.hash()).toBe(before);
  });

  test.each([
    [undefined, 'body', 'must be a JSON object'],
    [[], 'body', 'must be a JSON object'],
    [
      { name: 'ttl', type: 'single-valued', attributes: [{ name: 'a', type: 'long' }] },
      'name',
      'is reserved',
    ],
    [
      { name: 'x', type: 'single-valued', attributes: [] },
      'attributes',
      expect.stringContaining('at least one'),
    ],
  ])('the schema %j is refused', async (body, path, message) => {
    const before = await app.hash();

    const answer = await app.rest('POST', url, { body });

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path, message }] });
    expect(await app.hash()).toBe(before);
  });

  test('a schema that does not exist answers 404, a name that can be none 400', async () => {
    expectProblem(await app.rest('GET', `${url}/Nope`), { status: 404, code: 'NOT_FOUND' });
    expectProblem(await app.rest('GET', `${url}/a%00`), {
      status: 400,
      code: 'INVALID',
      errors: [
        { path: 'name', message: 'must be a letter followed by letters, digits or _, at most 26 characters' },
      ],
    });
  });
});

test('without schemas the list is empty', async () => {
  await using empty = await createTestApp();

  expect(await empty.rest('GET', `${bare}/metadata/tasks/extensions`)).toMatchObject({
    status: 200,
    text: '[]',
  });
});

test('a schema counts from the next call on, for services alone when it is one of services', async () => {
  const body = { name: 'Note', type: 'single-valued', attributes: [{ name: 'text', type: 'string' }] };
  await app.rest('POST', `${bare}/metadata/states/extensions`, { body });
  const refused = await app.rest('POST', `${bare}/services/start`, {
    body: { customer_id: 'c', service_type: 1, Note: { text: 'x' } },
  });

  await app.rest('POST', `${bare}/metadata/services/extensions`, { body });
  const id = await start(app, { customer_id: 'c', NOTE: { TEXT: 'x' } });

  expect(refused.status).toBe(400);
  const { json } = await app.rest('GET', `${bare}/services/${id}?extensions=note`);
  expect(json.Note).toEqual({ text: 'x' });
});
