import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestApp } from './harness.js';

test('PostgreSQL ends what takes longer than the setting says', async () => {
  await using app = await createTestApp({ settings: { STATEMENT_TIMEOUT: '7s' } });

  const rows = await app.gateway.database.admin.prisma.$queryRaw`show statement_timeout`;

  expect(rows).toEqual([{ statement_timeout: '7s' }]);
});

test('a request may take as long to come as the setting says, and be silent for little longer', async () => {
  await using app = await createTestApp({ settings: { REQUEST_TIMEOUT: '7s' } });

  const { requestTimeout, timeout } = app.server.server;

  expect([requestTimeout, timeout]).toEqual([7_000, 12_000]);
});

test('a call that takes too long is 503, which says whether anything may have changed; an export waits', async () => {
  await using app = await createTestApp({ settings: { REQUEST_TIMEOUT: '1s' } });
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query('lock table service');

  const exported = app.rest(
    'GET',
    '/genesys/1/cs/maintenance/services/stream?time_from=2020-01-01T00:00:00Z',
  );
  const [read, write, query] = await Promise.all([
    app.rest('GET', '/customers/anna/services'),
    app.rest('POST', '/genesys/1/cs/services/start', { body: { customer_id: 'anna' } }),
    app.rest('POST', '/graphql', { body: { query: '{ services { nodes { id } } }' } }),
  ]);
  await blocker.query('rollback');
  await blocker.end();

  for (const { status, headers } of [read, write, query]) {
    expect([status, headers['retry-after']]).toEqual([503, '1']);
  }
  expect([read.json.code, write.json.code]).toEqual(['UNAVAILABLE', 'OUTCOME_UNKNOWN']);
  expect(query.json.errors).toMatchObject([{ extensions: { code: 'OUTCOME_UNKNOWN' } }]);
  expect((await exported).status).toBe(200);
  expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
