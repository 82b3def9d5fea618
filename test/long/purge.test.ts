import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bootGateway, type Gateway } from '../process.js';

const count = 100_000;
/** Of every four services three are anonymous; of every three two are completed. */
const isMatched = 'n % 4 > 0 and n % 3 <> 0 and n <= 90000';

/** With a straight way to the database, for looking. */
let observer: TestApp;

beforeAll(async () => {
  observer = await createTestApp();
  // A second apart: the limit is the start of n = 90,001.
  await observer.sql(
    `insert into service (tenant, id, customer_id, contact_key, started_at, completed_at, updated_at, next_state_id, version)
     select 'default', n, case when n % 4 = 0 then 'c' end, 'k',
       '2020-01-01Z'::timestamptz + (n - 1) * interval '1 second',
       case when n % 3 > 0 then '2021-01-01Z'::timestamptz end, '2021-01-01Z', 1, 1 + n % 5
     from generate_series(1, ${count}) n`,
  );
  await observer.sql(
    `insert into state (tenant, service_id, id, started_at) select tenant, id, 0, started_at from service`,
  );
  await observer.sql(
    `insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
     select tenant, id, 'SERVICE', 0, 'a', 'a', '{}', 3 from service`,
  );
  await observer.sql("select setval('service_id_seq', (select max(id) from service))");
}, 120_000);
afterAll(() => observer[Symbol.asyncDispose]());

test('a purge of 100,000 services whose gateway is killed five times deletes and counts each once', async () => {
  const limit = '2020-01-02T01:00:00Z'; // 90,000 seconds on
  const wanted = await numbersOf(`select n from generate_series(1, ${count}) n where not (${isMatched})`);
  let gateway = await boot();
  const begun = await post(gateway, '/maintenance/purge', {
    operation: 'purge.service.completed.anonymous',
    limit,
  });
  const path = `/maintenance/purge/${begun.purge_id}`;
  const seen: number[] = [];

  for (let kill = 1; kill <= 5; kill++) {
    // Each time somewhere else in a batch, once it has gone on.
    seen.push(await progressBeyond(seen.at(-1) ?? 0));
    await sleep(Math.random() * 100);
    await gateway.kill();
    gateway = await boot();
  }
  const ended = await untilDone(gateway, path);
  await gateway.interrupt();

  console.log(`killed at ${seen.join(', ')} of ${begun.matched}`);
  expect(new Set(seen).size).toBe(5);
  expect(begun.matched).toBe(count - wanted.length);
  expect(ended).toMatchObject({ status: 'done', matched: begun.matched, deleted: begun.matched });
  expect(await numbersOf('select id as n from service order by id')).toEqual(wanted);
  expect(await numbersOf('select service_id as n from state order by 1')).toEqual(wanted);
  expect(await numbersOf('select service_id as n from extension order by 1')).toEqual(wanted);
  const events = await observer.sql<{ events: string; services: string; right: string }>(
    `select count(*) as events, count(distinct service_id) as services,
       count(*) filter (where type = 'SERVICE_DELETED' and version = 2 + service_id % 5) as right from event`,
  );
  const each = String(begun.matched);
  expect(events).toEqual([{ events: each, services: each, right: each }]);
}, 300_000);

function boot(): Promise<Gateway> {
  const environment = {
    DATABASE_URL: observer.connectionString,
    LOG_LEVEL: 'info',
    SWEEP_INTERVAL: '1s',
  };
  return bootGateway({ environment });
}

async function post({ url }: Gateway, path: string, body: object) {
  const answer = await fetch(`${url}/genesys/1/cs${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as { purge_id: number; matched: number };
}

async function progressBeyond(deleted: number): Promise<number> {
  for (;;) {
    const [purge] = await observer.sql<{ deleted: string; status: string }>(
      'select deleted, status from purge',
    );
    if (Number(purge?.deleted) > deleted) return Number(purge?.deleted);
    if (purge?.status !== 'RUNNING') throw new Error('the purge was done before it was killed five times');
    await sleep(5);
  }
}

async function untilDone({ url }: Gateway, path: string): Promise<unknown> {
  for (;;) {
    const progress = (await (await fetch(`${url}/genesys/1/cs${path}`)).json()) as { status: string };
    if (progress.status !== 'running') return progress;
    await sleep(50);
  }
}

async function numbersOf(query: string): Promise<number[]> {
  return (await observer.sql<{ n: string }>(query)).map(({ n }) => Number(n));
}
