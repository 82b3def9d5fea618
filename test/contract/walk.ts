import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bare, base85 } from '../rest/calls.js';
import { expectAnswer, expectProblem, expectShown } from './answers.js';
import { commonRefusals } from './common-refusals.js';
import {
  type Base,
  bases,
  call,
  type Example,
  type Examples,
  type Refusal,
  type Row,
  refused,
  spoil,
} from './row.js';
import { defineExtensions, now, type Scene, setScene } from './scene.js';
import { allRows, type Tables } from './tables.js';

/** Calls every operation of the tables as its row says, under both base paths. */
export function walk(tables: Tables): void {
  describe.each(Object.entries(tables))('%s', (_, table) => {
    let app: TestApp;
    let scenes: Map<string, Promise<Scene>>;
    beforeAll(async () => {
      app = await createTestApp({ now: () => now });
      await defineExtensions(app);
      await table.prepare?.(app);
      scenes = await setScenes(app, table.rows);
    });
    afterAll(() => app[Symbol.asyncDispose]());

    for (const row of table.rows) {
      for (const base of bases) {
        describe(`${row.operation}: ${row.method} ${base}${row.path}`, () => {
          const stage: Stage = async (act) => {
            const the = await scenes.get(sceneKey(row, base, act));
            if (!the) throw new Error('There is no scene for that.');
            return { app, the: { ...the, base } };
          };
          testWithoutEffect(stage, () => {
            testRefusals(row, base, stage);
            if (isUnder(base, row) && row.method === 'GET') testQueries(row, base, stage);
          });
          if (isUnder(base, row) && row.method !== 'GET') testActs(row, base, stage);
        });
      }
    }
  });
}

/**
 * What changes something has a scene of its own; all else of a kind has one together. Where an
 * operation is none, that of the other base path will do.
 */
function sceneKey(row: Row, base: Base, act?: string): string {
  const { only = base, scene } = row;
  return act === undefined ? `${scene} ${only}` : `${allRows.indexOf(row)} ${base} ${act}`;
}

/** All at once, which is much faster than one after another. */
async function setScenes(app: TestApp, rows: readonly Row[]): Promise<Map<string, Promise<Scene>>> {
  const scenes = new Map<string, Promise<Scene>>();
  for (const [row, base] of rows.flatMap((row) => bases.map((base) => [row, base] as const))) {
    const acts = row.method === 'GET' || !isUnder(base, row) ? [] : Object.keys(examplesOf(row, base));
    for (const key of [sceneKey(row, base), ...acts.map((act) => sceneKey(row, base, act))]) {
      if (!scenes.has(key)) scenes.set(key, setScene(app, row.only ?? base, row.scene));
    }
  }
  await Promise.allSettled(scenes.values());
  return scenes;
}

/** Where to act; without an act, where nothing changes. */
type Stage = (act?: string) => Promise<{ app: TestApp; the: Scene }>;

/** Asks once for all of the tests: to see which one has an effect, run it alone. */
function testWithoutEffect(stage: Stage, tests: () => void): void {
  describe('without effect', () => {
    let before: string;
    beforeAll(async () => {
      const { app } = await stage();
      before = await app.hash();
    });
    afterAll(async () => {
      const { app } = await stage();
      expect(await app.hash()).toBe(before);
    });

    tests();
  });
}

function testRefusals(row: Row, base: Base, stage: Stage): void {
  const refusals = refusalsOf(row, base).map((refusal) => [refusal.what, refusal.status, refusal] as const);
  test.each(refusals)('refuses %s: %d', async (_what, _status, refusal) => {
    const { app, the } = await stage();
    const [example = {}] = Object.values(examplesOf(row, base)).map((make) => make(the));

    const answer = await call(app, row, the, spoil(example, refusal.defect));

    expectProblem(answer, refusal);
  });
}

function testQueries(row: Row, base: Base, stage: Stage): void {
  test.each(Object.entries(examplesOf(row, base)))('%s', async (_, make) => {
    const { app, the } = await stage();
    const example = make(the);

    const answer = await call(app, row, the, example);

    expectAnswer(answer, example, the);
  });
}

/** Each call is sent twice with one key, and acts once. */
function testActs(row: Row, base: Base, stage: Stage): void {
  test.each(Object.entries(examplesOf(row, base)))('%s', async (act, make) => {
    const { app, the } = await stage(act);
    const example = make(the);
    const request = spoil(example, {
      headers: { ...matching(row, example), 'idempotency-key': `${the.base}{number} ${act}` },
    });

    const answer = await call(app, row, the, request);
    const before = await app.hash();
    const again = await call(app, row, the, request);

    const newId = expectAnswer(answer, example, the);
    expectAnswer(again, example, the);
    expect(await app.hash()).toBe(before);
    await expectShown(app, the, example, newId);
  });
}

/** The version that the service has before the act. */
function matching({ path }: Row, { answers }: Example): Record<string, string> {
  return path.includes('{service_id}') && answers.etag ? { 'if-match': `"${answers.etag - 1}"` } : {};
}

export function isUnder(base: Base, { only = base }: Row): boolean {
  return only === base;
}

export function examplesOf(row: Row, base: Base): Examples {
  const own = { [bare]: row.in80, [base85]: row.in85 }[base];
  return { ...row.examples, ...own };
}

export function refusalsOf(row: Row, base: Base): readonly Refusal[] {
  if (!isUnder(base, row)) return absence(row, base);
  const own = row.refusals.filter(({ under }) => under === undefined || under === base);
  return [...commonRefusals(row, methodsAt(row, base)), ...own];
}

/** Where an operation is none, the path is unknown, whatever comes with it. */
function absence(row: Row, base: Base): readonly Refusal[] {
  return [
    refused('what is no operation here', 404, {}),
    refused('what is none with any body', 404, { rawBody: '{' }),
    refused('what is none with any type', 404, { rawBody: 'a', headers: { 'content-type': 'text/plain' } }),
    ...(methodsAt(row, base).length > 0 ? [] : [refused('any other method', 404, { method: 'PATCH' })]),
  ];
}

/** What there is at the row's path; what GET answers, HEAD does. */
function methodsAt({ path }: Row, base: Base): string[] {
  const here = allRows.filter((row) => row.path === path && isUnder(base, row));
  return [...new Set(here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}
