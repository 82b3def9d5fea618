import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CompleteServiceDocument,
  CustomerDocument,
  ServiceDocument,
  ServicesDocument,
  type ServicesQueryVariables,
  UpdateServiceDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from './makers.js';

let app: TestApp;
/** In the order that lists have. */
const ids: string[] = [];

/** Seven services, of which three and two share a start. */
beforeAll(async () => {
  app = await createTestApp();
  const starts = ['01', '02', '02', '02', '03', '04', '04'];
  for (const [index, day] of starts.entries()) {
    const input = { customerId: 'anna', timestamp: `2026-01-${day}T00:00:00Z`, interactionId: `I${index}` };
    ids.push(await startService(app, { ...input, serviceType: index % 2 === 0 ? 100 : '100' }));
  }
});
afterAll(() => app[Symbol.asyncDispose]());

async function listServices(variables: ServicesQueryVariables) {
  const { data, errors } = await app.graphql(ServicesDocument, variables);
  if (!data) throw new Error(JSON.stringify(errors));
  return data.services;
}

test.each([1, 2, 3, 7])('pages of %i forwards hold every service once, in order', async (first) => {
  const found: string[] = [];
  let after: string | null = null;
  let hasNextPage = true;
  while (hasNextPage) {
    const page: Awaited<ReturnType<typeof listServices>> = await listServices({ first, after });
    expect(page.edges.map(({ node }) => node.id)).toEqual(page.nodes.map(({ id }) => id));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    found.push(...page.nodes.map(({ id }) => id));
    ({ hasNextPage, endCursor: after } = page.pageInfo);
  }

  expect(found).toEqual(ids);
});

test.each([1, 2, 3, 7])('pages of %i backwards hold every service once, in order', async (last) => {
  const found: string[] = [];
  let before: string | null = null;
  let hasPreviousPage = true;
  while (hasPreviousPage) {
    const page: Awaited<ReturnType<typeof listServices>> = await listServices({ last, before });
    expect(page.pageInfo.hasNextPage).toBe(before !== null);
    found.unshift(...page.nodes.map(({ id }) => id));
    ({ hasPreviousPage, startCursor: before } = page.pageInfo);
  }

  expect(found).toEqual(ids);
});

test('without a size a page after a cursor goes forwards, one before a cursor backwards', async () => {
  const { edges } = await listServices({});
  const cursor = edges[3]?.cursor;

  const behind = await listServices({ after: cursor });
  const ahead = await listServices({ before: cursor });
  const between = await listServices({ after: edges[0]?.cursor, before: cursor });

  expect(behind.nodes.map(({ id }) => id)).toEqual(ids.slice(4));
  expect(ahead.nodes.map(({ id }) => id)).toEqual(ids.slice(0, 3));
  expect(between.nodes.map(({ id }) => id)).toEqual(ids.slice(1, 3));
});

test('an empty page has no cursors', async () => {
  const { nodes, pageInfo } = await listServices({ startedFrom: '2030-01-01T00:00:00Z' });

  expect(nodes).toEqual([]);
  expect(pageInfo).toEqual({
    hasNextPage: false,
    hasPreviousPage: false,
    startCursor: null,
    endCursor: null,
  });
});

test('filters select: types of either JSON type, interaction, start inclusive to exclusive', async () => {
  const listed = async (variables: ServicesQueryVariables) =>
    (await listServices(variables)).nodes.map(({ id }) => id);

  expect(await listed({ types: [100] })).toEqual(ids);
  expect(await listed({ types: ['100', 'another'] })).toEqual(ids);
  expect(await listed({ types: null, status: null, interactionId: null })).toEqual(ids);
  expect(await listed({ interactionId: 'I4' })).toEqual([ids[4]]);
  expect(await listed({ startedFrom: '2026-01-02T00:00:00Z', startedTo: '2026-01-04T00:00:00Z' })).toEqual(
    ids.slice(1, 5),
  );
});

test('a status selects active or completed services', async () => {
  const active = await startService(app, { customerId: 'bert' });
  const completed = await startService(app, { customerId: 'bert' });
  await app.graphql(CompleteServiceDocument, { input: { serviceId: completed } });

  const listed = async (status: 'ACTIVE' | 'COMPLETED' | null) =>
    (await app.graphql(CustomerDocument, { id: 'bert', status })).data?.customer.services.nodes;

  expect(await listed('ACTIVE')).toEqual([{ id: active }]);
  expect(await listed('COMPLETED')).toEqual([{ id: completed }]);
  expect(await listed(null)).toEqual([{ id: active }, { id: completed }]);
});

test('all faults of a list’s arguments are told at once', async () => {
  const { errors } = await app.graphql(ServicesDocument, {
    first: 501,
    last: 0,
    after: 'nonsense',
    before: '',
    types: [],
    interactionId: '\u0000',
  });

  expect(errors).toMatchObject([
    {
      path: ['services'],
      extensions: {
        code: 'INVALID',
        faults: [
          { path: 'first', message: 'must be an integer from 1 to 500' },
          { path: 'last', message: 'must be an integer from 1 to 500' },
          { path: 'after', message: 'must be a cursor that a list answered' },
          { path: 'before', message: 'must be a cursor that a list answered' },
          { path: 'types', message: 'must be a list of 1 to 100 values' },
          { path: 'interactionId', message: 'must not contain the character U+0000' },
        ],
      },
    },
  ]);
});

test('first and last together are refused', async () => {
  const { errors } = await app.graphql(ServicesDocument, { first: 1, last: 1 });

  expect(errors).toMatchObject([{ extensions: { faults: [{ path: 'last' }] } }]);
});

test('a page has 20 services unless told otherwise, and at most 500', async () => {
  for (let count = 0; count < 21; count++) await startService(app, { customerId: 'carl' });

  const { data } = await app.graphql(CustomerDocument, { id: 'carl' });
  const all = await app.graphql(CustomerDocument, { id: 'carl', first: 500 });

  expect(data?.customer.services.nodes).toHaveLength(20);
  expect(data?.customer.services.pageInfo.hasNextPage).toBe(true);
  expect(all.data?.customer.services.nodes).toHaveLength(21);
});

test('a service that is updated between two pages is neither skipped nor repeated', async () => {
  const { pageInfo } = await listServices({ first: 3 });
  await app.graphql(UpdateServiceDocument, { input: { serviceId: ids[2] ?? '', sessionId: 'S' } });

  const next = await listServices({ first: 3, after: pageInfo.endCursor });

  expect(next.nodes.map(({ id }) => id)).toEqual(ids.slice(3, 6));
});

test('the history of owners pages in both directions', async () => {
  const id = await startService(app, { contactKey: 'key' });
  for (const customerId of ['a', 'b', 'c', 'd']) {
    await app.rest('POST', '/graphql', {
      body: {
        query: `mutation { associateService(input: { serviceId: ${id}, customerId: "${customerId}" }) { __typename } }`,
      },
    });
  }
  const versions = async (variables: object) => {
    const { data, errors } = await app.graphql(ServiceDocument, { id, ...variables });
    const history = data?.service?.associations;
    return { found: history?.nodes.map(({ version }) => version), pageInfo: history?.pageInfo, errors };
  };

  const first = await versions({ first: 2 });
  const second = await versions({ first: 2, after: first.pageInfo?.endCursor });
  const third = await versions({ first: 2, after: second.pageInfo?.endCursor });
  const last = await versions({ last: 2 });
  const beforeLast = await versions({ last: 2, before: last.pageInfo?.startCursor });
  const malformed = await versions({ first: 0, after: 'nonsense' });

  expect([first.found, second.found, third.found]).toEqual([[1, 2], [3, 4], [5]]);
  expect(third.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  expect([beforeLast.found, last.found]).toEqual([
    [2, 3],
    [4, 5],
  ]);
  expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  expect(malformed.errors).toMatchObject([
    {
      path: ['service', 'associations'],
      extensions: { code: 'INVALID', faults: [{ path: 'first' }, { path: 'after' }] },
    },
  ]);
});

const listsOf = (list: string) => Array.from({ length: 15 }, (_, index) => `list${index}: ${list}`).join(' ');
const ofService = (list: string) => `customer(id: "anna") { services(first: 1) { nodes { ${list} } } }`;

test.each([
  ['services', 'service', listsOf('services(first: 1) { nodes { id } }')],
  ['states', 'state', ofService(listsOf('states { id }'))],
  ['tasks', 'task', ofService(listsOf('tasks { id }'))],
])('one call holds one connection, however many lists of %s it asks for', async (_, table, fields) => {
  const held = `select from pg_stat_activity where datname = current_database()
    and application_name = 'context-gateway' and wait_event_type = 'Lock'`;
  const blocker = new pg.Client({ connectionString: app.connectionString });
  await blocker.connect();
  await blocker.query('begin');
  await blocker.query(`lock table ${table}`);

  const call = app.rest('POST', '/graphql', { body: { query: `{ ${fields} }` } });
  await expect.poll(async () => (await app.sql(held)).length).toBeGreaterThan(0);
  const other = await app.rest('GET', '/metadata/services/extensions');
  const connections = await app.sql(held);
  await blocker.end();
  const { json } = await call;

  expect(other.status).toBe(200);
  expect(connections).toHaveLength(1);
  expect(json.errors).toBeUndefined();
});
