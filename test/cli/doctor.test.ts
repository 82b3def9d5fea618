import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { diagnose, type Finding, type Patient } from '../../src/doctor/diagnosis.js';
import { diskFindings } from '../../src/doctor/folder.js';
import { createApiKey } from '../../src/domain/api-keys.js';
import { createLogger } from '../../src/logger.js';
import { connectionTo, createTestDatabase, execute, type TestDatabase } from '../databases.js';
import { createTestApp } from '../harness.js';
import { targetOf, throughPort } from '../proxy.js';
import { run } from './terminal.js';

/** What the server of the tests is on purpose: it waits for no disk, and its only role is a superuser. */
const usual = ['durability', 'durability', 'superuser'];

let database: TestDatabase;
let url: string;
let folder: string;
/** What takes back what was planted. */
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'context-gateway-doctor-'));
  // PostgreSQL runs as another user where this is root's: it has to get there.
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act();
});

async function plant(...statements: string[]): Promise<void> {
  const planted = await createTestDatabase(inject('serverUrl'));
  undo.push(async () => planted[Symbol.asyncDispose]());
  database = planted;
  url = database.connectionString;
  for (const statement of statements) await execute(url, statement);
}

/** Of the database at hand. */
function nameOf(connectionString: string): string {
  return new pg.Client({ connectionString }).database ?? '';
}

function findings(environment: Patient['environment'], patient: Partial<Patient> = {}): Promise<Finding[]> {
  return diagnose({
    environment: { DATABASE_URL: url, PORT: '0', ...environment },
    ...{ nodeVersion: process.versions.node, clock: () => new Date() },
    ...patient,
  });
}

async function checks(
  environment: Patient['environment'] = {},
  patient: Partial<Patient> = {},
): Promise<string[]> {
  const found = await findings(environment, patient);
  for (const { what, why, fix } of found) {
    for (const text of [what, why, fix]) expect(text.trim().length).toBeGreaterThan(5);
  }
  const known = [...usual];
  return found
    .map(({ check }) => check)
    .filter((check) => {
      const place = known.indexOf(check);
      if (place >= 0) known.splice(place, 1);
      return place < 0;
    });
}

/** A role that has what is granted to it and nothing else. */
async function plantRole(...grants: string[]): Promise<string> {
  const role = `doctor_${randomBytes(4).toString('hex')}`;
  await execute(url, `create role ${role} login`);
  const held = url;
  undo.push(async () => {
    await execute(held, `drop owned by ${role} cascade`);
    await execute(held, `drop role ${role}`);
  });
  for (const grant of grants) await execute(url, grant.replaceAll('ROLE', role));
  return role;
}

function as(role: string): string {
  const other = new URL(url);
  other.username = role;
  return other.href;
}

test('nothing is found that is not wrong', async () => {
  await plant();
  const role = await plantRole();
  const name = `context_gateway_test_${randomBytes(6).toString('hex')}`;
  await execute(url, `create database ${name} owner ${role}`);
  undo.push(() => execute(inject('serverUrl'), `drop database ${name} with (force)`));
  const owned = as(role).replace(nameOf(url), name);
  await migrate(owned, createLogger('silent'));

  const found = await findings({ DATABASE_URL: owned });

  expect(found.map(({ check, what }) => [check, what])).toEqual([
    ['durability', 'fsync is off.'],
    ['durability', 'full_page_writes is off.'],
  ]);
});

test('what is wrong with Node.js and with the settings is found together with the rest', async () => {
  await plant('update server set mode = $$MAINTENANCE$$');
  const environment = {
    PORT: 'x',
    JWT_ISSUER: 'me',
    DATABASE_URI: 'x',
    Rate_Limit: '1/s',
    HOME: '/',
    PATH: '/',
  };

  const found = await checks(environment, { nodeVersion: '18.20.4' });

  expect(found).toEqual(['node', 'setting', 'setting', 'unknown-setting', 'unknown-setting', 'maintenance']);
  const nowhere = await checks({ DATABASE_URL: 'mysql://x' });
  expect(nowhere).toEqual(['setting']);
});

test('what others may do who reach the gateway is found', async () => {
  await plant();

  const open = await checks({
    HOST: '0.0.0.0',
    AUTH: 'none',
    CORS_ORIGINS: 'http://desk.example.com,http://localhost:1',
  });
  const closed = await checks({ HOST: '0.0.0.0', PROFILE: 'production' });
  await using app = await createTestApp({ database });
  await createApiKey(app.gateway.database.admin, { role: 'WRITER', name: '', tenants: 'all' }, new Date());
  const withKey = await checks({ HOST: '0.0.0.0', PROFILE: 'production' });

  expect(open).toEqual(['open-to-all', 'development-profile', 'cors-http']);
  expect(closed).toEqual(['credentials']);
  expect(withKey).toEqual(['operator']);
});

test('a database that cannot be reached is told by why, and never with its password', async () => {
  await plant();
  const told = async (given: string) => {
    const found = await findings({ DATABASE_URL: given });
    expect(JSON.stringify(found)).not.toContain('s3cret');
    return found.map(({ check, what }) => [check, what]);
  };

  const [nowhere, refused, role, missing, silent] = await Promise.all([
    told('postgresql://me:s3cret@nowhere.invalid/x'),
    told('postgresql://me:s3cret@127.0.0.1:1/x'),
    told(url.replace('postgres@', 'nobody_at_all:s3cret@')),
    told(url.replace(nameOf(url), 'none')),
    told('postgresql://me:s3cret@localhost/x?host=/nowhere'),
  ]);

  expect(nowhere).toEqual([
    ['database-tls', 'DATABASE_URL leads to nowhere.invalid without TLS.'],
    ['database', expect.stringMatching(/^(There is no host|The name service)|: timeout expired\.$/)],
  ]);
  expect(refused).toEqual([['database', 'Nothing listens where the database 127.0.0.1:1/x should be.']]);
  expect(role).toEqual([['database', expect.stringMatching(/does not let this user in from here\.$/)]]);
  expect(missing).toEqual([['database', expect.stringMatching(/^There is no database .*\/none\.$/)]]);
  expect(silent).toEqual([['database', expect.stringMatching(/^There is no socket/)]]);
});

test('an encoding that has not all characters is found', async () => {
  await plant();
  const name = `${nameOf(url)}_latin`;
  await execute(
    url,
    `create database ${name} template template0 encoding 'LATIN1' locale_provider libc locale 'C'`,
  );
  undo.push(() => execute(inject('serverUrl'), `drop database ${name} with (force)`));

  expect(await checks({ DATABASE_URL: connectionTo(url, name) })).toEqual(['encoding', 'migrations']);
});

test('settings of a database that bite are found', async () => {
  await plant();
  const found = async (setting: string) => {
    await execute(url, `alter database ${nameOf(url)} set ${setting}`);
    const [check] = await checks();
    await execute(inject('serverUrl'), `alter database ${nameOf(url)} reset all`);
    return check;
  };

  expect(await found('synchronous_commit = off')).toBe('durability');
  expect(await found('default_transaction_read_only = on')).toBe('read-only');
  expect(await found('search_path = pg_catalog')).toBe('search-path');
  expect(await found("idle_session_timeout = '5min'")).toBe('idle-sessions');
});

test('a role that lacks privileges, or owns nothing, is told', async () => {
  await plant('revoke create on schema public from public');
  const reader = await plantRole('grant select on all tables in schema public to ROLE');
  const writer = await plantRole(
    'grant select, insert, update, delete on all tables in schema public to ROLE',
    'grant usage on all sequences in schema public to ROLE',
    'grant create on schema public to ROLE',
  );

  expect(await checks({ DATABASE_URL: as(reader) })).toEqual(['privileges', 'privileges']);
  expect(await checks({ DATABASE_URL: as(writer) })).toEqual(['owner']);
});

test('a pooler that shares sessions, and a pool that is too large, are found', async () => {
  await plant();
  const role = await plantRole('grant postgres to ROLE', 'alter role ROLE connection limit 5');
  await using pooler = await createPooler(url);

  expect(await checks({ DATABASE_URL: pooler.connectionString })).toEqual(['pooler']);
  expect(await checks({ DATABASE_POOL_SIZE: '1000' })).toEqual(['connections']);
  expect(await checks({ DATABASE_URL: as(role) })).toEqual(['connections']);
});

test('migrations that are pending, foreign, changed or unfinished are told apart', async () => {
  const of = (name: string) => `where migration_name like '%_${name}'`;
  await plant(
    `delete from _prisma_migrations ${of('sweep_indexes')}`,
    `update _prisma_migrations set checksum = 'x' ${of('first')}`,
    `update _prisma_migrations set finished_at = null ${of('credentials_retries_undo')}`,
    "insert into _prisma_migrations (id, checksum, migration_name, finished_at) values ('1', 'x', '2099_new', now())",
  );

  const found = (await findings({})).filter(({ check }) => check === 'migrations');

  expect(found.map(({ level, what }) => `${level}: ${what}`)).toEqual([
    'warning: The database lacks the migrations 20261124201000_sweep_indexes.',
    'warning: The database has migrations of a newer version: 2099_new.',
    'error: The database was made by another version of 20261124000000_first.',
    'error: Another tool began 20261124120000_credentials_retries_undo and did not finish.',
  ]);
});

test('services that nobody sweeps, and tables without statistics, are found', async () => {
  await plant(
    // Nor analyzes it by itself meanwhile.
    'alter table service set (autovacuum_enabled = off)',
    `insert into service (tenant, customer_id, started_at, updated_at, expires_at)
     select 'default', 'c', now() - interval '2 days', now(), now() - interval '1 day' from generate_series(1, 2000)`,
  );

  expect(await checks()).toEqual(['sweep', 'statistics']);
  await execute(url, 'analyze');
  expect(await checks({ SWEEP_INTERVAL: '1d' })).toEqual([]);
});

test('a transaction that stays open, a slot that nobody reads, and clocks that differ are found', async () => {
  await plant();
  const slot = `doctor_${randomBytes(4).toString('hex')}`;
  await execute(url, `select pg_create_physical_replication_slot('${slot}', true)`);
  undo.push(() => execute(inject('serverUrl'), `select pg_drop_replication_slot('${slot}')`));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  undo.push(() => client.end());
  await client.query('begin');
  await client.query("insert into tenant (id) values ('acme')");
  const inTenMinutes = () => new Date(Date.now() + 600_000);

  expect(await checks({}, { clock: inTenMinutes })).toEqual([
    'clock',
    'long-transaction',
    'replication-slot',
  ]);
});

test('a port that another program has is found, and one that a gateway has is none', async () => {
  await plant();
  const server = createServer((socket) => socket.end('nothing\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => server.close());
  await using app = await createTestApp({ database });
  await app.server.listen({ host: '127.0.0.1', port: 0 });

  expect(await checks({ PORT: String((server.address() as AddressInfo).port) })).toEqual(['port']);
  expect(await checks({ PORT: String((app.server.server.address() as AddressInfo).port) })).toEqual([]);
  expect(await checks({ HOST: '192.0.2.1', AUTH: 'none', PROFILE: 'production' })).toEqual([
    'open-to-all',
    'host',
  ]);
});

test('keys of tokens that cannot be had are found', async () => {
  await plant();
  const jwt = { JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' };

  expect(await checks({ ...jwt, JWT_JWKS_URL: 'http://127.0.0.1:1/jwks.json' })).toEqual(['jwks']);
});

test('a data folder that cannot be used is told by why', async () => {
  const [file, other, lost, strange] = ['file', 'other', 'lost', 'strange'].map((name) =>
    join(folder, name),
  ) as [...[string, string, string, string]];
  await writeFile(file, '');
  for (const place of [`${other}/postgres`, lost, `${strange}/postgres`])
    await mkdir(place, { recursive: true });
  await writeFile(`${other}/postgres/PG_VERSION`, '9\n');
  await symlink('/nowhere/at/all', `${lost}/postgres`);
  await writeFile(`${strange}/postgres/letter.txt`, 'Dear');
  const told = async (DATA_DIR: string) =>
    (await findings({ DATABASE_URL: '', DATA_DIR }))
      .filter(({ check }) => !['data-passing', 'data-disk', 'data-remote'].includes(check))
      .map(({ check, what }) => [check, what]);

  expect(await told(`${file}/data`)).toEqual([
    ['data-folder', expect.stringContaining(`${file} does not let`)],
  ]);
  expect(await told(`${folder}/new/data`)).toEqual([]);
  expect(await told(other)).toEqual([['embedded-postgres', expect.stringContaining('PostgreSQL 9')]]);
  expect(await told(strange)).toEqual([
    ['embedded-postgres', expect.stringContaining('no complete PostgreSQL')],
  ]);
  expect(await told(lost)).toEqual([
    ['embedded-postgres', expect.stringContaining('link to a folder that is gone')],
  ]);
});

test('disks that lose data, or are full, are found', () => {
  const found = (type: number, mebibytes: number) =>
    diskFindings('/data', { type, bavail: mebibytes * 256, bsize: 4096 }).map(
      ({ check, level }) => `${check} ${level}`,
    );

  expect(found(0xef53, 9_999)).toEqual([]);
  expect(found(0x01021994, 9_999)).toEqual(['data-passing warning']);
  expect(found(0x6969, 9_999)).toEqual(['data-remote warning']);
  expect(found(0xef53, 1_000)).toEqual(['data-disk warning']);
  expect(found(0xef53, 100)).toEqual(['data-disk error']);
});

test('the command tells a line each, and ends with 1 where there is an error', async () => {
  await plant();
  const environment = { DATABASE_URL: url, PORT: '0' };

  const plain = await run('doctor', { environment });
  const json = await run('doctor --json', { environment });

  expect([plain.code, json.code]).toEqual([1, 1]);
  const lines = plain.stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^error {4}durability: fsync is off\. When .*\. Fix: Set fsync = on, .*\.$/);
  expect(lines).toHaveLength(3);
  expect(plain.stderr).toBe('2 errors, 1 warning\n');
  expect(JSON.parse(json.stdout)[2]).toMatchObject({ check: 'superuser', level: 'warning' });
});

/** What hands sessions on without the settings that they begin with. */
async function createPooler(
  connectionString: string,
): Promise<{ connectionString: string } & AsyncDisposable> {
  const server = createServer((client) => {
    const upstream = connect(targetOf(connectionString));
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.once('data', (startup) => {
      upstream.write(withoutOptions(startup));
      client.pipe(upstream).pipe(client);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    connectionString: throughPort(connectionString, port),
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** A startup message: its length, the protocol's version, and names and values that each end with a zero. */
function withoutOptions(startup: Buffer): Buffer {
  const texts = startup.subarray(8).toString().split('\0');
  const place = texts.indexOf('options');
  if (place < 0) return startup;
  const kept = texts.filter((_, index) => index !== place && index !== place + 1);
  const message = Buffer.concat([startup.subarray(0, 8), Buffer.from(kept.join('\0'))]);
  message.writeInt32BE(message.length);
  return message;
}
