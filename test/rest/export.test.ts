import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExportFilter, exportServices } from '../../src/domain/export.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createProxy } from '../proxy.js';
import { createExtensionSchema } from '../seeds.js';
import { insertServices } from './bulk.js';
import { bare, base85, expectProblem, start } from './calls.js';

const path = `${base85}/maintenance/services/stream`;
const everyTime = 'time_from=2000-01-01T00:00Z';

describe('what is exported', () => {
  let app: TestApp;
  /** By when they were started and completed. */
  const ids: Record<'old' | 'ended' | 'open' | 'late', number> = { old: 0, ended: 0, open: 0, late: 0 };
  beforeAll(async () => {
    app = await createTestApp({ now: () => new Date('2020-06-01T00:00:00Z') });
    ids.old = await startAt('2020-01-01T00:00:00Z', '2020-02-01T00:00:00Z');
    ids.ended = await startAt('2020-02-01T00:00:00Z', '2020-03-01T00:00:00Z');
    ids.open = await startAt('2020-02-02T00:00:00Z');
    ids.late = await startAt('2020-06-01T00:00:00Z');
  });
  afterAll(() => app[Symbol.asyncDispose]());

  async function startAt(timestamp: string, end?: string): Promise<number> {
    const id = Number(await start(app, { customer_id: 'c', timestamp }));
    if (end) await app.rest('POST', `/services/${id}/end`, { body: { timestamp: end } });
    return id;
  }

  test.each<[string, (keyof typeof ids)[]]>([
    // Until now, which is excluded.
    ['time_from=2000-01-01T00:00Z', ['old', 'ended', 'open']],
    ['time_from=2000-01-01T00:00Z&time_to=2020-06-01T00:00:00.001Z', ['old', 'ended', 'open', 'late']],
    ['time_from=2020-02-01T00:00Z&time_to=2020-03-01T00:00Z', ['old', 'ended', 'open']],
    ['time_from=2020-02-01T00:00Z&time_to=2020-03-01T00:00Z&filter_events=any', ['old', 'ended', 'open']],
    ['time_from=2020-02-01T00:00Z&time_to=2020-03-01T00:00Z&filter_events=started', ['ended', 'open']],
    ['time_from=2020-02-01T00:00Z&time_to=2020-03-01T00:00Z&filter_events=completed', ['old']],
    ['time_from=2020-02-01T01:00%2B01:00&time_to=2020-02-02T00:00Z&filter_events=started', ['ended']],
    ['time_from=2020-02-01T00:00Z&export_content=true&filter_state=active', ['open']],
    ['time_from=2020-02-01T00:00Z&export_content=true&filter_state=inactive', ['old', 'ended']],
    ['time_from=2020-02-01T00:00Z&export_content=true&filter_state=any', ['old', 'ended', 'open']],
    ['time_from=2020-02-01T00:00Z&time_to=2020-01-01T00:00Z', []],
    ['time_from=2020-05-01T00:00Z&export_content=true', []],
  ])('%s: %j', async (query, expected) => {
    const { status, json } = await app.rest('GET', `${path}?${query}`);

    expect(status).toBe(200);
    const exported = json.map((item: number | { service_id: number }) =>
      typeof item === 'number' ? item : item.service_id,
    );
    expect(exported).toEqual(expected.map((name) => ids[name]));
  });

  test('what is wrong is told all at once', async () => {
    const query = 'time_to=x&filter_events=ended&export_content=yes&filter_state=active';

    const answer = await app.rest('GET', `${path}?${query}`);

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [
        { path: 'time_from', message: 'is required' },
        { path: 'time_to', message: expect.stringMatching(/ISO 8601/) },
        {
          path: 'filter_events',
          message: expect.any(String),
          allowed: ['any', 'started', 'completed'],
        },
        { path: 'export_content', message: expect.any(String), allowed: ['true', 'false'] },
        { path: 'filter_state', message: 'is taken together with export_content=true alone' },
      ],
    });
  });

  test.each([
    ['time_from=2020-01-01', ['time_from']],
    [`${everyTime}&${everyTime}`, ['time_from']],
    [`${everyTime}&filter_state=any`, ['filter_state']],
    [`${everyTime}&export_content=false&filter_state=active`, ['filter_state']],
    [`${everyTime}&export_content=true&filter_state=open`, ['filter_state']],
    [`${everyTime}&x=%E0%A4%A`, ['query']],
  ])('%s is refused', async (query, paths) => {
    const { status, json } = await app.rest('GET', `${path}?${query}`);

    expect([status, json.errors.map((fault: { path: string }) => fault.path)]).toEqual([400, paths]);
  });

  test('it is no operation under the bare paths', async () => {
    const answer = await app.rest('GET', `${bare}/maintenance/services/stream?${everyTime}`);

    expect(answer.status).toBe(404);
  });
});

describe('the form', () => {
  let app: TestApp;
  let id: string;
  beforeAll(async () => {
    app = await createTestApp();
    // Beyond a double's integers.
    await app.sql("select setval('service_id_seq', 9007199254740992)");
    id = await start(app, { contact_key: 'k', timestamp: '2020-01-01T00:00:00Z' });
    id = '9007199254740993';
    const own = `${base85}/services/${id}`;
    await app.rest('POST', `${base85}/customers/c/services/${id}`, {
      body: { Note: { text: 'ü' }, list: [1] },
    });
    await app.rest('POST', `${own}/states/start`, { body: { state_type: 1, Of: { the: 'state' } } });
    await app.rest('POST', `${own}/states/start`, { body: { state_type: 'two' } });
    await app.rest('POST', `${own}/states/1/end`, { body: { disposition: 1 } });
    await app.rest('POST', `${own}/tasks/start`, {
      body: { task_type: 1, state_id: 0, Of: { the: 'task' } },
    });
    await app.rest('POST', `${own}/tasks/start`, { body: { task_type: 2 } });
    await app.rest('POST', `${own}/tasks/1/end`, {});
    await start(app, { customer_id: 'second' });
  });
  afterAll(() => app[Symbol.asyncDispose]());

  test('content is what the query by id answers with all that can be asked for', async () => {
    const all =
      'extensions=*,State.*,Task.*&active_states=true&completed_states=true&active_tasks=true&completed_tasks=true';

    const exported = await app.rest('GET', `${path}?${everyTime}&export_content=true`);
    const { text } = await app.rest('GET', `${base85}/services/${id}?${all}`);
    const other = await app.rest('GET', `${base85}/services/9007199254740994?${all}`);

    expect(exported).toMatchObject({ status: 200, headers: { vary: 'Accept' } });
    expect(exported.headers['content-type']).toMatch(/^application\/json/);
    expect(exported.text).toBe(`[${text},${other.text}]`);
    expect(text).toContain(`{"service_id":${id},`);
    expect(exported.json[0].active_states[0].active_tasks[0].Of).toEqual({ the: 'task' });
    expect(exported.json[0]).toMatchObject({ Note: { text: 'ü' }, list: [1] });
  });

  test('ids are numbers with all of their digits', async () => {
    const { text } = await app.rest('GET', `${path}?${everyTime}`);

    expect(text).toBe(`[${id},9007199254740994]`);
  });

  test.each([
    ['application/x-ndjson', true],
    ['application/json;q=0.5, Application/X-NDJSON; q=1', true],
    ['application/x-ndjson;q=0, application/json', false],
    ['*/*', false],
  ])('Accept: %s', async (accept, isLines) => {
    const array = await app.rest('GET', `${path}?${everyTime}&export_content=true`);

    const answer = await app.rest('GET', `${path}?${everyTime}&export_content=true`, { headers: { accept } });

    expect(answer.headers['content-type']).toBe(
      isLines ? 'application/x-ndjson' : array.headers['content-type'],
    );
    const lines = answer.text.split('\n').slice(0, -1);
    expect(isLines ? `[${lines.join()}]` : answer.text).toBe(array.text);
    expect(lines).toHaveLength(isLines ? 2 : 0);
  });

  test('nothing found is an empty array, or no line', async () => {
    const query = 'time_from=2000-01-01T00:00Z&time_to=2000-01-02T00:00Z';

    const array = await app.rest('GET', `${path}?${query}`);
    const lines = await app.rest('GET', `${path}?${query}`, { headers: { accept: 'application/x-ndjson' } });

    expect([array.text, lines.text]).toEqual(['[]', '']);
  });

  test('HEAD reads nothing', async () => {
    const statements = await app.countStatements(async () => {
      const { status, text } = await app.rest('HEAD', `${path}?${everyTime}&export_content=true`);
      expect([status, text]).toEqual([200, '']);
    });

    expect(statements).toBe(0);
  });
});

describe('many services', () => {
  let app: TestApp;
  let url: string;
  const count = 21_000;
  const pages = count / 200;
  beforeAll(async () => {
    app = await createTestApp();
    await createExtensionSchema(app, 'Note', 'single-valued', [{ name: 'text', type: 'string' }]);
    await insertServices(app, { count, extensionBytes: 2_000 });
    // Loads what a gateway knows of a tenant.
    await app.rest('GET', '/services/1');
    await app.server.listen({ port: 0 });
    url = `http://127.0.0.1:${(app.server.server.address() as AddressInfo).port}${path}`;
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const statements = () => app.countStatements(() => sleep(300));
  /** Twice in a row: once may be a statement that takes long. */
  const untilQuiet = () => expect.poll(async () => (await statements()) + (await statements())).toBe(0);

  test('each comes once, by its id; a page takes one statement for its ids, and two more for what it shows', async () => {
    let exported: number[] = [];
    const withContent = await app.countStatements(async () => {
      const { json } = await app.rest('GET', `${path}?${everyTime}&export_content=true`);
      exported = json.map(({ service_id }: { service_id: number }) => service_id);
    });
    const ofIds = await app.countStatements(async () => {
      expect((await app.rest('GET', `${path}?${everyTime}`)).json).toEqual(exported);
    });

    expect(exported).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    // The end of each of three windows is one more, and so is that the last one has no more.
    expect(withContent).toBe(3 * pages + 3 + 1);
    expect(ofIds).toBe(3 + 3);
  });

  test('few that pass among many come too', async () => {
    await app.sql(
      "update service set completed_at = '2030-01-01' where id in (1, 10000, 10001, 20001, 21000)",
    );

    const query = 'time_from=2030-01-01T00:00Z&time_to=2031-01-01T00:00Z&filter_events=completed';
    const { json } = await app.rest('GET', `${path}?${query}`);

    expect(json).toEqual([1, 10_000, 10_001, 20_001, 21_000]);
  });

  test('a caller who does not read on holds the reading up, and one who goes away ends it', async () => {
    const whole = await app.countStatements(async () => {
      const request = get(`${url}?${everyTime}&export_content=true`);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await once(response, 'readable');
      await untilQuiet();
      request.destroy();
      await untilQuiet();
      expect(await app.countStatements(() => sleep(500))).toBe(0);
    });

    expect(whole).toBeGreaterThan(1);
    expect(whole).toBeLessThan(pages);
    expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  test('a database that goes away in the middle breaks the answer off, which is logged', async () => {
    await using proxy = await createProxy(app.connectionString);
    await using gateway = await createTestApp({ database: proxy });
    await gateway.server.listen({ port: 0 });
    const { port } = gateway.server.server.address() as AddressInfo;

    const request = get(`http://127.0.0.1:${port}${path}?${everyTime}&export_content=true`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'readable');
    await proxy.cut();
    const ended = readToEnd(response);

    await expect(ended).rejects.toThrow('aborted');
    expect(response.complete).toBe(false);
    expect(gateway.log.filter(({ msg }) => msg === 'an answer broke off')).toHaveLength(1);
    const next = await gateway.rest('GET', `${path}?${everyTime}`);
    expect(next).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
    expect(next.headers).toMatchObject({ 'retry-after': '1' });
    await proxy.restore();
    expect((await gateway.rest('GET', `${path}?${everyTime}`)).status).toBe(200);
  });

  test('before the first byte it is a 503', async () => {
    await using proxy = await createProxy(app.connectionString);
    await using gateway = await createTestApp({ database: proxy });
    // Who calls and for which tenant is known by then.
    await gateway.rest('GET', `${base85}/server/status`);

    await proxy.cut();
    const answer = await gateway.rest('GET', `${path}?${everyTime}&export_content=true`);

    expectProblem(answer, { status: 503, code: 'UNAVAILABLE' });
    expect(answer.headers['retry-after']).toBe('1');
  });

  test('a gateway that stops ends it in time', async () => {
    const gateway = await createTestApp({ database: app });
    await gateway.server.listen({ port: 0 });
    const { port } = gateway.server.server.address() as AddressInfo;
    const request = get(`http://127.0.0.1:${port}${path}?${everyTime}&export_content=true`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'readable');

    const stoppedAt = performance.now();
    await gateway[Symbol.asyncDispose]();
    const milliseconds = performance.now() - stoppedAt;

    await expect(readToEnd(response)).rejects.toThrow();
    expect(milliseconds).toBeLessThan(15_000);
    expect(gateway.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  test('what is deleted, changed or started meanwhile does no harm to the others', async () => {
    const db = app.gateway.database.forTenant('default');
    const filter: ExportFilter = { events: 'any', state: 'any', from: new Date(0), to: new Date() };
    const exported: bigint[] = [];
    const customers: (string | null)[] = [];

    for await (const page of exportServices(db, filter)) {
      if (exported.length === 0) {
        await app.sql('delete from service where id in (5, 200, 201, 10000, 20999)');
        await app.sql("update service set customer_id = 'moved' where id = 300");
        await app.rest('POST', `${base85}/services/start`, { body: { customer_id: 'new' } });
      }
      exported.push(...page.map(({ id }) => id));
      customers.push(...page.map(({ customerId }) => customerId));
    }

    const there = Array.from({ length: count }, (_, index) => index + 1);
    expect(exported.map(Number)).toEqual(there.filter((id) => ![201, 10_000, 20_999].includes(id)));
    expect(customers[298]).toBe('moved');
  });
});

async function readToEnd(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  return bytes;
}
