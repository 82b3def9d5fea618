import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { startService } from './seeds.js';

let app: TestApp;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const headers = { 'x-request-id': 'call-1', traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
const customer = 'customer-4711';

beforeAll(async () => {
  app = await createTestApp({ settings: { SLOW_STATEMENT: '50ms' } });
});
afterAll(() => app[Symbol.asyncDispose]());

/** What is logged of statements about a table that were kept waiting by a lock of it. */
async function slowDuring(table: string, act: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query(`lock table ${table} in access exclusive mode`);
  const before = app.log.length;
  const acting = act();
  await expect.poll(waiting).toBeGreaterThan(0);
  await blocker.query('select pg_sleep(0.06)');
  await blocker.query('rollback');
  await blocker.end();
  await acting;
  return slowSince(before).filter(({ statement }) => new RegExp(`\\b${table}\\b`).test(String(statement)));
}

function slowSince(line: number): Record<string, unknown>[] {
  return app.log.slice(line).filter(({ msg }) => msg === 'slow statement');
}

async function waiting(): Promise<number> {
  const rows = await app.sql(`select from pg_stat_activity where datname = current_database()
    and wait_event_type = 'Lock' and application_name = 'context-gateway'`);
  return rows.length;
}

test('a change that takes long is logged with its statement and its call, and nothing of what is changed', async () => {
  const id = await startService(app);

  const lines = await slowDuring('service', () =>
    app.rest('POST', `/customers/${customer}/services/${id}`, { headers }),
  );

  expect(lines[0]).toMatchObject({
    ...{ level: 40, reqId: 'call-1', trace_id: traceId, commands: 1 },
    statement: expect.stringMatching(/update service/i),
    milliseconds: expect.any(Number),
  });
  expect(Number(lines[0]?.['milliseconds'])).toBeGreaterThanOrEqual(50);
  expect(JSON.stringify(lines)).not.toContain(customer);
});

test('changes that travelled in one batch are all named', async () => {
  const ids = await Promise.all([1, 2, 3, 4, 5, 6].map(() => startService(app)));
  const call = (id: number) =>
    app.rest('POST', `/customers/${customer}/services/${id}`, { headers: { 'x-request-id': `call-${id}` } });
  await app.sql(`create function slow() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.2); return new; end $$`);
  await app.sql('create trigger slow before update on service for each row execute function slow()');
  const before = app.log.length;

  // Two are in flight at a time: the others travel together behind them.
  await Promise.all(ids.map(call));
  await app.sql('drop function slow cascade');

  const lines = slowSince(before);
  const calls = lines.flatMap(({ calls = [] }) => calls as { reqId: string; trace_id: string }[]);
  const named = [...lines, ...calls].map(({ reqId }) => reqId);
  expect(calls.length).toBeGreaterThan(1);
  expect(named).toEqual(expect.arrayContaining(ids.map((id) => `call-${id}`)));
});

test('so is what reads, with how many rows it read', async () => {
  const id = await startService(app);

  const lines = await slowDuring('service', () => app.rest('GET', `/services/${id}`, { headers }));

  expect(lines).toEqual([
    expect.objectContaining({
      ...{ reqId: 'call-1', trace_id: traceId, rows: 1 },
      statement: expect.stringMatching(/select/i),
    }),
  ]);
});

test('so is what Prisma’s client asks, without its call', async () => {
  const id = await startService(app, { customer_id: customer });
  const query = `{ service(id: "${id}") { associations { nodes { reason } } } }`;

  const lines = await slowDuring('association', () => app.rest('POST', '/graphql', { body: { query } }));

  expect(lines).toEqual([expect.objectContaining({ statement: expect.stringMatching(/association/) })]);
  expect(lines[0]).not.toHaveProperty('reqId');
  expect(JSON.stringify(lines)).not.toContain(customer);
});

test('what is quick enough is not logged', async () => {
  await using patient = await createTestApp({ settings: { SLOW_STATEMENT: '1h' } });

  await startService(patient);

  expect(patient.log.filter(({ msg }) => msg === 'slow statement')).toEqual([]);
});
