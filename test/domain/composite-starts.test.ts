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

function start(caller: TestApp, entry: object) {
  return caller.rest('POST', `${base85}/services_composite/start`, { body: { services: [entry] } });
}

async function startOne(service: object, others: object = {}) {
  const { json, status, text } = await start(app, { service, state: {}, ...others });
  expect(status, text).toBe(200);
  return json[0];
}
