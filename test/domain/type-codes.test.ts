import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SetMapNamesDocument } from '../generated/graphql.js';
import { defineAttribute, mapField } from '../graphql/makers.js';
import { type Answer, createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

let app: TestApp;
let replica: TestApp;
/** A service that was started before anything was mapped. */
let early: number;
const allowed = ['voice', '1001', 'e-mail', '1003'];

beforeAll(async () => {
  app = await createTestApp();
  replica = await createTestApp({ database: app });
  early = await startService(app, { customer_id: 'early', service_type: 'voice' });
  await replica.rest('GET', '/services/1');
  await defineAttribute(app, {
    name: 'MediaType',
    values: [
      { dbid: 1001, name: 'voice' },
      { dbid: 1003, name: 'e-mail' },
    ],
  });
  const fields = [
    'SERVICE_TYPE',
    'SERVICE_MEDIA_TYPE',
    'STATE_TYPE',
    'STATE_MEDIA_TYPE',
    'STATE_DISPOSITION',
  ] as const;
  for (const field of fields) await mapField(app, field, 'MediaType');
  await mapField(app, 'TASK_TYPE', 'MediaType');
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});
beforeEach(() => mapNames(false));

test('a mapped field takes a dbid, its digits or a name, and answers the dbid, or the name where names are mapped', async () => {
  const forms = [1001, '1001', 'voice'];
  const ids = await Promise.all(
    forms.map((form) => startService(app, { customer_id: 'forms', service_type: form, media_type: form })),
  );

  const shown = () => Promise.all(ids.map((id) => app.rest('GET', `/services/${id}`)));
  const asDbids = await shown();
  await mapNames(true);
  const asNames = await shown();

  const codes = (answers: Answer[]) =>
    answers.map(({ json }) => [json.service_type, json.started.media_type]);
  expect(codes(asDbids)).toEqual(forms.map(() => [1001, 1001]));
  expect(codes(asNames)).toEqual(forms.map(() => ['voice', 'voice']));
  const stored = await app.sql(
    'select distinct service_type, media_type from service where customer_id = $1',
    ['forms'],
  );
  expect(stored).toEqual([{ service_type: 1001, media_type: 1001 }]);
});

test('any other value is refused on both fronts with the list of the valid ones, and changes nothing', async () => {
  const id = await startService(app, { customer_id: 'c' });
  const before = await app.hash();

  const rest = await app.rest('POST', `/customers/c2/services/${id}`, {
    body: { media_type: 'Voice', service_type: 7, resource_type: 'anything' },
  });
  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `mutation { associateService(input: { serviceId: ${id}, customerId: "c2", mediaType: "Voice" })
        { ... on Invalid { faults { path allowed } } } }`,
    },
  });

  expect(rest.status).toBe(400);
  expect(
    rest.json.errors.map(({ path, allowed: values }: { path: string; allowed: string[] }) => [path, values]),
  ).toEqual([
    ['service_type', allowed],
    ['media_type', allowed],
  ]);
  expect(json.data.associateService.faults).toEqual([{ path: 'mediaType', allowed }]);
  expect(await app.hash()).toBe(before);
});

test('a transition says each fault of its codes once, where it stands', async () => {
  const id = await startService(app);
  await app.rest('POST', `/genesys/1/cs/services/${id}/states/start`, { body: {} });

  const { status, json } = await app.rest('POST', `/services/${id}/states/transition`, {
    body: { from: { state_id: 0, disposition: 9 }, to: { state_type: 'x' }, media_type: 5, resource_type: 5 },
  });

  expect(status).toBe(400);
  expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    'from.disposition',
    'media_type',
    'to.state_type',
  ]);
});

test('filters take a dbid or a name and find what was stored before the mapping too', async () => {
  const customer = 'early';
  const late = await startService(app, { customer_id: customer, service_type: 1001 });
  await startService(app, { customer_id: customer, service_type: 'e-mail' });
  const list = (types: string) => app.rest('GET', `/customers/${customer}/services?service_types=${types}`);

  for (const type of ['voice', '1001']) {
    const { json } = await list(type);
    expect(json.map((service: { service_id: number }) => service.service_id)).toEqual([early, late]);
    expect(json.map((service: { service_type: unknown }) => service.service_type)).toEqual([1001, 1001]);
  }
  const unknown = await list('fax,voice');
  expect([unknown.status, unknown.json.errors]).toEqual([
    400,
    [{ path: 'service_types', message: expect.stringContaining('MediaType'), allowed }],
  ]);
});

test('filters of states and tasks do so too, on both fronts', async () => {
  const id = await startService(app);
  for (const type of ['voice', 1003]) {
    await app.rest('POST', `/services/${id}/states/start`, { body: { state_type: type } });
    await app.rest('POST', `/services/${id}/tasks/start`, { body: { task_type: type } });
  }

  const states = await app.rest('GET', `/services/${id}/states?state_types=e-mail`);
  const tasks = await app.rest('GET', `/services/${id}/tasks?task_types=1003`);
  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `{ service(id: ${id}) { states(types: ["e-mail"]) { number stateType } tasks(types: [1003]) { number taskType } } }`,
    },
  });

  expect(states.json).toMatchObject([{ state_id: 1, state_type: 1003 }]);
  expect(tasks.json).toMatchObject([{ task_id: 1, task_type: 1003 }]);
  expect(json.data.service).toEqual({
    states: [{ number: 1, stateType: 1003 }],
    tasks: [{ number: 1, taskType: 1003 }],
  });
});

test('a replica that has not heard of a mapping yet writes by it', async () => {
  await defineAttribute(app, { name: 'Resource', values: [{ dbid: 1, name: 'ivr' }] });
  const id = await startService(replica);
  await mapField(app, 'SERVICE_RESOURCE_TYPE', 'Resource');

  const refused = await replica.rest('POST', `/customers/c/services/${id}`, {
    body: { resource_type: 'robot' },
  });
  const taken = await replica.rest('POST', `/customers/c/services/${id}`, { body: { resource_type: 'ivr' } });

  expect([refused.status, taken.status]).toEqual([400, 200]);
  expect(refused.json.errors[0].allowed).toEqual(['ivr', '1']);
  const { json } = await replica.rest('GET', `/services/${id}`);
  expect(json.started.resource_type).toBe(1);
});

async function mapNames(on: boolean): Promise<void> {
  const { data } = await app.graphql(SetMapNamesDocument, { input: { mapNames: on } });
  expect(data?.setMapNames.__typename).toBe('SetMapNamesPayload');
}
