import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTestApp } from '../harness.js';
import { createExampleSchemas } from '../seeds.js';
import { expectProblem } from './answers.js';
import { operations } from './operations.js';
import { bases, call, refused } from './row.js';
import { defineExtensions, now, setScene } from './scene.js';
import { allRows, tablesOfServices } from './tables.js';
import { examplesOf, isUnder, refusalsOf, walk } from './walk.js';

test('every operation of the contract has a row', () => {
  const known = new Set(allRows.map(({ operation }) => operation));

  expect([...known].sort()).toEqual(operations.toSorted());
});

test.each(bases)('every row has an example and three refusals under "%s"', (base) => {
  for (const row of allRows.filter((row) => isUnder(base, row))) {
    expect(Object.keys(examplesOf(row, base)).length, row.path).toBeGreaterThanOrEqual(1);
    expect(refusalsOf(row, base).length, row.path).toBeGreaterThanOrEqual(3);
  }
});

walk(tablesOfServices);

describe.each(bases)('under "%s"', (base) => {
  test('the published example of an association answers 200 with nothing, and all of it is kept', async () => {
    await using app = await createTestApp({ now: () => now });
    await createExampleSchemas(app);
    await app.sql("select setval('service_id_seq', 1499)");
    await app.rest('POST', `${base}/services/start`, {
      body: { customer_id: '0004Va58A92T0017', service_type: 100, timestamp: '2009-05-12T12:00:00Z' },
    });
    const text = await readFile(join(import.meta.dirname, '../published-example.txt'), 'utf8');
    const [, path, rawBody] = /^POST (\S+)\n(.*)$/s.exec(text) ?? [];

    const answer = await app.rest('POST', `${base}${path}`, { rawBody: `${rawBody}` });

    expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"2"' } });
    const { timestamp: _, Feedback, Satisfaction, disposition, ...given } = JSON.parse(`${rawBody}`);
    const { json } = await app.rest('GET', `${base}/customers/0004Va58A92T0018/services?extensions=*`);
    expect(json).toEqual([
      {
        service_id: 1500,
        service_type: 100,
        customer_id: '0004Va58A92T0018',
        disposition,
        started: { ...given, timestamp: '2009-05-12T12:00:00.000Z' },
        Feedback,
        Satisfaction,
      },
    ]);
  });
});

test('in maintenance all that is done with services answers 503, and changes nothing', async () => {
  await using app = await createTestApp({ now: () => now });
  await defineExtensions(app);
  const scenes = await Promise.all(bases.map((base) => setScene(app, base, 'states and tasks')));
  await app.rest('POST', '/server/mode', { body: { mode: 'maintenance' } });
  const before = await app.hash();

  const rows = allRows.filter(({ path }) => /^\/(services|customers)/.test(path));
  for (const the of scenes) {
    for (const row of rows.filter((row) => isUnder(the.base, row))) {
      const [example = {}] = Object.values(examplesOf(row, the.base)).map((make) => make(the));

      const answer = await call(app, row, the, example);

      expectProblem(answer, refused('it', 503, {}));
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
  }
  expect(await app.hash()).toBe(before);
});
