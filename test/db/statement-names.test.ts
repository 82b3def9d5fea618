import { afterAll, beforeAll, expect, test } from 'vitest';
import { StatementNames } from '../../src/db/statement-names.js';
import { createTestApp, type TestApp } from '../harness.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('what is marked gets a name of its own and keeps it; nothing else has one', () => {
  const names = new StatementNames();

  const given = ['/* write */ select 1', '\n  /* read */ select 1', 'select 1'].map((text) =>
    names.nameOf(text),
  );

  expect(given).toEqual(['write_1', 'read_2', undefined]);
  expect(names.nameOf('/* write */ select 1')).toBe('write_1');
});

test('reads of any number of kinds leave writes their names', () => {
  const names = new StatementNames();

  const reads = Array.from({ length: 5_000 }, (_, n) => names.nameOf(`/* read */ select ${n}`));

  expect(reads.filter((name) => name !== undefined)).toHaveLength(100);
  expect(names.nameOf('/* write */ select 1')).toBe('write_101');
});

test('connections keep the statements of writes and of lists', async () => {
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: 'anna' } });
  const id = json.service_id;
  for (let count = 0; count < 20; count++) {
    await app.rest('POST', `/customers/bert/services/${id}`);
    await app.rest('GET', '/customers/bert/services/active?extensions=*');
  }

  const kept = await keptStatements();

  expect(kept.some((text) => text.includes('update service'))).toBe(true);
  expect(kept.some((text) => text.includes('from service s'))).toBe(true);
});

test('a plan that was made while a table was empty looks rows up by its index all the same', async () => {
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: 'anna' } });
  const write = () =>
    app.rest('POST', `/genesys/1/cs/customers/bert/services/${json.service_id}`, {
      body: { Note: { a: 1 } },
    });
  await app.sql('analyze service');
  for (let count = 0; count < 50; count++) await write();
  await app.sql(
    `insert into service (tenant, customer_id, started_at, updated_at)
     select 'default', 'c' || n, now(), now() from generate_series(1, 20000) n`,
  );
  const before = await rowsScanned();

  for (let count = 0; count < 50; count++) await write();

  expect((await rowsScanned()) - before).toBeLessThan(20_000);
});

/** On the connections of the app: all are asked at once, so that each is. */
async function keptStatements(): Promise<string[]> {
  const { prisma } = app.gateway.database.admin;
  const asked = Array.from(
    { length: 8 },
    () =>
      prisma.$queryRaw<{ statements: string[] }[]>`
      select array(select statement from pg_prepared_statements) as statements, pg_sleep(0.2)::text`,
  );
  return (await Promise.all(asked)).flatMap((rows) => rows.flatMap(({ statements }) => statements));
}

/** Of services, by scans of the table or by ranges of an index. Sessions tell what they did now and then. */
async function rowsScanned(): Promise<number> {
  await Promise.all(
    Array.from(
      { length: 8 },
      () =>
        app.gateway.database.admin.prisma
          .$queryRaw`select pg_stat_force_next_flush()::text, pg_sleep(0.1)::text`,
    ),
  );
  const [row] = await app.sql<{ rows: number }>(
    "select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_user_tables where relname = 'service'",
  );
  return row?.rows ?? 0;
}
