import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

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

test('a service is deleted with all that hangs on it, its events stay and say so', async () => {
  const kept = await startInFull();
  const id = await startInFull();

  const { status, text } = await remove(id);

  expect([status, text]).toEqual([200, '']);
  const left = await rowsOf(id);
  expect(left).toEqual({ service: 0, extension: 0, association: 0, state: 0, task: 0, event: 5 });
  expect(await rowsOf(kept)).toEqual({
    service: 1,
    extension: 2,
    association: 2,
    state: 1,
    task: 1,
    event: 4,
  });
  const [event] = await app.sql('select type, customer_id from event where service_id = $1 and version = 5', [
    id,
  ]);
  expect(event).toEqual({ type: 'SERVICE_DELETED', customer_id: 'owner' });
  expect((await app.rest('GET', `/services/${id}`)).status).toBe(404);
});

test('an unknown service is answered as 8.5 does', async () => {
  const before = await app.hash();

  const { status, json } = await remove(404_404);
  const bad = await app.rest('DELETE', `${base85}/services/none`);
  const bare = await app.rest('DELETE', '/services/404404');

  expect(status).toBe(400);
  expect(json).toMatchObject({
    message: 'There are no service found for : 404404',
    exception: 'com.genesyslab.gsg.services.contextservices.exceptions.NotFoundException',
  });
  expect([bad.status, bad.json.errors[0].path]).toEqual([400, 'service_id']);
  expect(bare.status).toBe(404);
  expect(await app.hash()).toBe(before);
});

test('a stale version keeps the service, a repeated key is answered as done', async () => {
  const id = await startService(app);
  const stale = await remove(id, { 'if-match': '"2"' });

  const answers = [
    await remove(id, { 'if-match': '"1"', 'idempotency-key': `delete ${id}` }),
    await remove(id, { 'if-match': '"1"', 'idempotency-key': `delete ${id}` }),
    await remove(id),
  ];

  for (const tag of ['7', '"1","2"', 'abc']) {
    const { status, json } = await remove(await startService(app), { 'if-match': tag });
    expect([status, json.errors[0].path]).toEqual([400, 'If-Match']);
  }
  expect(stale.status).toBe(412);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(answers[1]?.headers['idempotency-replayed']).toBe('true');
});

test('writers and deleters at once leave either nothing or an error, never an orphan', async () => {
  for (let round = 0; round < 8; round++) {
    const id = await startService(app);

    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => {
        const caller = index % 2 ? app : replica;
        if (index === 5 || index === 10) return caller.rest('DELETE', `${base85}/services/${id}`);
        const body = { Note: index };
        return caller.rest('POST', `${base85}/services/${id}/${index % 3 ? 'states' : 'tasks'}/start`, {
          body,
        });
      }),
    );

    const deleted = [answers[5]?.status, answers[10]?.status].sort();
    expect(deleted).toEqual([200, 400]);
    for (const { status } of answers) expect([200, 201, 400, 404]).toContain(status);
    const { event, ...rest } = await rowsOf(id);
    expect(Object.values(rest)).toEqual([0, 0, 0, 0, 0]);
    expect(event).toBe(2 + answers.filter(({ status }) => status === 201).length);
  }
});

test('GraphQL deletes too', async () => {
  const id = await startService(app);
  const mutate = async () => {
    const query = `mutation { deleteService(input: { serviceId: ${id} }) {
      ... on DeleteServicePayload { serviceId replayed } ... on Error { code message } } }`;
    return (await app.rest('POST', '/graphql', { body: { query } })).json.data.deleteService;
  };

  expect(await mutate()).toEqual({ serviceId: String(id), replayed: false });
  expect(await mutate()).toEqual({ code: 'NOT_FOUND', message: `There is no service ${id}.` });
});

function remove(id: number, headers: Record<string, string> = {}) {
  return app.rest('DELETE', `${base85}/services/${id}`, { headers });
}

/** With a state, a task, two extensions and a move. */
async function startInFull(): Promise<number> {
  const id = await startService(app, { customer_id: 'first', Note: 1 });
  await app.rest('POST', `${base85}/services/${id}/states/start`, { body: { Note: 2 } });
  await app.rest('POST', `${base85}/services/${id}/tasks/start`, { body: {} });
  await app.rest('POST', `${base85}/customers/owner/services/${id}`);
  return id;
}

async function rowsOf(id: number): Promise<Record<string, number>> {
  const tables = {
    service: 'id',
    extension: 'service_id',
    association: 'service_id',
    state: 'service_id',
    task: 'service_id',
    event: 'service_id',
  };
  const counts = Object.entries(tables).map(async ([table, key]) => {
    const [row] = await app.sql<{ count: number }>(`select count(*)::int from ${table} where ${key} = $1`, [
      id,
    ]);
    return [table, row?.count ?? 0] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}
