import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

let app: TestApp;
let id: number;
let owners: string[];

beforeAll(async () => {
  app = await createTestApp();
  for (const scope of ['services', 'states', 'tasks']) {
    await app.rest('POST', `/metadata/${scope}/extensions`, {
      body: {
        name: 'Offer',
        type: 'single-valued',
        attributes: [
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'integer' },
        ],
      },
    });
    await app.rest('POST', `/metadata/${scope}/extensions`, {
      body: {
        name: 'Line',
        type: 'multi-valued',
        attributes: [
          { name: 'no', type: 'integer', unique: true },
          { name: 'tag', type: 'string', unique: true },
          { name: 'count', type: 'integer' },
        ],
      },
    });
  }
  id = await startService(app);
  await app.rest('POST', `/genesys/1/cs/services/${id}/states/start`, { body: {} });
  await app.rest('POST', `/genesys/1/cs/services/${id}/tasks/start`, { body: {} });
  owners = [`serviceId: ${id}`, `stateId: "${id}:0"`, `taskId: "${id}:0"`];
});
afterAll(() => app[Symbol.asyncDispose]());

test('an extension is set, merged and removed, of a service, a state or a task', async () => {
  for (const owner of owners) {
    const set = await act('setExtension', owner, 'schemaName: "offer", value: { A: 1 }');
    const merged = await act('mergeExtension', owner, 'schemaName: "OFFER", value: { b: 2 }');
    const removed = await act('setExtension', owner, 'schemaName: "Offer", value: null');

    expect(set.extension).toEqual({ schemaName: 'Offer', value: { a: 1 } });
    expect(merged.extension).toEqual({ schemaName: 'Offer', value: { a: 1, b: 2 } });
    expect([removed.extension, removed.service.version]).toEqual([null, merged.service.version + 1]);
  }
});

test('a record is updated and deleted, told by any unique attribute', async () => {
  for (const owner of owners) {
    await act('setExtension', owner, 'schemaName: "Line", value: [{ no: 1, tag: "x" }, { no: 2, tag: "y" }]');

    await act('updateExtensionRecord', owner, 'schemaName: "Line", record: { no: 2, count: 5 }');
    // No record has this number: the tag tells, and the number is changed.
    const updated = await act(
      'updateExtensionRecord',
      owner,
      'schemaName: "Line", record: { no: 3, tag: "y" }',
    );
    const deleted = await act('deleteExtensionRecord', owner, 'schemaName: "Line", record: { tag: "x" }');

    expect(updated.extension.value).toEqual([
      { no: 1, tag: 'x' },
      { no: 3, tag: 'y', count: 5 },
    ]);
    expect(deleted.extension.value).toEqual([{ no: 3, tag: 'y', count: 5 }]);
  }
});

test('faults are told by the fields of the input, all at once, and nothing is changed', async () => {
  const [owner = ''] = owners;
  await act('setExtension', owner, 'schemaName: "Line", value: [{ no: 1, tag: "x" }]');
  const before = await app.hash();
  const refusal = async (mutation: string, whose: string, rest: string) => {
    const { code, faults } = await act(mutation, whose, rest);
    return [code, ...(faults ?? []).map(({ path }: { path: string }) => path)];
  };

  expect(await refusal('setExtension', owner, 'schemaName: "Nope", value: 1')).toEqual([
    'INVALID',
    'schemaName',
  ]);
  expect(await refusal('mergeExtension', owner, 'schemaName: "a\\u0000", value: {}')).toEqual([
    'INVALID',
    'schemaName',
  ]);
  expect(await refusal('setExtension', owner, 'schemaName: "Offer"')).toEqual(['INVALID', 'value']);
  expect(await refusal('setExtension', owner, 'schemaName: "Offer", value: { a: "x", c: 1 }')).toEqual([
    'INVALID',
    'value.c',
    'value.a',
  ]);
  expect(await refusal('setExtension', owner, 'schemaName: "Line", value: [{ no: "x" }]')).toEqual([
    'INVALID',
    'value[0].no',
  ]);
  expect(await refusal('mergeExtension', owner, 'schemaName: "Line", value: { no: 1 }')).toEqual([
    'INVALID',
    'value',
  ]);
  expect(await refusal('mergeExtension', owner, 'schemaName: "Offer", value: { a: null, A: 1 }')).toEqual([
    'INVALID',
    'value.a',
  ]);
  expect(await refusal('updateExtensionRecord', owner, 'schemaName: "Line", record: { no: true }')).toEqual([
    'INVALID',
    'record.no',
  ]);
  expect(await refusal('updateExtensionRecord', owner, 'schemaName: "Line", record: { count: 1 }')).toEqual([
    'INVALID',
    'record',
  ]);
  expect(await refusal('deleteExtensionRecord', owner, 'schemaName: "Line", record: { no: 7 }')).toEqual([
    'NOT_FOUND',
  ]);
  // Nothing is told of what stands elsewhere.
  expect(await refusal('mergeExtension', 'stateId: "garbage"', 'schemaName: "Line", value: {}')).toEqual([
    'INVALID',
    'owner.stateId',
  ]);
  expect(await refusal('mergeExtension', `taskId: "${id}:7"`, 'schemaName: "Offer", value: {}')).toEqual([
    'NOT_FOUND',
  ]);
  expect(await app.hash()).toBe(before);
});

test('more names than anybody has are refused as such', async () => {
  const names = Array.from({ length: 101 }, (_, index) => `n${index}`);
  const query =
    'query ($names: [String!]) { task(id: "1:0") { extensions(names: $names) { value } } service(id: 1) { extensions(names: $names) { value } } }';

  const { json } = await app.rest('POST', '/graphql', { body: { query, variables: { names } } });

  expect(json.errors.map(({ extensions }: { extensions: object }) => extensions)).toMatchObject([
    { code: 'INVALID', faults: [{ path: 'names' }] },
    { code: 'INVALID', faults: [{ path: 'names' }] },
  ]);
});

// biome-ignore lint/suspicious/noExplicitAny: the answer of the one mutation asked for
async function act(mutation: string, owner: string, rest: string): Promise<any> {
  const payload = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Payload`;
  const query = `mutation { act: ${mutation}(input: { owner: { ${owner} }, ${rest} }) {
    ... on ${payload} { extension { schemaName value } service { version } }
    ... on Error { code message } ... on Invalid { faults { path message } } } }`;
  const { json } = await app.rest('POST', '/graphql', { body: { query } });
  if (json.errors) throw new Error(JSON.stringify(json.errors));
  return json.data.act;
}
