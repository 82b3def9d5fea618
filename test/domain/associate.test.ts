import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { createExampleSchemas, startService } from '../seeds.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  await createExampleSchemas(app);
});
afterAll(() => app[Symbol.asyncDispose]());

test('a service moves from anonymous to one customer to another, and every list of both fronts follows', async () => {
  const id = await startService(app, { contact_key: '+49301234', service_type: 'claim' });
  const listed = () => whereabouts({ contactKey: '+49301234', customers: ['mover-1', 'mover-2'] });

  const anonymous = await listed();
  await associate(id, 'mover-1');
  const withFirst = await listed();
  await associate(id, 'mover-2');
  const withSecond = await listed();
  await app.rest('POST', `/services/${id}/end`);
  const completed = await listed();

  expect(anonymous).toEqual(onlyIn('+49301234', 'active', id));
  expect(withFirst).toEqual(onlyIn('mover-1', 'active', id));
  expect(withSecond).toEqual(onlyIn('mover-2', 'active', id));
  expect(completed).toEqual(onlyIn('mover-2', 'completed', id));
});

test('a completed service can be associated with another customer', async () => {
  const id = await startService(app, { customer_id: 'before', service_type: 'claim' });
  await app.rest('POST', `/services/${id}/end`);

  const { status } = await associate(id, 'after');

  const { json } = await app.rest('GET', `/services/${id}`);
  expect(status).toBe(200);
  expect(json.customer_id).toBe('after');
  expect(json.completed).toBeDefined();
});

test('64 callers at once leave one owner, an unbroken history and versions without a gap', async () => {
  const id = await startService(app, { contact_key: 'crowd' });
  const customers = Array.from({ length: 64 }, (_, index) => `crowd-${index}`);

  const answers = await Promise.all(customers.map((customer) => associate(id, customer)));

  const [service] = await app.sql('select customer_id, version from service where id = $1', [id]);
  const history = await historyOf(id);
  expect(answers.map(({ status }) => status)).toEqual(customers.map(() => 200));
  expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 65 }, (_, index) => index + 1));
  expect(history.slice(1).map(({ from }) => from)).toEqual(history.slice(0, -1).map(({ to }) => to));
  expect(new Set(history.slice(1).map(({ to }) => to))).toEqual(new Set(customers));
  expect(service).toEqual({ customer_id: history.at(-1)?.to, version: 65 });
  expect(await app.sql('select version from event where service_id = $1 order by 1', [id])).toHaveLength(65);
});

test('the same customer again applies the rest, counts a version and makes no history entry', async () => {
  const id = await startService(app, { contact_key: 'again' });
  await associate(id, 'same');

  const { status } = await associate(id, 'same', { resource_id: 7, Feedback: { rating: 3 } });

  const { json, headers } = await app.rest('GET', `/services/${id}?extensions=Feedback`);
  expect(status).toBe(200);
  expect(json).toMatchObject({ started: { resource_id: 7 }, Feedback: { rating: 3 } });
  expect(headers['etag']).toBe('"3"');
  expect((await historyOf(id)).map(({ version }) => version)).toEqual([1, 2]);
  expect(await eventsOf(id)).toEqual(['SERVICE_STARTED', 'SERVICE_ASSOCIATED', 'SERVICE_ASSOCIATED']);
});

test('each event says whose the service is and whose it was before', async () => {
  const id = await startService(app, { contact_key: 'events' });
  await associate(id, 'one');
  await associate(id, 'one', { resource_id: 1 });
  await associate(id, 'two');
  await app.rest('POST', `/services/${id}/end`);

  const events = await app.sql(
    'select version, type, prev_customer_id as "from", customer_id as "to" from event where service_id = $1 order by 1',
    [id],
  );

  expect(events).toEqual([
    { version: 1, type: 'SERVICE_STARTED', from: null, to: null },
    { version: 2, type: 'SERVICE_ASSOCIATED', from: null, to: 'one' },
    { version: 3, type: 'SERVICE_ASSOCIATED', from: 'one', to: 'one' },
    { version: 4, type: 'SERVICE_ASSOCIATED', from: 'one', to: 'two' },
    { version: 5, type: 'SERVICE_COMPLETED', from: 'two', to: 'two' },
  ]);
});

test('attached data is one under its name in any case, and answers in the case of the newest write', async () => {
  const id = await startService(app, { customer_id: 'c', Travel: { to: 'Paris' } });

  await app.rest('POST', `/genesys/1/cs/customers/c/services/${id}`, { body: { TRAVEL: { to: 'Rome' } } });

  const { json } = await app.rest('GET', `/services/${id}?extensions=travel`);
  expect(json).toMatchObject({ TRAVEL: { to: 'Rome' } });
  expect(json).not.toHaveProperty('Travel');
});

test('a given extension replaces the stored one as a whole, single- and multi-valued, and null removes it', async () => {
  const id = await startService(app, {
    customer_id: 'c',
    Feedback: { FeedbackType: 'survey', rating: 1, notes: 'old' },
    Satisfaction: [{ rating: 1 }, { rating: 2 }],
  });

  await associate(id, 'c', { Feedback: { rating: 9 }, Satisfaction: [{ place: 'Paris' }] });
  const replaced = await app.rest('GET', `/services/${id}?extensions=*`);
  await associate(id, 'c', { Feedback: null, satisfaction: null });
  const removed = await app.rest('GET', `/services/${id}?extensions=*`);

  expect(replaced.json).toMatchObject({ Feedback: { rating: 9 }, Satisfaction: [{ place: 'Paris' }] });
  expect(replaced.json.Feedback).toEqual({ rating: 9 });
  expect(removed.json).not.toHaveProperty('Feedback');
  expect(removed.json).not.toHaveProperty('Satisfaction');
  expect(await app.sql('select name from extension where service_id = $1', [id])).toEqual([]);
});

test('a field that is absent stays, and one that is null is cleared', async () => {
  const id = await startService(app, {
    customer_id: 'c',
    interaction_id: 'i-1',
    session_id: 's-1',
    est_duration: 60,
  });

  await associate(id, 'd', { interaction_id: 'i-2', session_id: null });

  const { json } = await app.rest('GET', `/services/${id}`);
  expect(json.started).toMatchObject({ interaction_id: 'i-2' });
  expect(json.started).not.toHaveProperty('session_id');
  expect(json.est_duration).toBe(60);
});

test('an input with one bad part leaves every table as it was', async () => {
  const id = await startService(app, { customer_id: 'whole', Feedback: { rating: 1 } });
  const good = { interaction_id: 'i', Feedback: { rating: 2 }, Satisfaction: [{ rating: 1 }] };
  const before = await app.hash();

  const answers = [
    await associate(id, 'other', { ...good, Feedback: { rating: 'two' } }),
    await associate(id, 'other', { ...good, est_duration: -1 }),
    await associate(id, 'other', { ...good, Unheard: {} }),
    await associate(id, 'other', { ...good, Satisfaction: [{ rating: 1 }, { place: 5 }] }),
    await associate(id, 'x'.repeat(65), good),
    await associate(999_999_999, 'other', good),
  ];

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 404]);
  expect(await app.hash()).toBe(before);
});

test('extensions are limited in size, one by one and together, and the limit counts what is kept', async () => {
  const path = '/genesys/1/cs';
  const big = (name: string) => ({ [name]: 'x'.repeat(32_000) });
  const id = await startService(app, {
    customer_id: 'c',
    ...big('k1'),
    ...big('k2'),
    ...big('k3'),
    ...big('k4'),
  });
  const update = (body: object) => app.rest('POST', `${path}/customers/c/services/${id}`, { body });
  await update({ ...big('k5'), ...big('k6'), ...big('k7') });
  const before = await app.hash();

  const oneTooLarge = await update({ k8: 'x'.repeat(32_767) });
  const togetherTooLarge = await update({ ...big('k8'), ...big('k9') });
  const unchanged = await app.hash();
  const replaced = await update({ k1: null, ...big('k8') });

  expect(oneTooLarge.status).toBe(413);
  expect(oneTooLarge.json.errors).toEqual([
    { path: 'k8', message: 'must be at most 32768 bytes of JSON, is 32769' },
  ]);
  expect(togetherTooLarge.status).toBe(413);
  expect(togetherTooLarge.json.errors[0].message).toMatch(/at most 262144 bytes together, would be \d+/);
  expect(unchanged).toBe(before);
  expect(replaced.status).toBe(200);
});

function associate(id: number, customer: string, body?: object) {
  return app.rest('POST', `/customers/${customer}/services/${id}`, body ? { body } : {});
}

type Places = { contactKey: string; customers: string[] };

/** Which lists show which services, on both fronts: `REST active mover-1: 17`. */
async function whereabouts({ contactKey, customers }: Places): Promise<string[]> {
  const lists = ['all', 'active', 'completed'].flatMap((status) => [
    listAnonymous(contactKey, status),
    ...customers.map((customer) => listOfCustomer(customer, status)),
  ]);
  return (await Promise.all(lists)).flat().sort();
}

function listAnonymous(contactKey: string, status: string): Promise<string[]> {
  const path = `/services/anonymous/${encodeURIComponent(contactKey)}`;
  const query = `{ in: __typename list: anonymousServices(contactKey: "${contactKey}", ${filterOf(status)}) { nodes { id } } }`;
  return listOnBoth(`${status} ${contactKey}`, path, status, query);
}

function listOfCustomer(customer: string, status: string): Promise<string[]> {
  const query = `{ in: customer(id: "${customer}") { list: services(${filterOf(status)}) { nodes { id } } } }`;
  return listOnBoth(`${status} ${customer}`, `/customers/${customer}/services`, status, query);
}

function filterOf(status: string): string {
  return status === 'all' ? 'first: 500' : `first: 500, status: ${status.toUpperCase()}`;
}

async function listOnBoth(name: string, path: string, status: string, query: string): Promise<string[]> {
  const rest = await app.rest('GET', status === 'all' ? path : `${path}/${status}`);
  const { json } = await app.rest('POST', '/graphql', { body: { query } });
  const { nodes } = json.data.list ?? json.data.in.list;
  return [
    ...rest.json.map((service: { service_id: number }) => `REST ${name}: ${service.service_id}`),
    ...nodes.map((node: { id: string }) => `GraphQL ${name}: ${node.id}`),
  ];
}

function onlyIn(name: string, status: string, id: number): string[] {
  return ['all', status]
    .flatMap((list) => [`REST ${list} ${name}: ${id}`, `GraphQL ${list} ${name}: ${id}`])
    .sort();
}

type Entry = { version: number; from: string | null; to: string | null };

function historyOf(id: number): Promise<Entry[]> {
  return app.sql<Entry>(
    `select version, from_customer_id as "from", to_customer_id as "to"
     from association where service_id = $1 order by version`,
    [id],
  );
}

async function eventsOf(id: number): Promise<string[]> {
  const events = await app.sql<{ type: string }>(
    'select type from event where service_id = $1 order by version',
    [id],
  );
  return events.map(({ type }) => type);
}
