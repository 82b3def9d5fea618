import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/logger.js';
import { createTemplate, type TestDatabase } from '../databases.js';
import { createTestApp, type TestApp } from '../harness.js';
import { type Server, startServer } from '../server.js';
import { acts } from './acts.js';
import { createMillion, now, secondaryIndexes } from './million.js';
import { createPlanTap, type PlanTap, tellPlans } from './plan-tap.js';
import { type Access, accessOf } from './plans.js';
import { reads } from './reads.js';

/** Of its own: no other test's events wait for what takes so long to insert. */
let server: Server;
let database: TestDatabase;
type Found = { name: string; mode: string; access: Access };
const found: Found[] = [];

beforeAll(async () => {
  const logger = createLogger('warn');
  server = await startServer(logger);
  await createTemplate(server.url, logger);
  database = await createMillion(server.url);
}, 300_000);
afterAll(async () => {
  await server.stop();
  console.log(tableOf(found));
});

/** Statements that have a name are planned either way: as seems cheaper to PostgreSQL. */
describe.each([
  ['for these values', 'force_custom_plan'],
  ['for any values', 'force_generic_plan'],
] as const)('beside a million services, planned %s, it takes no more than it should:', (mode, setting) => {
  let tap: PlanTap;
  let app: TestApp;
  beforeAll(async () => {
    await tellPlans(database.connectionString, setting);
    tap = await createPlanTap(database.connectionString);
    app = await createTestApp({ now: () => now, database: tap });
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await tap[Symbol.asyncDispose]();
  });

  test.each([...reads, ...acts].map((ask) => [ask.name, ask] as const))('%s', async (name, {
    ask,
    by,
    rows,
    statements,
    walks,
  }) => {
    // What is kept for a while is looked up by then.
    await ask(app);
    tap.take();

    await ask(app);

    const access = accessOf(tap.take());
    found.push({ name, mode, access });
    const secondary = access.indexes.filter((index) => !index.endsWith('_pkey'));
    expect(secondary.filter((index) => !by.includes(index))).toEqual([]);
    expect(access.walked.filter((table) => table !== walks)).toEqual([]);
    if (!walks && by.length > 0) expect(secondary).not.toEqual([]);
    expect(access.rows).toBeLessThanOrEqual(rows);
    if (statements !== undefined) expect(access.statements).toBe(statements);
  });
});

test('each index is gone by somewhere: every one makes writing dearer', async () => {
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(secondaryIndexes);
  await client.end();

  const used = new Set(found.flatMap(({ access }) => access.indexes));
  expect(rows.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
});

/** What was found, a line each: as one line where both ways of planning came to the same. */
function tableOf(rows: readonly Found[]): string {
  const lines = new Map<string, string[]>();
  for (const { name, mode, access } of rows) {
    const walked = access.walked.map((table) => `all of ${table}`);
    const cells = [String(access.statements).padStart(2), [...access.indexes, ...walked].join(' '), name];
    const line = cells.join(' | ').slice(0, 200);
    lines.set(line, [...(lines.get(line) ?? []), `${access.rows} rows ${mode}`]);
  }
  return [...lines].map(([line, modes]) => `${line} | ${modes.join(', ')}`).join('\n');
}
