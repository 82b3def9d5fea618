import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { contentOf, contentTables, exported, hashIn, on } from '../cli/transfer.js';
import { createTestDatabase } from '../databases.js';
import { createTestApp } from '../harness.js';
import { createStage, runSequences } from '../model/sequences.js';
import { project } from '../process.js';
import { rounds } from './rounds.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'context-gateway-transfer-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('whatever random calls leave behind is the same after an export and an import, with the same hash', async () => {
  await using stage = await createStage();
  await runSequences(stage, { seed: 7, sequences: 25, mostSteps: 18, limitSeconds: 280 });
  const source = stage.app;
  // Each sequence has had a tenant of its own.
  await source.sql("update service set tenant = 'default'");
  await source.sql("delete from extension_schema where tenant <> 'default'");
  await using target = await createTestApp();

  const before = await exported(source);
  const { code, stdout, stderr } = await on(target, 'import -', { input: before });
  const after = await exported(target);

  const [row] = await source.sql<{ count: number }>('select count(*)::int as count from service');
  expect([code, stdout, stderr]).toEqual([
    0,
    `${row?.count} services imported, 0 there already, 0 lines refused\n`,
    '',
  ]);
  expect(hashIn(after)).toBe(hashIn(before));
  expect(await contentOf(target)).toEqual(await contentOf(source));
  for (const table of contentTables) {
    expect(await target.sql(`select from ${table} limit 5`), table).toHaveLength(5);
  }
  expect(await target.sql('select from event')).toEqual([]);
}, 400_000);

const services = rounds(50_000);
const mebibyte = 1024 * 1024;
/** Of the gateway's programs, on the database at hand. */
const sessions =
  "pg_stat_activity where datname = current_database() and application_name like 'context-gateway%'";

test(`an import of ${services} services that is killed five times ends as if it had not been, in little memory`, async () => {
  await using source = await createTestDatabase(inject('serverUrl'));
  await using target = await createTestDatabase(inject('serverUrl'));
  await fill(source.connectionString);
  const file = join(folder, 'all.ndjson.gz');

  const began = performance.now();
  const exporting = await runCli(source.connectionString, ['export', file]);
  const exportedAfter = performance.now();
  const kills: number[] = [];
  const count = (table: string) => countOf(target.connectionString, table);
  while (kills.length < 5) {
    const enough = (kills.at(-1) ?? 0) + services / 25;
    await runCli(target.connectionString, ['import', file], async () => (await count('service')) >= enough);
    // What was sent by then may still be committed.
    await expect.poll(() => count(sessions)).toBe(0);
    kills.push(await count('service'));
  }
  const resumedAt = performance.now();
  const importing = await runCli(target.connectionString, ['import', file]);
  const importedAfter = performance.now();

  const speed = (from: number, to: number, count: number) => Math.round(count / ((to - from) / 1_000));
  console.log(
    `export ${speed(began, exportedAfter, services)}/s, ${Math.round((await stat(file)).size / mebibyte)} MiB, ${exporting.rssMebibytes} MiB of memory;`,
    `import ${speed(resumedAt, importedAfter, services)}/s with ${kills.at(-1)} there already, ${importing.rssMebibytes} MiB; after each kill: ${kills.join(', ')}`,
  );
  expect(exporting).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${services.toLocaleString('en')} services`),
  });
  expect(kills.at(-1)).toBeLessThan(services);
  const [, imported = '', there = ''] =
    /^([\d,]+) services? imported, ([\d,]+) there already, 0 lines refused\n$/.exec(importing.stdout) ?? [];
  expect([imported, there].map((count) => Number(count.replace(',', '')))).toEqual([
    services - (kills.at(-1) ?? 0),
    kills.at(-1),
  ]);
  expect(hashIn(await exported(target))).toBe(exporting.stdout.split(' ')[0]);
  for (const table of contentTables) {
    expect(await countOf(target.connectionString, table), table).toBe(
      await countOf(source.connectionString, table),
    );
  }
  expect(Math.max(exporting.rssMebibytes, importing.rssMebibytes)).toBeLessThan(600);
}, 600_000);

/** Services with an extension of 1 kB, two states, a task and a history each. */
async function fill(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const part = (table: string, count: number) => `insert into ${table} (tenant, service_id, id, started_at)
    select tenant, s.id, part, started_at from service s, generate_series(0, ${count - 1}) part`;
  for (const statement of [
    `insert into service (tenant, customer_id, service_type, started_at, updated_at, next_state_id, next_task_id)
     select 'default', 'c' || n % 100, '100', timestamptz '2020-01-01Z' + n * interval '1 second', now(), 2, 1
     from generate_series(1, ${services}) n`,
    part('state', 2),
    part('task', 1),
    `insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
     select tenant, id, 'SERVICE', 0, 'note', 'Note', jsonb_build_object('text', repeat(md5(id::text), 32)), 1039
     from service`,
    `insert into association (tenant, service_id, version, kind, to_customer_id, front, request_id, occurred_at, recorded_at)
     select tenant, id, 1, 'START', customer_id, 'REST', 'r', started_at, started_at from service`,
    'analyze',
  ]) {
    await client.query(statement);
  }
  await client.end();
}

async function countOf(connectionString: string, table: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(`select count(*)::int as count from ${table}`);
  await client.end();
  return rows[0].count;
}

type CliRun = { code: number | null; stdout: string; rssMebibytes: number };

/** As a process of its own, killed as soon as that is so, or left to end by itself. */
async function runCli(
  connectionString: string,
  args: string[],
  isEnough?: () => Promise<boolean>,
): Promise<CliRun> {
  const child = spawn(process.execPath, ['dist/cli.js', ...args], {
    cwd: project,
    env: { PATH: process.env['PATH'], DATABASE_URL: connectionString },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const ended = once(child, 'close');
  let rssMebibytes = 0;
  while (child.exitCode === null && child.signalCode === null) {
    rssMebibytes = Math.max(rssMebibytes, await rssOf(child.pid));
    if (await isEnough?.()) child.kill('SIGKILL');
    await sleep(20);
  }
  await ended;
  return { code: child.exitCode, stdout, rssMebibytes };
}

/** 0 where the system does not tell. */
async function rssOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
