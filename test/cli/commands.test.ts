import { expect, inject, test } from 'vitest';
import { readCommand } from '../../src/cli/commands.js';
import { Progress } from '../../src/cli/progress.js';
import { createTestDatabase, execute } from '../databases.js';
import { createTestApp } from '../harness.js';
import { run } from './terminal.js';
import { on } from './transfer.js';

test('each command says how it is written, and all together what they are for', async () => {
  const overview = await run('--help');
  const one = await run('purge --help');
  const group = await run('key -h');
  const version = await run('--version');

  const commands = [...overview.stdout.matchAll(/^ {2}(\S+( \S+)?) {2,}/gm)].map(([, name]) => name);
  expect(commands).toEqual([
    ...['start', 'migrate', 'seed', 'tenant create', 'tenant list', 'key create', 'key list', 'key revoke'],
    ...['apply', 'purge', 'export', 'import', 'doctor'],
  ]);
  expect(one.stdout).toMatch(
    /^context-gateway purge all\|started\|.* \[--before TIME\] .*\n {2}deletes services/,
  );
  expect(group.stdout.match(/^context-gateway key \w+/gm)).toHaveLength(3);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect([overview, one, group, version].map(({ code, stderr }) => [code, stderr])).toEqual(
    Array(4).fill([0, '']),
  );
});

test('what a command lacks and has too much is told at once', () => {
  expect(() => readCommand(['nothing', '--help'])).toThrow('There is no command "nothing".');
  expect(() => readCommand(['purge', 'some', '--before', 'today', '--gently'])).toThrow(
    /OPERATION must be one of all, started, .*\n--before must be an ISO 8601 date .*\n--gently is no option/,
  );
  expect(() => readCommand(['export'])).toThrow(/^FILE is required\n/);
  expect(() => readCommand(['migrate', '--json'])).toThrow(/^--json goes with --status\n/);
});

test('migrations are listed, applied once, and listed as applied', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await execute(database.connectionString, 'drop schema public cascade; create schema public');

  const before = await on(database, 'migrate --status');
  const first = await on(database, 'migrate');
  const again = await on(database, 'migrate');
  const after = await on(database, 'migrate --status --json');

  const names = first.stdout.trimEnd().split('\n');
  expect([before.code, before.stdout]).toEqual([1, names.map((name) => `pending  ${name}\n`).join('')]);
  expect([first.code, first.stderr]).toEqual([0, `${names.length} migrations applied.\n`]);
  expect(again).toEqual({ code: 0, stdout: '', stderr: 'Nothing was pending.\n' });
  expect(after.code).toBe(0);
  expect(JSON.parse(after.stdout)).toEqual(names.map((name) => ({ name, state: 'applied' })));
});

test('the demo data goes into a tenant that is empty, whatever others have', async () => {
  await using app = await createTestApp();
  const first = await on(app, 'seed');
  await on(app, 'tenant create acme');
  const second = await on(app, 'seed --tenant acme');

  await expect(on(app, 'seed')).rejects.toThrow('The tenant default is not empty: nothing was done.');
  await expect(on(app, 'seed --tenant none')).rejects.toThrow('There is no tenant none.');
  expect([first, second].map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, 'The tenant default has the demo data.\n'],
    [0, 'The tenant acme has the demo data.\n'],
  ]);
  const counts = await app.sql(
    'select tenant, min(id)::int, count(*)::int from service group by 1 order by 1',
  );
  expect(counts).toEqual([
    { tenant: 'acme', min: 1510, count: 10 },
    { tenant: 'default', min: 1500, count: 10 },
  ]);
});

test('a purge counts, deletes to the end, and is cancelled by Ctrl-C', async () => {
  await using app = await createTestApp();
  await app.sql(
    `insert into service (tenant, customer_id, started_at, completed_at, updated_at)
     select 'default', 'c', timestamptz '2025-01-01Z' + n * interval '1 hour', case when n % 2 = 0 then now() end, now()
     from generate_series(1, 100) n`,
  );
  const left = async () => (await app.sql('select from service')).length;

  const counted = await on(app, 'purge all --dry-run');
  expect([counted.code, counted.stdout, await left()]).toEqual([0, '100 services would be deleted\n', 100]);

  const early = await on(app, 'purge completed --before 2025-01-02T00:00:00Z');
  expect([early.code, early.stdout, await left()]).toEqual([0, '11 services deleted\n', 89]);

  const cut = await on(app, 'purge all', { interruption: AbortSignal.abort() });
  expect([cut.code, cut.stdout, await left()]).toEqual([130, '0 services deleted\n', 89]);
  expect(cut.stderr).toMatch(/^Purge \d+ of 89 services was cancelled\.\n$/);

  const all = await on(app, 'purge all');
  expect([all.code, all.stdout, await left()]).toEqual([0, '89 services deleted\n', 0]);
  const purges = await app.sql('select status::text from purge order by id');
  expect(purges.map(({ status }) => status)).toEqual(['DONE', 'DONE', 'CANCELLED', 'DONE']);
});

test('tenants and keys are listed as JSON, without what is secret', async () => {
  await using app = await createTestApp();
  const { stdout: key } = await on(app, 'key create --role operator --all-tenants --name admin');

  const [tenants, keys] = await Promise.all([on(app, 'tenant list --json'), on(app, 'key list --json')]);

  expect(JSON.parse(tenants.stdout)).toEqual([{ id: 'default', createdAt: expect.any(String) }]);
  expect(JSON.parse(keys.stdout)).toEqual([
    {
      ...{ id: key.split('_')[1], role: 'operator', tenants: [], name: 'admin' },
      ...{ createdAt: expect.any(String), revokedAt: null },
    },
  ]);
});

test('progress is a bar on a terminal, and seldom a line elsewhere', async () => {
  const said = (isTTY: boolean) => {
    const chunks: string[] = [];
    const stderr = { isTTY, columns: 60, write: (text: string) => chunks.push(text) > 0 };
    let milliseconds = 0;
    const clock = () => milliseconds;
    using progress = new Progress(
      { stderr } as never,
      { act: 'import', noun: 'service', total: 1_000 },
      clock,
    );
    for (const done of [0, 250, 500, 1_000]) {
      milliseconds += 4_000;
      progress.update(done, done * 2);
    }
    return chunks;
  };

  expect(said(false)).toEqual(['import  50 %  1,000 services  83/s\n']);
  const drawn = said(true);
  expect(drawn).toHaveLength(5);
  expect(drawn[1]).toBe('\r\u001b[Kimport  [######                  ] 25 %  500 services  63/s');
});
