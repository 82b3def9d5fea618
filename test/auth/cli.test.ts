import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { readCommand, UsageError } from '../../src/cli/commands.js';
import { createTestDatabase } from '../databases.js';
import { bootGateway, type Gateway, runGateway } from '../process.js';
import { bearer } from './makers.js';

type Run = { code: number | null; stdout: string; stderr: string };

let directory: string;
const running: Gateway[] = [];

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'context-gateway-cli-')));
  // PostgreSQL runs as another user where this is root's: it has to get there.
  await chmod(directory, 0o755);
});
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.interrupt();
});
afterAll(async () => {
  const data = await realpath(join(directory, 'postgres')).catch(() => directory);
  if (!data.startsWith(directory)) await rm(dirname(data), { recursive: true });
  await rm(directory, { recursive: true, force: true });
});

/** The command line as a process of its own. */
async function cli(
  line: string,
  environment: Record<string, string> = { DATA_DIR: directory },
  input?: string,
): Promise<Run> {
  const child = spawn(process.execPath, ['dist/cli.js', ...line.split(' ').filter(Boolean)], {
    env: { PATH: process.env['PATH'], ...environment },
  });
  child.stdin.end(input);
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    run.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    run.stderr += chunk;
  });
  [run.code] = await once(child, 'close');
  return run;
}

async function boot(environment: Record<string, string>): Promise<Gateway> {
  const gateway = await bootGateway({ environment });
  running.push(gateway);
  return gateway;
}

async function statusOf({ url }: Gateway, headers: Record<string, string> = {}): Promise<number> {
  return (await fetch(`${url}/services/404`, { headers })).status;
}

test('keys and tenants are made and revoked on a stopped and on a running gateway’s own PostgreSQL', {
  timeout: 90_000,
}, async () => {
  const made = await cli('key create --role writer --tenant default --name desk');

  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cgw_[0-9a-f]{16}_[\w-]{43}\n$/) });
  expect(made.stderr).not.toContain(made.stdout.slice(21, -1));
  await expect(stat(join(directory, 'postgres', 'postmaster.pid'))).rejects.toThrow('ENOENT');

  const gateway = await boot({ DATA_DIR: directory, DEMO_DATA: 'off' });
  const first = bearer(made.stdout.trim());
  expect([await statusOf(gateway), await statusOf(gateway, first)]).toEqual([401, 404]);

  const tenant = await cli('tenant create acme');
  const second = await cli('key create --role reader --all-tenants');
  const listed = await cli('key list');
  expect([tenant.code, second.code, listed.code]).toEqual([0, 0, 0]);
  expect(await statusOf(gateway, { ...bearer(second.stdout.trim()), contactcenterid: 'acme' })).toBe(404);
  const [, id = ''] = made.stdout.split('_');
  const lines = listed.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(new RegExp(`^${id}  writer  default  \\S+Z  -        desk$`));
  expect(lines[2]).toMatch(/^[0-9a-f]{16} {2}reader {2}all {6}\S+Z {2}-$/);
  expect(listed.stdout).not.toContain(made.stdout.slice(21, -1));

  const [revoked, tenants] = await Promise.all([cli(`key revoke ${id}`), cli('tenant list')]);
  expect([revoked.code, tenants.stdout]).toEqual([0, 'acme\ndefault\n']);
  expect(await statusOf(gateway, bearer(second.stdout.trim()))).toBe(400);
});

test('what a command lacks and has too much is told at once', () => {
  const faults = faultsOf('key create --role boss --role writer --tenant ä --all-tenants --force x');

  expect(faults).toEqual([
    '--role must be one of reader, writer, schema-admin, operator',
    'either --tenant or --all-tenants is required',
    '--tenant must be 1 to 64 of letters, digits, _, - and .',
    '"x" is one argument too many',
    '--force is no option of this command',
  ]);
  expect(faultsOf('key create --role reader --role writer --name')).toEqual([
    '--role is given more than once',
    '--name must be a string',
    'either --tenant or --all-tenants is required',
  ]);
  expect(faultsOf('tenant create')).toEqual(['ID is required']);
  expect(faultsOf('apply a.json b.json --tenant')).toEqual([
    '--tenant must be 1 to 64 of letters, digits, _, - and .',
    '"b.json" is one argument too many',
  ]);
  expect(faultsOf('apply')).toEqual(['FILE is required']);
  expect(faultsOf('key make')).toEqual(['There is no command "key make".']);
  expect(faultsOf('')).toEqual(['A command is needed.']);
});

function faultsOf(line: string): string[] {
  try {
    readCommand(line.split(' ').filter(Boolean));
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\nusage:')[0]?.split('\n') ?? [];
    throw error;
  }
  return [];
}

test('a usage fault ends it with 64, one of the settings with 78, a refusal with 1', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const environment = { DATABASE_URL: database.connectionString };
  const [usage, settings, refusal] = await Promise.all([
    cli('', environment),
    cli('key list', { ...environment, PORT: 'x' }),
    cli('key create --role reader --tenant nowhere --tenant default --tenant neither', environment),
  ]);

  expect([usage.code, usage.stdout]).toEqual([64, '']);
  expect(usage.stderr).toContain('key create --role reader|writer|schema-admin|operator');
  expect(settings).toEqual({
    code: 78,
    stdout: '',
    stderr: 'PORT must be an integer from 0 to 65535, is "x"\n',
  });
  expect(refusal).toEqual({ code: 1, stdout: '', stderr: 'There is no tenant nowhere, neither.\n' });
});

test('where others can reach it the gateway starts with a key or with AUTH=none, and not without', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const environment = { DATABASE_URL: database.connectionString, HOST: '0.0.0.0' };

  const [refused, off] = await Promise.all([
    runGateway({ environment }),
    boot({ ...environment, AUTH: 'none' }),
  ]);
  const { stdout } = await cli('key create --role reader --tenant default', environment);
  const on = await boot(environment);

  expect(refused.code).toBe(78);
  expect(refused.stderr).toMatch(
    /^HOST 0\.0\.0\.0 can be reached by others and there are no credentials: .*\n$/,
  );
  expect([await statusOf(off), await statusOf(on), await statusOf(on, bearer(stdout.trim()))]).toEqual([
    404, 401, 404,
  ]);
});

test('a file says which business attributes there are, and all that is wrong with it', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  const environment = { DATABASE_URL: database.connectionString };
  const file = join(directory, 'attributes.json');
  const set = {
    mapNames: true,
    businessAttributes: [{ name: 'MediaType', values: [{ dbid: 1001, name: 'voice' }] }],
    fieldMappings: { 'Service.media_type': 'MediaType', 'Task.media_type': 'MediaType' },
  };
  await writeFile(file, JSON.stringify(set));
  await cli('tenant create acme', environment);

  const first = await cli(`apply ${file}`, environment);
  const [again, acme, wrong, broken, missing, nowhere] = await Promise.all([
    cli('apply -', environment, JSON.stringify(set)),
    cli(`apply ${file} --tenant acme`, environment),
    cli('apply -', environment, '{"businessAttributes":[{"name":7}],"fieldMappings":{"Task.type":"x"}}'),
    cli('apply -', environment, '{"businessAttributes":['),
    cli(`apply ${file}.none`, environment),
    cli(`apply ${file} --tenant nowhere`, environment),
  ]);
  const emptied = await cli('apply -', environment, '{"businessAttributes":[]}');

  const done = [
    'defined 1 business attribute: MediaType',
    'mapped 2 fields: Service.media_type, Task.media_type',
    'mapped fields are answered as names now',
  ];
  expect(first).toEqual({ code: 0, stdout: `${done.join('\n')}\n`, stderr: '' });
  expect(again).toEqual({ code: 0, stdout: 'nothing to do: all is as the file says\n', stderr: '' });
  expect(acme).toEqual(first);
  expect([wrong.code, wrong.stdout, wrong.stderr.split('\n')]).toEqual([
    1,
    '',
    [
      'standard input is not applied:',
      expect.stringContaining('  businessAttributes[0].name: must be a letter'),
      '  businessAttributes[0].values: must be a list of 1 to 1000 values',
      '  fieldMappings.Task.type: must be mapped to the name of one of the businessAttributes',
      '',
    ],
  ]);
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/must be JSON/) });
  expect(missing).toEqual({ code: 1, stdout: '', stderr: `${file}.none cannot be read: ENOENT\n` });
  expect(nowhere).toEqual({ code: 1, stdout: '', stderr: 'There is no tenant nowhere.\n' });
  expect(emptied.stdout.split('\n')).toEqual([
    'removed 1 business attribute: MediaType',
    'unmapped 2 fields: Service.media_type, Task.media_type',
    'mapped fields are answered as dbids now',
    '',
  ]);
});
