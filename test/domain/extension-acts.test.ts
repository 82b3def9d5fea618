import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { createExtensionSchema, startService } from '../seeds.js';

const base85 = '/genesys/1/cs';
let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  replica = await createTestApp({ database: app });
  await createExtensionSchema(app, 'Offer', 'single-valued', [
    { name: 'product', type: 'string', mandatory: true },
    { name: 'price', type: 'integer' },
    { name: 'currency', type: 'string', default: 'EUR' },
  ]);
  await createExtensionSchema(
    app,
    'Line',
    'multi-valued',
    [
      { name: 'no', type: 'integer' },
      { name: 'article', type: 'string', mandatory: true },
      { name: 'day', type: 'date' },
      { name: 'count', type: 'integer', default: 1 },
    ],
    ['no', ['article', 'day']],
  );
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('64 merges of different keys at once, on two gateways, all survive', async () => {
  const id = await startService(app);
  const keys = Array.from({ length: 64 }, (_, index) => `key${index}`);

  const answers = await Promise.all(
    keys.map((key, index) =>
      (index % 2 ? app : replica).rest('PUT', `${base85}/services/${id}/extensions/Basket/merge`, {
        body: { [key]: index },
      }),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
  expect(await extension(id, 'Basket')).toEqual(Object.fromEntries(keys.map((key, index) => [key, index])));
});

test('records that are updated and deleted at once each keep what was done to them', async () => {
  const id = await startService(app);
  const line = `/services/${id}/extensions/Line`;
  const numbers = Array.from({ length: 16 }, (_, no) => no);
  await app.rest('PUT', line, { body: numbers.map((no) => ({ no, article: `a${no}` })) });

  const answers = await Promise.all(
    numbers.map((no) =>
      no % 2
        ? app.rest('PUT', `${line}/by/unique`, { body: { no, count: no } })
        : replica.rest('PUT', `${line}/delete/by/unique`, { body: { no } }),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual(numbers.map(() => 204));
  expect(await extension(id, 'Line')).toEqual(
    numbers.filter((no) => no % 2).map((no) => ({ no, article: `a${no}`, count: no })),
  );
});

test('a merge keeps to the schema: its spelling, its defaults and what is mandatory', async () => {
  const id = await startService(app);
  const merge = (body: object) =>
    app.rest('PUT', `${base85}/services/${id}/extensions/offer/merge`, { body });

  const lacking = await merge({ price: 5 });
  const created = await merge({ PRODUCT: 'card', Price: 5 });
  const changed = await merge({ price: null, currency: 'USD' });
  const before = await app.hash();
  const cleared = await merge({ product: null });
  const unknown = await merge({ colour: null, price: 'much' });
  const unchanged = await app.hash();
  const refilled = await merge({ currency: null });

  expect(lacking.json.errors).toEqual([{ path: 'offer.product', message: 'is mandatory' }]);
  expect([created.status, changed.status, refilled.status]).toEqual([200, 200, 200]);
  expect(cleared.json.errors).toEqual([{ path: 'offer.product', message: 'is mandatory' }]);
  expect(unknown.json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    'offer.colour',
    'offer.price',
  ]);
  expect(unchanged).toBe(before);
  expect(await extension(id, 'Offer')).toEqual({ product: 'card', currency: 'EUR' });
});

test('what is no map cannot be merged into, and what is no object cannot be merged', async () => {
  const id = await startService(app, { customer_id: 'c', List: [1], Number: 5 });
  const before = await app.hash();
  const merge = (name: string, body: unknown) =>
    app.rest('PUT', `${base85}/services/${id}/extensions/${name}/merge`, { rawBody: JSON.stringify(body) });

  const answers = [
    await merge('List', { a: 1 }),
    await merge('Number', { a: 1 }),
    await merge('Line', { no: 1 }),
    await merge('Map', [1]),
    await merge('Map', null),
    await merge('Map', 'text'),
  ];

  expect(answers.map(({ status, json }) => [status, json.errors.length])).toEqual(
    answers.map(() => [400, 1]),
  );
  expect(answers.map(({ json }) => json.errors[0].path)).toEqual([
    'List',
    'Number',
    'Line',
    'Map',
    'Map',
    'Map',
  ]);
  expect(await app.hash()).toBe(before);
});

test('a record is found by any of its unique lists, and never made equal to another', async () => {
  const id = await startService(app);
  const line = `/services/${id}/extensions/Line`;
  await app.rest('PUT', line, {
    body: [
      { no: 1, article: 'a', day: '2026-01-01' },
      { no: 2, article: 'a', day: '2026-01-02' },
    ],
  });
  const update = (body: unknown) => app.rest('PUT', `${line}/by/unique`, { rawBody: JSON.stringify(body) });

  const byNumber = await update({ NO: 1, count: 7 });
  const byPair = await update({ article: 'a', day: '2026-01-02', count: 8 });
  const before = await app.hash();
  const refused = [
    await update({ no: 1, day: '2026-01-02' }),
    await update({ article: 'a', count: 1 }),
    await update({ no: 'one' }),
    await update({ no: 1, colour: 'red' }),
    await update([{ no: 1 }]),
    await update({ no: 3, count: 1 }),
  ];

  expect([byNumber.status, byPair.status]).toEqual([204, 204]);
  expect(refused.map(({ status, json }) => [status, json.errors[0]?.path])).toEqual([
    [400, 'Line[1].article'],
    [400, 'Line'],
    [400, 'Line.no'],
    [400, 'Line.colour'],
    [400, 'Line'],
    [404, undefined],
  ]);
  expect(refused[1]?.json.errors[0].allowed).toEqual(['no', 'article, day']);
  expect(await app.hash()).toBe(before);
  expect(await extension(id, 'Line')).toEqual([
    { no: 1, article: 'a', day: '2026-01-01', count: 7 },
    { no: 2, article: 'a', day: '2026-01-02', count: 8 },
  ]);
});

test('a deletion that is repeated with its key is answered as done, without it there is no such record', async () => {
  const id = await startService(app);
  const line = `/services/${id}/extensions/Line`;
  await app.rest('PUT', line, { body: [{ no: 1, article: 'a' }] });
  const headers = { 'idempotency-key': `delete ${id}` };
  const remove = (given: Record<string, string>) =>
    app.rest('PUT', `${line}/delete/by/unique`, { body: { no: 1 }, headers: given });

  const answers = [await remove(headers), await remove(headers), await remove({})];

  expect(answers.map(({ status }) => status)).toEqual([204, 204, 404]);
  expect(answers[1]?.headers['idempotency-replayed']).toBe('true');
  expect(await extension(id, 'Line')).toEqual([]);
});

test('a version that is stale stops a merge before it looks at what is stored', async () => {
  const id = await startService(app, { customer_id: 'c', Map: { a: 1 } });
  const merge = (version: number) =>
    app.rest('PUT', `${base85}/services/${id}/extensions/Map/merge`, {
      body: { b: 2 },
      headers: { 'if-match': `"${version}"` },
    });

  const answers = [await merge(2), await merge(1), await merge(1)];

  expect(answers.map(({ status }) => status)).toEqual([412, 200, 412]);
  expect(answers[1]?.headers['etag']).toBe('"2"');
});

test('the limit of a service counts the extensions of its states and tasks, and merged values have one of their own', async () => {
  const id = await startService(app);
  const text = 'x'.repeat(32_000);
  for (const parts of ['states', 'tasks']) {
    await app.rest('POST', `${base85}/services/${id}/${parts}/start`, {
      body: { k1: text, k2: text, k3: text },
    });
  }
  await app.rest('PUT', `${base85}/services/${id}/extensions/k1`, { body: text });
  await app.rest('PUT', `${base85}/services/${id}/extensions/Map`, { body: { a: 'x'.repeat(30_000) } });
  const before = await app.hash();

  const together = await app.rest('PUT', `${base85}/services/${id}/states/0/extensions/k4`, { body: text });
  const start = await app.rest('POST', `${base85}/services/${id}/tasks/start`, { body: { k1: text } });
  const merged = await app.rest('PUT', `${base85}/services/${id}/extensions/Map/merge`, {
    body: { b: 'x'.repeat(3_000) },
  });
  const unchanged = await app.hash();
  const replaced = await app.rest('PUT', `${base85}/services/${id}/states/0/extensions/k1`, {
    body: `${text}y`,
  });

  expect([together.status, start.status, merged.status]).toEqual([413, 413, 413]);
  expect(together.json.errors[0].path).toBe('extensions');
  expect(merged.json.errors[0].path).toBe('Map');
  expect(unchanged).toBe(before);
  expect(replaced.status).toBe(200);
});

test('an extension is written to what has ended, is removed by null, and its name cannot be reserved', async () => {
  const id = await startService(app);
  await app.rest('POST', `${base85}/services/${id}/states/start`, { body: {} });
  await app.rest('POST', `${base85}/services/${id}/end`);
  const put = (path: string, body: string) =>
    app.rest('PUT', `${base85}/services/${id}/states/0/extensions/${path}`, { rawBody: body });

  const answers = [await put('Note', '"late"'), await put('note', 'null'), await put('completed', '1')];
  const without = await app.rest('PUT', `${base85}/services/${id}/extensions/Note`);

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(answers[2]?.json.errors).toEqual([{ path: 'completed', message: 'is reserved' }]);
  expect(without.status).toBe(400);
  const { json } = await app.rest('GET', `/services/${id}/states/0?extensions=*`);
  expect(Object.keys(json)).not.toContain('Note');
});

async function extension(id: number, name: string): Promise<unknown> {
  const { json } = await app.rest('GET', `/services/${id}?extensions=${name}`);
  return json[name];
}
