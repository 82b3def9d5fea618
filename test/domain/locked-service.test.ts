import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestApp } from '../harness.js';
import { startService } from '../seeds.js';

test('services that somebody keeps locked are answered 503 after a while, and keep no other waiting', async () => {
  await using app = await createTestApp();
  const locked = [await startService(app), await startService(app), await startService(app)];
  const others = await Promise.all(Array.from({ length: 30 }, () => startService(app)));
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query('select from service where id = any($1) for update', [locked]);
  const associate = (id: number) =>
    app.rest('POST', `/genesys/1/cs/customers/moved/services/${id}`, { body: { Note: 1 } });

  const answered: number[] = [];
  const answers = [...locked, ...others].map(async (id) => {
    const answer = await associate(id);
    answered.push(id);
    return answer;
  });
  const all = await Promise.all(answers);
  await client.query('rollback');
  await client.end();
  const again = await Promise.all(locked.map(associate));

  const [held, free] = [all.slice(0, 3), all.slice(3)];
  for (const { status, json, headers } of held) {
    expect([status, json.code, headers['retry-after']]).toEqual([503, 'UNAVAILABLE', '1']);
  }
  expect(free.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(answered.slice(-3).sort()).toEqual([...locked].sort());
  expect(again.map(({ status, headers }) => [status, headers['etag']])).toEqual(
    locked.map(() => [200, '"2"']),
  );
});
