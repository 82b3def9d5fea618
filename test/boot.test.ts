import { chmod, chown, mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { startEmbeddedPostgres } from '../src/db/embedded/postgres.js';
import { createLogger } from '../src/logger.js';
import { canOthersRead } from './access.js';
import { bootGateway, type Gateway, runGateway } from './process.js';

// All of them start gateways, at the same time.
vi.setConfig({ testTimeout: 180_000 });

const json = { 'content-type': 'application/json' };

test.concurrent('a first start has demo data, and takes the published example byte for byte', async () => {
  await using place = createPlace();
  const gateway = await place.boot({ DATA_DIR: await place.newFolder() });
  const example = await publishedExample();

  const associated = await fetch(`${gateway.url}${example.path}`, {
    method: 'POST',
    headers: json,
    body: example.body,
  });
  const read = await fetch(`${gateway.url}/services/1500?extensions=Feedback,Satisfaction`);

  expect(associated.status).toBe(200);
  expect(await associated.text()).toBe('');
  expect(await read.json()).toMatchObject({
    service_id: 1500,
    customer_id: '0004Va58A92T0018',
    disposition: 10,
    started: { interaction_id: '123ABCAADFJ1259ACF', media_type: 1, resource_id: 5005, resource_type: 2 },
    Feedback: { FeedbackType: 'survey', rating: 7, notes: expect.stringContaining('warm welcome') },
    Satisfaction: [
      { rating: 2, pertinence: 8, useful: true, place: 'Terranova mexico resort' },
      { rating: 8, pertinence: 4, useful: false, place: 'Fancy resort Paris' },
    ],
  });
});

test.concurrent('Ctrl-C ends it clean, and the next start has the data and no demo data again', async () => {
  await using place = createPlace();
  const DATA_DIR = await place.newFolder();
  const first = await place.boot({ DATA_DIR });
  const id = await startService(first);
  const before = await listAll(first);

  const code = await first.interrupt();
  const second = await place.boot({ DATA_DIR });

  expect(code).toBe(0);
  expect(await listAll(second)).toEqual(before);
  expect(before).toContain(String(id));
});

test.concurrent('kill -9 of the whole group loses nothing that was acknowledged', async () => {
  await using place = createPlace();
  const DATA_DIR = await place.newFolder();
  const first = await place.boot({ DATA_DIR, DEMO_DATA: 'off' });
  const acknowledged: string[] = [];
  const writers = Array.from({ length: 8 }, async () => {
    for (;;) acknowledged.push(String(await startService(first)));
  });
  while (acknowledged.length < 200) await new Promise((resolve) => setTimeout(resolve, 5));

  await Promise.all([first.kill(), ...writers.map((writer) => writer.catch(() => {}))]);
  const second = await place.boot({ DATA_DIR, DEMO_DATA: 'off' });

  const found = new Set(await listAll(second));
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
});

test.concurrent('a second start on the same folder is refused with the pid of the first', async () => {
  await using place = createPlace();
  const DATA_DIR = await place.newFolder();
  const first = await place.boot({ DATA_DIR, DEMO_DATA: 'off' });

  const { code, stderr } = await runGateway({ environment: { DATA_DIR } });

  expect(code).toBe(1);
  expect(stderr).toContain(String(first.pid));
  expect((await fetch(`${first.url}/services/1`)).status).toBe(404);
});

test.concurrent('faults of the settings end it with code 78, all of them on standard error', async () => {
  const { code, stderr } = await runGateway({ environment: { PORT: 'x', AUTH: 'some' } });

  expect(code).toBe(78);
  expect(stderr).toMatch(/^PORT must be an integer.*\nAUTH must be none.*\n$/);
});

test.concurrent('a port that is taken ends it with a message and leaves no PostgreSQL behind', async () => {
  await using place = createPlace();
  const first = await place.boot({ DATA_DIR: await place.newFolder(), DEMO_DATA: 'off' });
  const DATA_DIR = await place.newFolder();

  const { code, stderr } = await runGateway({ environment: { DATA_DIR, PORT: new URL(first.url).port } });

  expect(code).toBe(1);
  expect(stderr).toMatch(/^Port \d+ of 127\.0\.0\.1 is taken\.\n$/);
  await expect(stat(join(DATA_DIR, 'postgres', 'postmaster.pid'))).rejects.toThrow(/ENOENT/);
});

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

// As an ordinary user this is what all the others test; an unreadable checkout lets no other user start it.
test.runIf(isRoot && (await canOthersRead(import.meta.dirname)))(
  'an ordinary user starts it in a folder of its own',
  { concurrent: true },
  async () => {
    await using place = createPlace();
    const DATA_DIR = await place.newFolder();
    await chown(DATA_DIR, nobody, nobody);

    const gateway = await place.boot({ DATA_DIR, HOME: DATA_DIR }, nobody);

    expect((await fetch(`${gateway.url}/services/1500`)).status).toBe(200);
    expect((await stat(join(DATA_DIR, 'postgres'))).uid).toBe(nobody);
    expect(await gateway.interrupt()).toBe(0);
  },
);

test.runIf(isRoot)(
  'root starts it in a folder that nobody else can enter',
  { concurrent: true },
  async () => {
    await using place = createPlace();
    const home = await place.newFolder();
    await chmod(home, 0o700);

    const gateway = await place.boot({ DATA_DIR: join(home, 'data') });

    expect((await fetch(`${gateway.url}/services/1500`)).status).toBe(200);
    expect(await gateway.interrupt()).toBe(0);
  },
);

/** Folders and gateways of one test, which end with it: the others go on meanwhile. */
type Place = AsyncDisposable & {
  newFolder(): Promise<string>;
  boot(environment: Record<string, string>, uid?: number): Promise<Gateway>;
};

function createPlace(): Place {
  const folders: string[] = [];
  const running: Gateway[] = [];
  return {
    async newFolder() {
      const folder = await mkdtemp(join(tmpdir(), 'context-gateway-boot-'));
      folders.push(folder);
      await chmod(folder, 0o755);
      return folder;
    },
    async boot(environment, uid) {
      const gateway = await bootGateway({ environment, ...(uid === undefined ? {} : { uid }) });
      running.push(gateway);
      return gateway;
    },
    async [Symbol.asyncDispose]() {
      for (const gateway of running) await gateway.kill().catch(() => {});
      for (const folder of folders) await removeFolder(folder);
    },
  };
}

/** PostgreSQL outlives a gateway that was killed: it is adopted once more, to be stopped. */
async function removeFolder(folder: string): Promise<void> {
  for (const directory of [folder, join(folder, 'data')]) {
    const isThere = await stat(join(directory, 'postgres', 'postmaster.pid')).then(
      () => true,
      () => false,
    );
    if (isThere) await (await startEmbeddedPostgres({ directory, logger: createLogger('silent') })).stop();
    // Below a folder that only root can enter, the data lives elsewhere.
    const data = await realpath(join(directory, 'postgres')).catch(() => null);
    if (data && !data.startsWith(folder)) await rm(dirname(data), { recursive: true });
  }
  await rm(folder, { recursive: true, force: true });
}

async function startService({ url }: Gateway): Promise<number> {
  const answer = await fetch(`${url}/services/start`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ customer_id: 'boot', service_type: 1 }),
  });
  const { service_id } = (await answer.json()) as { service_id: number };
  return service_id;
}

type ServiceIds = { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };

async function listAll(gateway: Gateway): Promise<string[]> {
  const ids: string[] = [];
  let page: ServiceIds | undefined;
  do {
    page = await listIds(gateway, page?.pageInfo.endCursor ?? null);
    ids.push(...page.nodes.map(({ id }) => id));
  } while (page.pageInfo.hasNextPage);
  return ids;
}

async function listIds({ url }: Gateway, after: string | null): Promise<ServiceIds> {
  const query = `query ($after: String) {
    services(first: 500, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
  }`;
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ query, variables: { after } }),
  });
  const { data } = (await answer.json()) as { data: { services: ServiceIds } };
  return data.services;
}

/** The request of the published page, as it stands there. */
async function publishedExample(): Promise<{ path: string; body: string }> {
  const text = await readFile(join(import.meta.dirname, 'published-example.txt'), 'utf8');
  const [requestLine = '', ...body] = text.split('\n');
  return { path: requestLine.replace('POST ', ''), body: body.join('\n') };
}
