import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

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

test('64 callers at once, on two gateways, get states and tasks numbered from 0 without a gap or a double', async () => {
  const id = await startService(app);
  const callers = Array.from({ length: 64 }, (_, index) => (index % 2 ? app : replica));

  const answers = await Promise.all(
    callers.map((caller, index) => post(caller, `/services/${id}/${index < 32 ? 'states' : 'tasks'}/start`)),
  );

  expect(answers.map(({ status }) => status)).toEqual(callers.map(() => 201));
  const numbers = (name: string) =>
    answers.flatMap(({ json }) => json[name] ?? []).sort((a: number, b: number) => a - b);
  expect(numbers('state_id')).toEqual(Array.from({ length: 32 }, (_, number) => number));
  expect(numbers('task_id')).toEqual(Array.from({ length: 32 }, (_, number) => number));
  for (const { headers, json } of answers) {
    const part = json.state_id === undefined ? `tasks/${json.task_id}` : `states/${json.state_id}`;
    expect(headers['location']).toBe(`/genesys/1/cs/services/${id}/${part}`);
  }
  expect(await versionsOf(id)).toEqual(Array.from({ length: 65 }, (_, index) => index + 1));
});

test('of 32 callers that end one state, or go on from it, one does and the others learn that it has ended', async () => {
  const id = await startService(app);
  await post(app, `/services/${id}/states/start`);

  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      index % 2
        ? post(app, `/services/${id}/states/0/end`)
        : post(replica, `/services/${id}/states/transition`, { from: { state_id: 0 }, to: {} }),
    ),
  );

  const acted = answers.filter(({ status }) => status < 300);
  expect(acted).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(31);
  const { json } = await app.rest('GET', `/services/${id}/states`);
  expect(json).toHaveLength(acted[0]?.status === 201 ? 2 : 1);
  expect(await versionsOf(id)).toEqual([1, 2, 3]);
});

test('a service that is completed while states and tasks are started has none that is open', async () => {
  for (let round = 0; round < 10; round++) {
    const id = await startService(app);

    const starts = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        index === 6
          ? post(replica, `/services/${id}/end`)
          : post(app, `/services/${id}/${index % 2 ? 'states' : 'tasks'}/start`),
      ),
    );

    expect(starts[6]?.status).toBe(200);
    for (const { status } of starts) expect([200, 201, 409]).toContain(status);
    const open = await app.sql(
      `select id from state where service_id = $1 and completed_at is null
       union all select id from task where service_id = $1 and completed_at is null`,
      [id],
    );
    expect(open).toEqual([]);
    const [parts] = await app.sql<{ count: number }>(
      `select (select count(*) from state where service_id = $1)::int
         + (select count(*) from task where service_id = $1)::int as count`,
      [id],
    );
    expect(parts?.count).toBe(starts.filter(({ status }) => status === 201).length);
  }
});

test('a part that starts after the end of its service ends when it starts', async () => {
  const id = await startService(app, { customer_id: 'c', timestamp: '2026-01-01T10:00:00Z' });
  await post(app, `/services/${id}/states/start`, { timestamp: '2026-01-01T12:00:00Z' });
  await post(app, `/services/${id}/tasks/start`, { timestamp: '2026-01-01T10:30:00Z', media_type: 1 });

  await post(app, `/services/${id}/end`, {
    timestamp: '2026-01-01T11:00:00Z',
    disposition: 1,
    media_type: 2,
  });

  const { json } = await app.rest('GET', `/services/${id}?completed_states=true&completed_tasks=true`);
  expect(json.completed_states[0]).toMatchObject({
    duration: 0,
    completed: { timestamp: '2026-01-01T12:00:00.000Z' },
  });
  expect(json.completed_tasks[0]).toEqual({
    task_id: 0,
    duration: 1_800_000,
    started: { media_type: 1, timestamp: '2026-01-01T10:30:00.000Z' },
    completed: { timestamp: '2026-01-01T11:00:00.000Z' },
  });
});

test('what is open in a service that is yet to start ends with it', async () => {
  const tomorrow = new Date(Date.now() + 20 * 60 * 60 * 1_000).toISOString();
  const id = await startService(app, { customer_id: 'c', timestamp: tomorrow });
  await post(app, `/services/${id}/states/start`);

  await post(app, `/services/${id}/end`);

  const { json } = await app.rest('GET', `/services/${id}?completed_states=true`);
  expect(json.completed.timestamp).toBe(tomorrow);
  expect(json.completed_states[0].completed.timestamp).toBe(tomorrow);
});

test('a start that is repeated with its idempotency key answers the same number and starts nothing', async () => {
  const id = await startService(app);
  const url = `/genesys/1/cs/services/${id}/states/start`;
  const headers = { 'idempotency-key': `state of ${id}` };
  const body = { state_type: 4, Note: { text: 'x' } };
  const first = await app.rest('POST', url, { body, headers });
  await post(app, `/services/${id}/states/start`);

  const again = await replica.rest('POST', url, { body, headers });
  const other = await app.rest('POST', url, { body: { ...body, state_type: 5 }, headers });

  expect(first.json).toEqual({ state_id: 0 });
  expect(again.json).toEqual({ state_id: 0 });
  expect(again.headers).toMatchObject({
    'idempotency-replayed': 'true',
    location: first.headers['location'],
  });
  expect(other.status).toBe(422);
  expect((await app.rest('GET', `/services/${id}/states`)).json).toHaveLength(2);
});

test('each act is one version and one event that says which state or task', async () => {
  const id = await startService(app);
  await post(app, `/services/${id}/states/start`);
  await post(app, `/services/${id}/tasks/start`, { state_id: 0 });
  await post(app, `/services/${id}/states/transition`, { from: { state_id: 0 }, to: {} });
  await app.rest('PUT', `/genesys/1/cs/services/${id}/states/0/extensions/Note`, { body: 1 });
  await app.rest('PUT', `/genesys/1/cs/services/${id}/tasks/0/extensions/Note`, { body: 1 });
  await app.rest('PUT', `/genesys/1/cs/services/${id}/extensions/Note`, { body: 1 });
  await post(app, `/services/${id}/tasks/0/end`);
  await post(app, `/services/${id}/states/1/end`);

  const events = await app.sql(
    'select version, type, state_id as state, task_id as task from event where service_id = $1 order by version',
    [id],
  );

  expect(events).toEqual([
    { version: 1, type: 'SERVICE_STARTED', state: null, task: null },
    { version: 2, type: 'STATE_STARTED', state: 0, task: null },
    { version: 3, type: 'TASK_STARTED', state: null, task: 0 },
    { version: 4, type: 'STATE_TRANSITIONED', state: 1, task: null },
    { version: 5, type: 'STATE_UPDATED', state: 0, task: null },
    { version: 6, type: 'TASK_UPDATED', state: null, task: 0 },
    { version: 7, type: 'SERVICE_UPDATED', state: null, task: null },
    { version: 8, type: 'TASK_COMPLETED', state: null, task: 0 },
    { version: 9, type: 'STATE_COMPLETED', state: 1, task: null },
  ]);
});

test('an act is answered as done, whatever the caller has of it', async () => {
  const id = await startService(app);
  await post(app, `/services/${id}/states/start`);
  const headers = { prefer: 'return=representation', 'if-none-match': '*' };

  const acts = [
    await app.rest('PUT', `/genesys/1/cs/services/${id}/states/0/extensions/Note`, { body: 1, headers }),
    await app.rest('POST', `/services/${id}/states/00/end`, { body: { state_id: 0 }, headers }),
  ];
  const query = await app.rest('GET', `/services/${id}/states/0`, { headers: { 'if-none-match': '"4"' } });

  expect(acts.map(({ status, json }) => [status, json.state_id])).toEqual([
    [200, 0],
    [200, 0],
  ]);
  expect([query.status, query.text]).toEqual([304, '']);
});

test('pages of states and tasks go on where the last one ended', async () => {
  const id = await startService(app);
  for (const timestamp of ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z']) {
    await post(app, `/services/${id}/states/start`, { timestamp });
    await post(app, `/services/${id}/tasks/start`, { timestamp });
  }

  for (const parts of ['states', 'tasks']) {
    const seen: number[] = [];
    let next: string | undefined = `/services/${id}/${parts}?limit=1`;
    while (next) {
      const { json, headers } = await app.rest('GET', next);
      seen.push(...json.map((part: Record<string, number>) => part['state_id'] ?? part['task_id']));
      next = /<(.*)>; rel="next"/.exec(String(headers['link'] ?? ''))?.[1];
    }
    expect(seen, parts).toEqual([1, 2, 0]);
  }
  const foreign = Buffer.from('1767225600000.9000000000').toString('base64url');
  const { status, json } = await app.rest('GET', `/services/${id}/states?after=${foreign}`);
  expect([status, json.errors[0].path]).toEqual([400, 'after']);
});

function post(caller: TestApp, path: string, body: object = {}): Promise<Answer> {
  return caller.rest('POST', `/genesys/1/cs${path}`, { body });
}

async function versionsOf(id: number): Promise<number[]> {
  const events = await app.sql<{ version: number }>(
    'select version from event where service_id = $1 order by version',
    [id],
  );
  return events.map(({ version }) => version);
}
