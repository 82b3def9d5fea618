import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineAttribute, mapField } from '../graphql/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createExtensionSchema, startService } from '../seeds.js';

const base85 = '/genesys/1/cs';
let app: TestApp;
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  replica = await createTestApp({ database: app });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

test('64 callers at once with the same key, on two gateways, get one service, one state, one task', async () => {
  const entry = {
    service: { customer_id: 'many', service_type: 100, contact_key: 'k' },
    state: { state_type: 4 },
    task: { task_type: 'call' },
    associate_state_task: true,
  };

  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => start(index % 2 ? app : replica, entry)),
  );

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const ids = answers.map(({ json }) => json[0].service_id);
  expect(new Set(ids).size).toBe(1);
  expect(answers.filter(({ json }) => json[0].service_created)).toHaveLength(1);
  for (const { json, headers } of answers) {
    expect(json).toEqual([
      {
        service_id: ids[0],
        service_created: expect.any(Boolean),
        state_id: 0,
        state_created: json[0].service_created,
        task_id: 0,
        task_created: json[0].service_created,
      },
    ]);
    expect(headers['location']).toBe(`${base85}/services/${ids[0]}/tasks/0`);
  }
  const { json } = await app.rest('GET', '/customers/many/services?active_states=true&active_tasks=true');
  expect(json).toHaveLength(1);
  expect(json[0].active_states).toHaveLength(1);
  expect(json[0].active_tasks).toMatchObject([{ task_id: 0, state_id: 0 }]);
});

test('callers at once that find a service start its missing state and task once', async () => {
  const id = await startService(app, { contact_key: 'found', service_type: 'x' });
  const entry = {
    service: { contact_key: 'found', service_type: 'x' },
    state: { state_type: 1, Note: 'of the state' },
    task: { task_type: 2 },
  };

  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, index) => start(index % 2 ? app : replica, entry)),
  );

  const created = answers.map(({ json }) => [
    json[0].service_created,
    json[0].state_created,
    json[0].task_created,
  ]);
  expect(created.filter(([service]) => service)).toEqual([]);
  expect(created.filter(([, state, task]) => state && task)).toHaveLength(1);
  expect(created.filter(([, state, task]) => state || task)).toHaveLength(1);
  const { json } = await app.rest(
    'GET',
    `/services/${id}?active_states=true&active_tasks=true&extensions=*,State.*`,
  );
  expect(json.active_states).toMatchObject([{ state_id: 0, Note: 'of the state' }]);
  expect(json.active_tasks).toMatchObject([{ task_id: 0 }]);
  expect(json.active_tasks[0]).not.toHaveProperty('state_id');
});

test('the newest active service of the same customer, type and contact key is found, and no other', async () => {
  const key = { customer_id: 'c', service_type: 100, contact_key: 'k' };
  const other = [
    await startService(app, { ...key, contact_key: 'k2' }),
    await startService(app, { customer_id: 'c', service_type: 100 }),
    await startService(app, { ...key, service_type: 101 }),
    await startService(app, { ...key, customer_id: 'c2' }),
  ];
  const ended = await startService(app, key);
  await app.rest('POST', `/services/${ended}/end`);
  const created = await startOne(key);
  await startService(app, { ...key, timestamp: '2020-01-01T00:00:00Z' });
  const newest = await startService(app, { ...key, service_type: '100' });

  const found = await startOne(key);
  const again = await startOne(key, { create_new_services: true });

  expect(created).toMatchObject({ service_created: true, state_created: true });
  expect([...other, ended]).not.toContain(created.service_id);
  expect(found).toMatchObject({ service_id: newest, service_created: false, state_created: true });
  expect(again).toMatchObject({ service_created: true });
  expect(again).not.toHaveProperty('task_id');
});

test('a state that has ended is not found, nor a task of another state where it is to be one of this', async () => {
  const service = { customer_id: 'parts', service_type: 1 };
  const state = { state_type: 1 };
  const task = { task_type: 1 };
  const first = await startOne(service, { state, task });

  const same = await startOne(service, { state, task });
  const ofState = await startOne(service, { state, task, associate_state_task: true });
  await app.rest('POST', `/services/${first.service_id}/states/0/end`);
  const next = await startOne(service, { state, task, associate_state_task: true });

  expect(same).toMatchObject({ state_id: 0, state_created: false, task_id: 0, task_created: false });
  expect(ofState).toMatchObject({ state_id: 0, state_created: false, task_id: 1, task_created: true });
  expect(next).toMatchObject({ state_id: 1, state_created: true, task_id: 2, task_created: true });
});

test('what is found is left as it is, and costs no version', async () => {
  const service = { customer_id: 'still', service_type: 1 };
  const { service_id: id } = await startOne(service);
  const before = await app.hash();

  await startOne({ ...service, interaction_id: 'other', Note: 1 });

  expect(await app.hash()).toBe(before);
  expect((await app.rest('GET', `/services/${id}`)).headers['etag']).toBe('"1"');
});

test('a service of a mapped type is found by any form of it', async () => {
  await using own = await createTestApp();
  await defineAttribute(own, { name: 'Types', values: [{ dbid: 7, name: 'claim' }] });
  await mapField(own, 'SERVICE_TYPE', 'Types');
  const by = async (service_type: unknown) =>
    (await start(own, { service: { customer_id: 'c', service_type }, state: {} })).json[0].service_id;

  const ids = [await by('claim'), await by(7), await by('7')];

  expect(new Set(ids).size).toBe(1);
});

test('a call that broke off before its outcome was kept is answered as it was, also where the service is gone', async () => {
  const send = (customer: string) =>
    app.rest('POST', `${base85}/services_composite/start`, {
      body: { services: [{ service: { customer_id: customer, service_type: 1 }, state: {}, task: {} }] },
      headers: { 'idempotency-key': customer },
    });
  const breakOff = (customer: string) => app.sql('delete from idempotency_key where key = $1', [customer]);
  const first = [await send('broken-1'), await send('broken-2')];
  await breakOff('broken-1');
  await breakOff('broken-2');
  await app.rest('DELETE', `${base85}/services/${first[1]?.json[0].service_id}`);

  const again = [await send('broken-1'), await send('broken-2')];

  expect(again.map(({ status, json }) => [status, json])).toEqual(
    first.map(({ status, json }) => [status, json]),
  );
});

test('a service, its state and its task may each have an extension of one name', async () => {
  const service = { customer_id: 'names', service_type: 1, Note: 'service' };
  const { service_id: id } = await startOne(service, { state: { Note: 'state' }, task: { Note: 'task' } });

  const { json } = await app.rest(
    'GET',
    `/services/${id}?active_states=true&active_tasks=true&extensions=*,State.*,Task.*`,
  );
  expect([json.Note, json.active_states[0].Note, json.active_tasks[0].Note]).toEqual([
    'service',
    'state',
    'task',
  ]);
});

test('several entries are answered in their order, and Location is the first one’s', async () => {
  const entry = (customer: string) => ({ service: { customer_id: customer, service_type: 1 }, state: {} });

  const { json, headers } = await app.rest('POST', `${base85}/services_composite/start`, {
    body: { services: [entry('e1'), entry('e2'), entry('e1')] },
  });

  expect(json.map(({ service_created }: { service_created: boolean }) => service_created)).toEqual([
    true,
    true,
    false,
  ]);
  expect(json[2].service_id).toBe(json[0].service_id);
  expect(headers['location']).toBe(`${base85}/services/${json[0].service_id}/states/0`);
});

test('the faults of all entries are told at once, with their places, and nothing is started', async () => {
  await createExtensionSchema(app, 'Strict', 'single-valued', [{ name: 'a', type: 'integer' }]);
  const before = await app.hash();
  const good = { service: { customer_id: 'good', service_type: 1 }, state: {} };

  const { status, json } = await app.rest('POST', `${base85}/services_composite/start`, {
    body: {
      services: [
        good,
        {
          service: { service_type: true, Strict: { a: 'x' } },
          state: { state_type: 'x'.repeat(65), previous_state_id: 0 },
          task: { task_type: 1, state_id: 0 },
          associate_state_task: 'yes',
          colour: 1,
        },
        { service: 5 },
      ],
    },
  });
  const odd = [
    await app.rest('POST', `${base85}/services_composite/start`, { body: {} }),
    await app.rest('POST', `${base85}/services_composite/start`, { body: { services: [] } }),
    await app.rest('POST', `${base85}/services_composite/start`, { body: { services: [good], other: 1 } }),
    await app.rest('POST', '/services_composite/start', { body: { services: [good] } }),
  ];

  expect(status).toBe(400);
  expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual(
    [
      'services[1].associate_state_task',
      'services[1].colour',
      'services[1].service.Strict.a',
      'services[1].service.customer_id',
      'services[1].service.service_type',
      'services[1].state.previous_state_id',
      'services[1].state.state_type',
      'services[1].task.state_id',
      'services[2].service',
      'services[2].service.customer_id',
      'services[2].state',
    ].sort(),
  );
  expect(odd.map(({ status: code }) => code)).toEqual([400, 400, 400, 404]);
  expect(await app.hash()).toBe(before);
});

test.each([
  ['more extensions than one call may have', 400, notes(30)],
  ['larger extensions than one service may have', 413, notes(5, 30_000)],
])('nothing is started where the service and the state of one entry have %s together', async (_, code, extensions) => {
  const before = await app.hash();
  const good = {
    service: { customer_id: 'together', service_type: 1 },
    state: {},
    create_new_services: true,
  };

  const { status, json } = await startAll([
    good,
    { ...good, service: { ...good.service, ...extensions }, state: extensions },
  ]);

  expect([status, json.errors.map((fault: { path: string }) => fault.path)]).toEqual([
    code,
    ['services[1].extensions'],
  ]);
  expect(await app.hash()).toBe(before);
});

test('an entry that is refused behind one that was done says that it was', async () => {
  const full = await startService(app, { customer_id: 'full', service_type: 1 });
  await app.sql(
    `insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
     values ('default', $1, 'SERVICE', 0, 'large', 'Large', '1', 262000)`,
    [full],
  );

  const { status, json } = await startAll([
    { service: { customer_id: 'done', service_type: 1 }, state: {} },
    { service: { customer_id: 'full', service_type: 1 }, state: notes(1, 1_000) },
  ]);

  expect([status, json.code]).toEqual([409, 'CONFLICT']);
  expect(json.detail).toMatch(/^Of the 2 entries 1 was done; the next one was refused: extensions: .* bytes/);
  expect((await app.rest('GET', '/customers/done/services')).json).toHaveLength(1);
});

test('an entry that finds no database behind one that was done leaves the outcome unknown', async () => {
  await app.sql(
    `create function fail() returns trigger language plpgsql as $$
     begin
       if new.customer_id = 'away' then raise exception 'the disk' using errcode = '53100'; end if;
       return new;
     end $$`,
  );
  await app.sql('create trigger failing before insert on service for each row execute function fail()');
  const entry = (customer: string) => ({ service: { customer_id: customer, service_type: 1 }, state: {} });

  const second = await startAll([entry('before'), entry('away')]);
  const first = await startAll([entry('away'), entry('behind')]);
  await app.sql('drop function fail cascade');

  expect(second).toMatchObject({
    status: 503,
    json: { code: 'OUTCOME_UNKNOWN' },
    headers: { 'retry-after': '1' },
  });
  expect(first).toMatchObject({ status: 503, json: { code: 'UNAVAILABLE' } });
  expect((await app.rest('GET', '/customers/before/services')).json).toHaveLength(1);
  expect((await app.rest('GET', '/customers/behind/services')).json).toEqual([]);
});

test('a composite that is repeated with its key creates no second service', async () => {
  const entry = { service: { customer_id: 'keyed', service_type: 1 }, state: {}, create_new_services: true };
  const send = () =>
    app.rest('POST', `${base85}/services_composite/start`, {
      body: { services: [entry, entry] },
      headers: { 'idempotency-key': 'composite' },
    });

  const answers = [await send(), await send()];

  expect(answers[0]?.json[0].service_id).not.toBe(answers[0]?.json[1].service_id);
  expect(answers[1]?.json).toEqual(answers[0]?.json);
  expect((await app.rest('GET', '/customers/keyed/services')).json).toHaveLength(2);
});

function startAll(entries: object[]) {
  return app.rest('POST', `${base85}/services_composite/start`, { body: { services: entries } });
}

/** So many extensions of so many bytes. */
function notes(count: number, bytes = 1): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`Note${index}`, 'x'.repeat(bytes)]));
}

function start(caller: TestApp, entry: object) {
  return caller.rest('POST', `${base85}/services_composite/start`, { body: { services: [entry] } });
}

async function startOne(service: object, others: object = {}) {
  const { json, status, text } = await start(app, { service, state: {}, ...others });
  expect(status, text).toBe(200);
  return json[0];
}
