import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from './graphql/ways.js';
import { type Answer, createTestApp, type TestApp } from './harness.js';

let app: TestApp;

/** 140 services with as much of extensions as one may have are more than 32 MiB, 120 are not. */
beforeAll(async () => {
  app = await createTestApp();
  await app.sql(`
    with made as (
      insert into service (tenant, customer_id, started_at, updated_at, next_state_id)
      select 'default', 'anna', now() + make_interval(secs => n), now(), 1 from generate_series(1, 140) as n
      returning id
    ), state as (
      insert into state (tenant, service_id, id, started_at)
      select 'default', id, 0, now() from made
    )
    insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
    select 'default', id, scope::extension_scope, 0, 'note', 'Note', to_jsonb(repeat('x', bytes)), bytes + 6
    from made, (values ('SERVICE', 250000), ('STATE', 12000)) as given (scope, bytes)`);
  await app.sql(`
    insert into service (tenant, customer_id, started_at, updated_at)
    select 'default', 'bert', now(), now() from generate_series(1, 70000)`);
  // What is kept for a while is looked up by then.
  await app.rest('GET', '/customers/anna/services?limit=1');
});
afterAll(() => app[Symbol.asyncDispose]());

const tooLarge = {
  message:
    'The answer would have more than 32 MiB, the most that is allowed: ask for smaller pages, or for less of each item.',
  extensions: { code: 'LIMIT_EXCEEDED', limit: 'bytes', allowed: 33_554_432 },
};

function expectTooLarge({ status, text, json }: Answer): void {
  expect(status).toBe(200);
  expect(text.length).toBeLessThan(10_000);
  expect(json.data).toBeNull();
  expect(json.errors).toEqual([expect.objectContaining(tooLarge)]);
}

const ofAnna = (fields: string) => `{ customer(id: "anna") { ${fields} } }`;
const values = '{ nodes { extensions { value } } }';

test('a list with as many extensions as one answer may have is answered', async () => {
  const { json } = await ask(app, { query: ofAnna(`services(first: 120) ${values}`) });

  expect(json.errors).toBeUndefined();
  expect(json.data.customer.services.nodes).toHaveLength(120);
});

test.each([
  ['services with more extensions than that', `services(first: 500) ${values}`],
  [
    'two lists that have more together',
    `services(first: 100) ${values} newest: services(last: 100) ${values}`,
  ],
  [
    'many lists that have more together',
    Array.from({ length: 14 }, (_, index) => `list${index}: services(first: 500) ${values}`).join(' '),
  ],
  [
    'small lists that have more together, without looking at their sizes before',
    Array.from({ length: 6 }, (_, index) => `list${index}: services(first: 31) ${values}`).join(' '),
  ],
  [
    'one list whose extensions are shown under several names',
    'services(first: 31) { nodes { extensions { value } b: extensions { value } c: extensions { value } d: extensions { value } e: extensions { value } } }',
  ],
])('%s are refused', async (_, fields) => {
  expectTooLarge(await ask(app, { query: ofAnna(fields) }));
});

test('extensions of states are added up before they are read, in a statement of their own', async () => {
  const states = 'services(first: 140) { nodes { states { extensions { value } } } }';

  const { json } = await ask(app, { query: ofAnna(states) });
  const statements = await app.countStatements(async () => {
    await app.sql("update extension set size_bytes = 300000 where scope = 'STATE'");
    expectTooLarge(await ask(app, { query: ofAnna(states) }));
  });

  expect(json.errors).toBeUndefined();
  expect(json.data.customer.services.nodes).toHaveLength(140);
  // Services, states, the sum.
  expect(statements).toBe(3);
});

test('behind a list that is too long no other one of the call is read', async () => {
  const lists = Array.from({ length: 14 }, (_, index) => `list${index}: services(first: 500) ${values}`);
  const reading = `select from pg_stat_activity where datname = current_database()
    and application_name = 'context-gateway' and state = 'active'`;

  const statements = await app.countStatements(async () => {
    expectTooLarge(await ask(app, { query: ofAnna(lists.join(' ')) }));
    await expect.poll(() => app.sql(reading)).toEqual([]);
  });

  // The services, their size.
  expect(statements).toBe(2);
});

describe.each(['states', 'tasks'] as const)('more %s than one answer may have', (parts) => {
  const owner = `dora of ${parts}`;
  let id: string;
  beforeAll(async () => {
    id = await startService(owner, parts, 70_000);
  });

  test.each([
    ['in one list', 1],
    ['in several, of which none is read but the first', 14],
  ])('are refused %s', async (_, count) => {
    const lists = Array.from({ length: count }, (_, index) => `list${index}: ${parts} { id }`);
    const query = `{ customer(id: "${owner}") { services(first: 1) { nodes { ${lists.join(' ')} } } } }`;
    let answer: Answer | undefined;

    const statements = await app.countStatements(async () => {
      answer = await ask(app, { query });
    });

    expect(answer?.status).toBe(200);
    expect(answer?.text.length).toBeLessThan(10_000);
    expect(answer?.json.errors).toContainEqual(expect.objectContaining(tooLarge));
    // Services, the list.
    expect(statements).toBe(2);
  });

  test('are refused by REST, before they are read where they lie beside their service', async () => {
    const ofService = () => app.rest('GET', `/services/${id}?active_${parts}=true`);
    const beside: Answer[] = [];
    const statements = await app.countStatements(async () => beside.push(await ofService()));
    const alone = await app.rest('GET', `/services/${id}/${parts}`);
    const active = await app.rest('GET', `/services/${id}/${parts}/active`);

    for (const { status, json } of [...beside, alone, active]) {
      expect([status, json.errors[0].path]).toEqual([400, 'limit']);
    }
    // The service without them, their number.
    expect(statements).toBe(2);
  });

  test('are read by REST page by page', async () => {
    const { status, json, headers } = await app.rest(
      'GET',
      `/services/${id}/${parts}?limit=2&active_tasks=true`,
    );

    expect([status, json.length]).toEqual([200, 2]);
    expect(headers['link']).toContain('rel="next"');
  });

  test('cannot be started: a service has so many at most', async () => {
    const [kind, other] = parts === 'states' ? ['state', 'task'] : ['task', 'state'];
    const nearly = await startService(`${owner}, nearly`, parts, 9_999);
    const start = (what: string | undefined) =>
      app.rest('POST', `/genesys/1/cs/services/${nearly}/${what}s/start`, { body: {} });

    // Large tables are counted at the same time, and told in any order.
    const rows = async () => (await app.hash()).split(' ').sort();

    const last = await start(kind);
    const before = await rows();
    const more = await start(kind);
    const composite = await app.rest('POST', '/genesys/1/cs/services_composite/start', {
      body: {
        services: [
          {
            service: { customer_id: `${owner}, nearly` },
            state: { state_type: 'new' },
            task: { task_type: 'new' },
          },
        ],
      },
    });

    expect(last.status).toBe(201);
    for (const { status, json } of [more, composite]) {
      expect([status, json.code]).toEqual([409, 'CONFLICT']);
      expect(json.detail).toBe(`Service ${nearly} has had 10000 ${parts}, the most that one may have.`);
    }
    expect(await rows()).toEqual(before);
    expect((await start(other)).status).toBe(201);
  });
});

test('a service with many states and tasks is answered with all of them, beside others in a list', async () => {
  const id = await startService('many', 'states', 600);
  await startService('many', 'tasks', 600);

  const one = await app.rest('GET', `/services/${id}?active_states=true&active_tasks=true`);
  const list = await app.rest('GET', '/customers/many/services?active_states=true&active_tasks=true');

  expect([one.json.active_states.length, one.json.active_tasks.length]).toEqual([600, 0]);
  expect(list.json.map((service: Record<string, unknown[]>) => service['active_tasks']?.length)).toEqual([
    0, 600,
  ]);
});

/** A service with so many active states or tasks, which no call could start. */
async function startService(customer: string, parts: 'states' | 'tasks', count: number): Promise<string> {
  const [kind, counter] = parts === 'states' ? ['state', 'next_state_id'] : ['task', 'next_task_id'];
  const [made] = await app.sql<{ id: string }>(
    `insert into service (tenant, customer_id, ${counter}, started_at, updated_at)
     values ('default', $1, $2, now(), now()) returning id`,
    [customer, count],
  );
  // Whether each of them has a service is not asked, which would take most of the time.
  await app.sql(
    `set session_replication_role = replica;
     insert into ${kind} (tenant, service_id, id, started_at)
     select 'default', ${made?.id}, n, now() from generate_series(0, ${count - 1}) n;
     reset session_replication_role`,
  );
  return made?.id ?? '';
}

test('more history than one answer may have is refused before it is read', async () => {
  await app.sql(
    `with made as (insert into service (tenant, customer_id, version, started_at, updated_at)
       select 'default', 'erna', 300, now(), now() from generate_series(1, 300) returning tenant, id)
     insert into association (tenant, service_id, version, kind, front, request_id, occurred_at, recorded_at)
     select tenant, made.id, n, 'ASSOCIATE', 'REST', 'test', now(), now() from made, generate_series(1, 300) n`,
  );
  const history = 'services(first: 300) { nodes { associations(first: 300) { nodes { version } } } }';

  expectTooLarge(await ask(app, { query: `{ customer(id: "erna") { ${history} } }` }));
});

test.each([
  ['with more extensions than one answer may have', '/customers/anna/services?extensions=*'],
  ['with a page of them that is too long', '/customers/anna/services?extensions=*&limit=500'],
  ['of too many services', '/customers/bert/services'],
])('a REST list %s is refused by the name of what to give', async (_, url) => {
  const { status, json, text } = await app.rest('GET', url);

  expect(status).toBe(400);
  expect(text.length).toBeLessThan(10_000);
  expect(json).toMatchObject({
    code: 'INVALID',
    errors: [
      {
        path: 'limit',
        message:
          'must be given, or be smaller: the answer would have more than 32 MiB, the most that is allowed',
      },
    ],
  });
});

test('a REST list without a limit has all that there is, as long as that is not too much', async () => {
  const { status, json } = await app.rest('GET', '/customers/anna/services');
  const paged = await app.rest('GET', '/customers/anna/services?extensions=*&limit=100');

  expect([status, json.length]).toEqual([200, 140]);
  expect([paged.status, paged.json.length]).toEqual([200, 100]);
  expect(paged.headers['link']).toContain('rel="next"');
});

test('a number counts with all the digits that it is answered with, a text as it is', async () => {
  const start = (value: string) =>
    app.rest('POST', '/genesys/1/cs/services/start', {
      rawBody: `{"customer_id":"carl","Note":[${Array.from({ length: 120 }, () => value)}]}`,
    });

  const numbers = await start('1e308');
  const texts = await start('"\\"1e+308"');

  expect([numbers.status, numbers.json.errors]).toEqual([
    413,
    [{ path: 'Note', message: 'must be at most 32768 bytes of JSON, is 37801' }],
  ]);
  expect(texts.status).toBe(201);
});
