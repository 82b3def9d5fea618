import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { bootGateway, project } from '../process.js';
import { insertServices } from '../rest/bulk.js';

const services = 100_000;
const mebibyte = 1024 * 1024;

/** With more than that V8 sees no need to collect what is not needed any more; a gateway that does nothing has 100. */
const heapMebibytes = 160;

type Memory = { rss: number; heapUsed: number; external: number };

test('100,000 services are exported while they are written to: each once, in memory that stays flat', async () => {
  await using setting = await bootWithServices();
  const { url, pool } = setting;
  const seen = new Uint8Array(services + 1);
  let bytes = 0;
  let later = 0;
  let isDone = false;
  const writing = Promise.all([1, 2, 3].map(() => writeUntil(() => isDone, url)));

  const response = await fetch(
    `${url}/genesys/1/cs/maintenance/services/stream?time_from=2000-01-01T00:00Z&time_to=2100-01-01T00:00Z&export_content=true`,
    { headers: { accept: 'application/x-ndjson' } },
  );
  const beganAt = (await setting.memory()).length;
  for await (const line of linesOf(response)) {
    const { service_id: id, started } = JSON.parse(line);
    expect(started.timestamp).toEqual(expect.any(String));
    if (id <= services) seen[id] = (seen[id] ?? 0) + 1;
    else later++;
    bytes += line.length + 1;
  }
  isDone = true;
  const written = (await writing).reduce((sum, count) => sum + count);
  const memory = (await setting.memory()).slice(beganAt);

  print(memory);
  console.log(`${bytes} bytes, ${written} writes meanwhile, ${later} services that were started meanwhile`);
  const counts = [...seen.subarray(1)];
  expect(counts.filter((times) => times !== 1)).toEqual([]);
  expect(bytes).toBeGreaterThan(100 * mebibyte);
  expect(written).toBeGreaterThan(500);
  expect(later).toBeGreaterThan(0);
  const { rows } = await pool.query('select count(*)::int as changed from service where version > 1');
  expect(rows[0].changed).toBeGreaterThan(300);
  // The first part of it is warming up: code that is compiled, pools and buffers that are filled.
  const warm = memory.slice(Math.floor(memory.length / 4));
  expect(warm.length).toBeGreaterThan(10);
  expect(spread(warm.map(({ rss }) => rss))).toBeLessThan(60 * mebibyte);
}, 600_000);

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  // Node's own stream of the same name.
  yield* createInterface({ input: Readable.fromWeb(body as ReadableStream) });
}

/** Associates random services, and starts some, one after the other. */
async function writeUntil(isDone: () => boolean, url: string): Promise<number> {
  let count = 0;
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const { status } = await fetch(`${url}/genesys/1/cs${path}`, init);
    expect([200, 201]).toContain(status);
    count++;
  };
  while (!isDone()) {
    const id = 1 + Math.floor(Math.random() * services);
    await post(`/customers/moved/services/${id}`, { Note: { text: 'changed'.repeat(100) } });
    if (count % 20 === 0) await post('/services/start', { customer_id: 'new' });
  }
  return count;
}

function print(memory: readonly Memory[]): void {
  const step = Math.max(1, Math.floor(memory.length / 20));
  for (const [index, { rss, heapUsed, external }] of memory.entries()) {
    if (index % step > 0) continue;
    const [all, heap, outside] = [rss, heapUsed, external].map((size) => Math.round(size / mebibyte));
    console.log(`${index / 4} s: RSS ${all} MiB, heap ${heap} MiB, outside ${outside} MiB`);
  }
}

function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

/** A gateway process on a database of its own, whose memory is written down. */
async function bootWithServices() {
  const database = await createTestDatabase(inject('serverUrl'));
  const pool = new pg.Pool({ ...database, max: 1 });
  const sql = async <Row>(statement: string, parameters?: unknown[]) =>
    (await pool.query(statement, parameters)).rows as Row[];
  await insertServices({ sql }, { count: services, extensionBytes: 1_000 });
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-memory-'));
  const log = join(folder, 'memory');
  const gateway = await bootGateway({
    environment: {
      DATABASE_URL: database.connectionString,
      MEMORY_LOG: log,
      NODE_OPTIONS: `--max-old-space-size=${heapMebibytes} --import=${pathToFileURL(join(project, 'test/long/memory-log.mjs'))}`,
    },
  });
  return {
    url: gateway.url,
    pool,
    memory: async (): Promise<Memory[]> =>
      (await readFile(log, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      await gateway.interrupt();
      await pool.end();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
