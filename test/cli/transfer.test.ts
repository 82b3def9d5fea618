import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepServices } from '../../src/domain/sweeping.js';
import { createLogger } from '../../src/logger.js';
import { beginWrite, type Writer } from '../domain/lifetimes.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createExampleSchemas, startService } from '../seeds.js';
import { contentOf, exported, hashIn, on } from './transfer.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'context-gateway-transfer-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two schemas, a mapped field, and services of which one has all that there is. */
async function createSource(): Promise<TestApp> {
  const app = await createTestApp();
  await createExampleSchemas(app);
  const set = {
    mapNames: true,
    businessAttributes: [
      { name: 'MediaType', displayName: 'Media', values: [{ dbid: 1001, name: 'voice' }] },
    ],
    fieldMappings: { 'Service.media_type': 'MediaType', 'Task.media_type': 'MediaType' },
  };
  await on(app, 'apply -', { input: JSON.stringify(set) });
  const id = await startService(app, {
    ...{ customer_id: 'c1', media_type: 'voice', service_type: 'claim', application_id: 2 ** 52 },
    ...{
      Feedback: { FeedbackType: 'survey', rating: 7 },
      Huge: [1e21, 1e-7, null, 'ü\u2028', { 'a b': [] }],
    },
  });
  await app.rest('POST', `/services/${id}/states/start`, { body: { state_type: 1 } });
  await app.rest('POST', `/services/${id}/tasks/start`, { body: { task_type: 1, state_id: 0 } });
  await app.rest('POST', `/customers/c2/services/${id}`, { body: {} });
  await startService(app, { contact_key: '+1415' });
  await startService(app, { customer_id: 'c3', timestamp: '2020-02-02T02:02:02Z' });
  return app;
}

test('an export is a file that is replaced once it is complete, compressed by its name, or standard output', async () => {
  await using source = await createSource();
  const [plain, packed] = [join(folder, 'a.ndjson'), join(folder, 'a.ndjson.gz')];

  const toPlain = await on(source, `export ${plain}`);
  const toPacked = await on(source, `export ${packed}`);
  const toStdout = await on(source, 'export -');

  const text = await readFile(plain, 'utf8');
  expect(toPlain).toEqual({ code: 0, stdout: `${hashIn(text)}  3 services\n`, stderr: '' });
  expect(toPacked).toEqual(toPlain);
  expect(toStdout.stderr).toBe(toPlain.stdout);
  const content = (whole: string) => whole.split('\n').slice(1);
  expect(content(gunzipSync(await readFile(packed)).toString())).toEqual(content(text));
  expect(content(toStdout.stdout)).toEqual(content(text));
  expect((await stat(plain)).mode & 0o777).toBe(0o600);
  const kinds = text
    .trimEnd()
    .split('\n')
    .map((line) => Object.keys(JSON.parse(line))[0]);
  expect(kinds).toEqual([
    ...['contextGatewayExport', 'extensionSchema', 'extensionSchema', 'businessAttribute', 'mapNames'],
    ...['fieldMapping', 'fieldMapping', 'service', 'service', 'service', 'end'],
  ]);
  expect(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).toEqual({
    end: {
      ...{ extensionSchemas: 2, businessAttributes: 1, fieldMappings: 2, services: 3 },
      ...{ states: 1, tasks: 1, extensions: 2, associations: 4, contentHash: hashIn(text) },
    },
  });

  await expect(on(source, `export ${folder}/none/a.ndjson`)).rejects.toThrow(
    /none.a\.ndjson cannot be written/,
  );
  await writeFile(plain, 'the former one');
  const cut = await on(source, `export ${plain}`, { interruption: AbortSignal.abort() });
  expect([cut.code, await readFile(plain, 'utf8')]).toEqual([130, 'the former one']);
  await expect(stat(`${plain}.unfinished`)).rejects.toThrow('ENOENT');
});

test('services are exported by when they were started', async () => {
  await using source = await createSource();

  const [before, since] = await Promise.all([
    exported(source, '--to 2020-02-02T02:02:02.001Z'),
    exported(source, '--from 2020-02-02T02:02:02.001Z'),
  ]);

  const idsIn = (text: string) => [...text.matchAll(/"service":\{"id":"(\d+)"/g)].map(([, id]) => id);
  expect([idsIn(before), idsIn(since)]).toEqual([['3'], ['1', '2']]);
});

test('an import that was cut off goes on, by the same command, and says until then that there is more', async () => {
  await using source = await createSource();
  await using target = await createTestApp();
  const whole = await exported(source);
  const lines = whole.split('\n');

  const first = await on(target, 'import -', { input: `${lines.slice(0, 9).join('\n')}\n{"serv` });
  const dry = await on(target, 'import - --dry-run --json', { input: whole });
  const second = await on(target, 'import -', { input: whole });
  const third = await on(target, 'import -', { input: whole });

  expect(first.code).toBe(1);
  expect(first.stdout).toBe('2 services imported, 0 there already, 1 line refused\n');
  expect(first.stderr).toMatch(/^The file has no end: .*\nline 10: must be JSON.*\n$/);
  const counts = { imported: 1, there: 2, refused: 0, fault: null };
  expect(JSON.parse(dry.stdout)).toEqual({ dryRun: true, ...counts });
  expect(second.stdout).toBe('1 service imported, 2 there already, 0 lines refused\n');
  expect([third.code, third.stdout]).toEqual([0, '0 services imported, 3 there already, 0 lines refused\n']);
  expect(hashIn(await exported(target))).toBe(hashIn(whole));
  expect(await contentOf(target)).toEqual(await contentOf(source));
  // What is imported has not happened here.
  expect(await target.sql('select from event')).toEqual([]);
});

test('what was purged is imported again, changed and purged, and no version is told of twice', async () => {
  await using app = await createSource();
  const file = await exported(app);
  await on(app, 'purge all');

  const first = await on(app, 'import -', { input: file });
  const again = await on(app, 'import -', { input: file });
  const dry = await on(app, 'import - --dry-run', { input: file });
  const moved = await app.rest('POST', '/customers/c4/services/1', { body: {} });
  const undone = await app.rest('POST', '/services/1/associations/undo', { body: {} });
  const purged = await on(app, 'purge all');

  expect(first).toEqual({
    code: 0,
    stdout: '3 services imported, 0 there already, 0 lines refused\n',
    stderr: '',
  });
  expect(again.stdout).toBe('0 services imported, 3 there already, 0 lines refused\n');
  expect(dry.stdout).toBe('0 services would be imported, 3 there already, 0 lines refused\n');
  expect([moved.status, moved.headers['etag']]).toEqual([200, '"6"']);
  expect([undone.status, undone.headers['etag']]).toEqual([200, '"7"']);
  expect(purged.stdout).toBe('3 services deleted\n');
  const told = async () => {
    const { text } = await app.rest('GET', '/events');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line)).map(({ id, type }) => `${id} ${type}`);
  };
  // Other tests' transactions can hold the feed back.
  await expect
    .poll(told)
    .toEqual([
      ...['1.1 service.started', '1.2 state.started', '1.3 task.started', '1.4 service.associated'],
      ...['2.1 service.started', '3.1 service.started'],
      ...['1.5 service.deleted', '2.2 service.deleted', '3.2 service.deleted'],
      ...['1.6 service.associated', '1.7 service.associated'],
      ...['1.8 service.deleted', '2.3 service.deleted', '3.3 service.deleted'],
    ]);
});

test('what is imported again has its history, and is what it was but for its version', async () => {
  await using app = await createSource();
  const file = await exported(app);
  const before = await contentOf(app);
  await on(app, 'purge all');

  await on(app, 'import -', { input: file });

  expect(await app.sql('select id::int, version, associated_version from service order by id')).toEqual([
    { id: 1, version: 5, associated_version: 4 },
    { id: 2, version: 2, associated_version: 1 },
    { id: 3, version: 2, associated_version: 1 },
  ]);
  await app.sql('update service set version = version - 1');
  expect(await contentOf(app)).toEqual(before);
});

/** A file of one service, which expired long ago. */
const expired = [
  { contextGatewayExport: { formatVersion: 1 } },
  {
    service: {
      id: '7',
      customer_id: 'c',
      started_at: '2020-01-01T00:00:00Z',
      expires_at: '2021-01-01T00:00:00Z',
    },
  },
  { end: {} },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');

test('a service that expired goes with the next sweep, however often it is imported', async () => {
  await using app = await createTestApp();
  const swept: number[] = [];

  for (let times = 0; times < 3; times++) {
    await on(app, 'import -', { input: expired });
    const pass = { now: new Date(), eventSeconds: 3_600, logger: createLogger('silent') };
    swept.push((await sweepServices(app.gateway.database, pass)).expired);
  }

  expect(swept).toEqual([1, 1, 1]);
  expect(await app.sql('select version from event order by version')).toEqual(
    [2, 3, 4].map((version) => ({ version })),
  );
});

/** Of the service in that file. */
function beginDeletion(app: TestApp): Promise<Writer> {
  return beginWrite(
    app,
    `with gone as (delete from service where id = $1 returning *)
     insert into event (tenant, service_id, version, type, recorded_at)
     select tenant, id, version + 1, 'SERVICE_EXPIRED', now() from gone`,
    [7],
  );
}

test('a service that is being deleted is imported behind that, and knows of it', async () => {
  await using app = await createTestApp();
  await on(app, 'import -', { input: expired });
  await using deletion = await beginDeletion(app);

  const importing = on(app, 'import -', { input: expired });
  await deletion.isWaitedFor();
  await deletion.finish();

  expect((await importing).stdout).toBe('1 service imported, 0 there already, 0 lines refused\n');
  expect(await app.sql('select version from service')).toEqual([{ version: 2 }]);
});

test('a database that goes in the middle of an import is told as such, and the same import goes on', async () => {
  await using app = await createTestApp();
  await on(app, 'import -', { input: expired });
  await using deletion = await beginDeletion(app);

  const importing = on(app, 'import -', { input: expired });
  const told = expect(importing).rejects.toThrow('The database is not available.');
  await deletion.isWaitedFor();
  await app.sql(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`);
  await told;
  await deletion.finish();
  const again = await on(app, 'import -', { input: expired });

  expect(again.stdout).toBe('1 service imported, 0 there already, 0 lines refused\n');
  expect(await app.sql('select version from service')).toEqual([{ version: 2 }]);
});

test('a webhook is told of no version twice, also where a delivery has outlived its event', async () => {
  await using app = await createTestApp();
  await app.sql(`insert into webhook (tenant, id, url, event_types, secret, status, feed_xid, feed_service_id, feed_version, created_at)
    values ('default', 1, 'http://127.0.0.1/', '{}', 'whsec_none', 'DISABLED', '0', 0, 0, now())`);
  await app.sql(`insert into webhook_delivery (tenant, webhook_id, service_id, version, type, recorded_at, died_at, created_at)
    select 'default', 1, 7, version, 'SERVICE_EXPIRED', now(), now(), now() from generate_series(2, 5) version`);

  await on(app, 'import -', { input: expired });
  const { status } = await app.rest('POST', '/customers/d/services/7', { body: {} });

  expect(status).toBe(200);
  expect(await app.sql('select version from event')).toEqual([{ version: 6 }]);
});

test('a gateway that runs gives no imported id away, and takes up what is defined', async () => {
  await using source = await createSource();
  await using target = await createTestApp();
  const own = await startService(target, { customer_id: 'own' });
  await source.sql("select setval('service_id_seq', 4999)");
  const far = await startService(source, { customer_id: 'far' });

  const { code, stdout, stderr } = await on(target, 'import -', { input: await exported(source) });
  const next = await startService(target, { customer_id: 'next', media_type: 'voice' });

  // Both have a service 1.
  expect([own, far, code]).toEqual([1, 5000, 1]);
  expect(stdout).toBe('3 services imported, 0 there already, 1 line refused\n');
  expect(stderr).toBe('line 8, service 1: there is a service 1 already, and it is not the same\n');
  expect(next).toBe(5001);
  const { json } = await target.rest('GET', `/services/${next}`);
  expect(json.started.media_type).toBe('voice');
  await expect(on(target, 'import - --tenant nowhere')).rejects.toThrow('There is no tenant nowhere.');
});

test('each line that is refused is told with all its reasons, and the others are imported', async () => {
  await using target = await createTestApp();
  const report = join(folder, 'report.ndjson');
  const service = (fields: object) =>
    JSON.stringify({ service: { started_at: '2026-01-01T00:00:00Z', ...fields } });
  const [at, by] = ['2026-01-01T00:00:00Z', { front: 'REST', request_id: 'r' }];
  const act = { kind: 'START', ...by, occurred_at: at, recorded_at: at };
  const input = [
    JSON.stringify({ contextGatewayExport: { formatVersion: 1 } }),
    service({ id: '10', customer_id: 'fine', contact_key: null }),
    '{"service":',
    service({ id: 11, customer_id: 'c'.repeat(65), media_type: 1.5, agent: 'x' }),
    service({ id: '12', states: [{ id: 0 }, 7], tasks: 'none' }),
    service({
      id: '13',
      extensions: [{ scope: 'STATE', owner_id: 4, name: 'Note', value: { a: '\u0000' } }],
    }),
    service({ id: '14', extensions: [{ scope: 'TASK', owner_id: 4, name: 'Note', value: 'x' }] }),
    service({ id: '15', customer_id: 'c', version: 1, associations: [{ ...act, version: 2 }] }),
    service({
      id: '16',
      completed_at: '2025-01-01T00:00:00Z',
      next_task_id: 0,
      tasks: [{ id: 3, started_at: at }],
    }),
    service({ id: '9223372036854775807' }),
    service({ id: '10', customer_id: 'other' }),
    service({ id: '10', customer_id: 'fine' }),
    service({
      id: '17',
      extensions: [{ scope: 'SERVICE', owner_id: 0, name: 'Big', value: 'x'.repeat(33_000) }],
    }),
    '{"service":{"id":"18","started_at":"2026-01-01T00:00:00Z","application_id":12345678901234567890}}',
    JSON.stringify({ surprise: 1 }),
    JSON.stringify({
      extensionSchema: { scope: 'SERVICE', name: '1', type: 'single-valued', attributes: [] },
    }),
    JSON.stringify({ fieldMapping: { field: 'Service.media_type', businessAttribute: 'None' } }),
    service({ id: '19', contact_key: 'also fine' }),
    JSON.stringify({ end: { contentHash: 'sha256:0' } }),
    service({ id: '20' }),
    '',
  ].join('\n');
  const before = await target.hash();

  const dry = await on(target, `import - --dry-run --report ${report}`, { input });
  const dryReport = await readFile(report, 'utf8');
  const unchanged = await target.hash();
  const real = await on(target, `import - --report ${report}`, { input });

  expect(unchanged).toBe(before);
  expect(await readFile(report, 'utf8')).toBe(dryReport);
  expect([dry.code, real.code]).toEqual([1, 1]);
  expect(real.stdout).toBe('2 services imported, 1 there already, 15 lines refused\n');
  expect(dry.stdout).toBe(real.stdout.replace('imported', 'would be imported'));
  expect(real.stderr).toMatch(/^The file is not as it was written: /);
  const refusals = dryReport
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(refusals.map(({ line, serviceId, reasons }) => [line, serviceId, ...reasons])).toEqual([
    [3, null, 'must be JSON'],
    [
      ...[4, '11', 'agent: is not known here', 'customer_id: must have at most 64 characters, has 65'],
      'media_type: must be an integer from -9007199254740991 to 9007199254740991',
    ],
    [
      ...[5, '12', 'states[0].started_at: is required', 'states[1]: must be an object'],
      'tasks: must be a list',
    ],
    [6, '13', 'extensions[0].value.a: must not contain the character U+0000'],
    [7, '14', 'extensions.owner_id: is 4, which is no task of it'],
    [
      ...[8, '15', 'version: must be at least 2, as of associations'],
      'customer_id: must be the to_customer_id of the newest of associations',
    ],
    [9, '16', 'next_task_id: must be at least 4', 'completed_at: must not be before started_at'],
    [10, null, 'id: must be an integer from 1 to 9000000000000000000'],
    [11, '10', 'there is a service 10 already, and it is not the same'],
    [13, '17', 'extensions[0].value: must be at most 32768 bytes of JSON, is 33002'],
    [14, null, 'service.application_id: must be an integer from -9007199254740991 to 9007199254740991'],
    [
      ...[15, null],
      'must be an object with one member of extensionSchema, businessAttribute, mapNames, fieldMapping, service, end',
    ],
    [
      ...[16, null, 'name: must be a letter followed by letters, digits or _, at most 26 characters'],
      'attributes: must be an array of at least one attribute',
    ],
    [17, null, 'businessAttribute: must name a business attribute that is there'],
    [20, null, 'stands behind the end'],
  ]);
  expect(
    await target.sql('select id::text, customer_id, contact_key, version from service order by id'),
  ).toEqual([
    { id: '10', customer_id: 'fine', contact_key: null, version: 1 },
    { id: '19', customer_id: null, contact_key: 'also fine', version: 1 },
  ]);
});

test('a file that is no export is refused as a whole', async () => {
  await using target = await createTestApp();
  const before = await target.hash();

  await expect(on(target, 'import -', { input: '{"service":{"id":"1"}}\n' })).rejects.toThrow(/is no export/);
  await expect(on(target, 'import -')).rejects.toThrow(/is no export/);
  const newer = '{"contextGatewayExport":{"formatVersion":2}}';
  await expect(on(target, 'import -', { input: newer })).rejects.toThrow(
    'has the format 2, and 1 is read here',
  );
  await expect(on(target, `import ${folder}/none`)).rejects.toThrow(/none cannot be read: ENOENT/);
  const cut = gzipSync(await exported(target)).subarray(0, 60);
  await expect(on(target, 'import -', { input: cut })).rejects.toThrow('standard input cannot be read');

  expect(await target.hash()).toBe(before);
});
