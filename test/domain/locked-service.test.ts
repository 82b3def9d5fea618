import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestApp } from '../harness.js';
import { startService } from '../seeds.js';

test('a service that somebody keeps locked is answered 503 after a while, and keeps no other waiting longer', async () => {
  await using app = await createTestApp();
  const locked = await startService(app);
  const others = await Promise.all(Array.from({ length: 30 }, () => startService(app)));
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = $1 for update', [locked]);
  const associate = (id: number) =>
    app.rest('POST', `/genesys/1/cs/customers/moved/services/${id}`, { body: { Note: 1 } });

  const [held, ...free] = await Promise.all([locked, ...others].map(associate));
  await client.query('rollback');
  await client.end();
  const again = await associate(locked);

  expect([held?.status, held?.json.code, held?.headers['retry-after']]).toEqual([503, 'UNAVAILABLE', '1']);
  expect(free.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(again.status).toBe(200);
  expect(again.headers['etag']).toBe('"2"');
});
