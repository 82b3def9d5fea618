import type { TestApp } from '../harness.js';
import { known } from './million.js';

/** What is asked of the gateway, and what that may take. */
export type Ask = {
  name: string;
  ask: (app: TestApp) => Promise<unknown>;
  /** The indexes that it goes by, one of them at least, beside those of primary keys. */
  by: readonly string[];
  /** Rows of growing tables that are looked at, at most. */
  rows: number;
  /** That concern growing tables; as many as it takes unless said otherwise. */
  statements?: number;
  /** A table that may be read as a whole: most of it is asked for. */
  walks?: string;
};

const base = '/genesys/1/cs';
/** With states and tasks. */
const id = 400_024;
const everything =
  'extensions=*,State.*,Task.*&active_states=true&completed_states=true&active_tasks=true&completed_tasks=true';

/** A cursor in the middle: milliseconds, a dot, the id. */
const middle = Buffer.from(`${Date.parse('2024-06-15T00:00:00Z')}.500000`).toString('base64url');

const full =
  '{ nodes { id extensions { value } states { number extensions { value } tasks { number extensions { value } } } tasks { number } } }';
const page = '{ nodes { id } pageInfo { hasNextPage endCursor } }';

export const reads: readonly Ask[] = [
  ...listsOf(`/customers/${known.customer}/services`, 'service_by_customer', 'service_active_by_customer', {
    rows: 400,
    statementsForAll: 2,
  }),
  ...pagesOf(
    `/customers/${known.busyCustomer}/services`,
    'service_by_customer',
    'service_active_by_customer',
  ),
  ...listsOf(`/services/anonymous/${known.contactKey}`, 'service_anonymous_by_contact_key', null, {
    rows: 100,
    statementsForAll: 1,
  }),
  ...pagesOf(`/services/anonymous/${known.busyContactKey}`, 'service_anonymous_by_contact_key', null),
  rest(`/services/${id}?${everything}`, [], 20),
  rest(`/services/${id}`, [], 1),
  rest(`/services/${id}/states?${everything}`, [], 20),
  rest(`/services/${id}/states/active?state_types=1,2`, [], 5),
  rest(`/services/${id}/states/1?${everything}`, [], 20),
  rest(`/services/${id}/tasks?${everything}`, [], 20),
  rest(`/services/${id}/tasks/completed?state_id=0`, [], 5),
  rest(`/services/${id}/tasks/1?${everything}`, [], 20),
  query(
    `customer(id: "${known.customer}") { services(status: ACTIVE, first: 20) { nodes { id extensions { value } } } }`,
    ['service_active_by_customer'],
    100,
  ),
  query(
    `customer(id: "${known.customer}") { services(status: ACTIVE, first: 20) ${full} }`,
    ['service_active_by_customer'],
    400,
    3,
  ),
  query(
    `customer(id: "${known.busyCustomer}") { services(first: 20) ${full} }`,
    ['service_by_customer'],
    400,
    5,
  ),
  query(
    `customer(id: "${known.busyCustomer}") { services(last: 20, status: COMPLETED) ${page} }`,
    ['service_by_customer'],
    50,
  ),
  query(
    `customer(id: "${known.busyCustomer}") { services(last: 20, before: "${middle}") ${page} }`,
    ['service_by_customer'],
    50,
  ),
  query(
    `anonymousServices(contactKey: "${known.busyContactKey}", first: 20) ${full}`,
    ['service_anonymous_by_contact_key'],
    400,
    3,
  ),
  query(
    `anonymousServices(contactKey: "${known.busyContactKey}", status: ACTIVE, last: 20) ${page}`,
    ['service_anonymous_by_contact_key'],
    100,
  ),
  query(`services(first: 20) ${full}`, ['service_by_start'], 400, 5),
  query(`services(first: 20, after: "${middle}") ${page}`, ['service_by_start'], 50),
  query(`services(last: 20) ${page}`, ['service_by_start'], 50),
  query(`services(status: ACTIVE, first: 20, after: "${middle}") ${page}`, ['service_active_by_start'], 50),
  query(`services(status: COMPLETED, last: 20) ${page}`, ['service_by_start'], 100),
  query(`services(types: [5, 6], first: 20) ${page}`, ['service_by_start'], 500),
  // No index tells types: one that one service in 5,000 has is looked for as long.
  query(`services(types: ["rare"], first: 20) ${page}`, ['service_by_start'], 400_000),
  query(`services(interactionId: "i200002") ${page}`, ['service_by_interaction'], 10),
  query(`services(interactionId: "i200002", status: ACTIVE) ${page}`, ['service_by_interaction'], 10),
  query(`services(businessUnit: "unit3", last: 20) ${page}`, ['service_by_start'], 500),
  query(
    `services(startedFrom: "2024-06-15T00:00:00Z", startedTo: "2024-06-16T00:00:00Z") ${page}`,
    ['service_by_start'],
    50,
  ),
  query(
    `services(startedFrom: "2024-06-15T00:00:00Z", status: ACTIVE, last: 20) ${page}`,
    ['service_active_by_start'],
    50,
  ),
  query(
    `service(id: ${id}) { id extensions { value } associations(last: 5) { nodes { version } } states { number extensions { value } } tasks { number } }`,
    [],
    30,
    4,
  ),
  query(
    `state(id: "${id}:1") { number extensions { value } tasks { number extensions { value } } }`,
    [],
    20,
    3,
  ),
  query(`task(id: "${id}:1") { number extensions { value } }`, [], 5, 2),
  query('purges { status }', [], 200),
  query('purge(id: 7) { status }', [], 1),
  rest('/events?limit=100', ['event_feed'], 100),
  rest('/events?after=latest', ['event_feed'], 1, 1),
  query(`events(first: 20) { nodes { serviceId } pageInfo { endCursor } }`, ['event_feed'], 21),
  query(
    'webhooks { id backlog { pending dead oldestPendingAt } }',
    ['webhook_delivery_pending', 'webhook_delivery_dead'],
    100_000,
  ),
  query('deadDeliveries(webhookId: 1, first: 20) { nodes { serviceId } }', ['webhook_delivery_dead'], 21),
];

function rest(path: string, by: readonly string[], rows: number, statements = 1): Ask {
  return {
    name: `GET ${path}`,
    by,
    rows,
    statements,
    ask: async (app) => {
      const { status, text } = await app.rest('GET', base + path);
      if (status !== 200) throw new Error(text);
    },
  };
}

function query(fields: string, by: readonly string[], rows: number, statements = 1): Ask {
  return {
    name: `{ ${fields} }`,
    by,
    rows,
    statements,
    ask: async (app) => {
      const { json, text } = await app.rest('POST', '/graphql', { body: { query: `{ ${fields} }` } });
      if (json.errors) throw new Error(text);
    },
  };
}

/**
 * All of them, of an owner of few services.
 * @param options of all with their extensions: where they are more than a few, a second statement knows their size
 */
function listsOf(
  path: string,
  all: string,
  active: string | null,
  { rows, statementsForAll }: { rows: number; statementsForAll: number },
): Ask[] {
  const both = active === null ? [all] : [all, active];
  return [
    rest(`${path}/active?extensions=*`, both, rows),
    rest(`${path}/active?${everything}`, both, rows),
    rest(`${path}?extensions=*`, [all], rows, statementsForAll),
    rest(`${path}/completed`, [all], rows),
    rest(`${path}?service_types=1,2,rare`, [all], rows),
    rest(`${path}?started_from=2024-01-01T00:00Z&started_to=2025-01-01T00:00Z`, [all], rows),
    rest(`${path}/active?business_unit=unit3`, both, rows),
  ];
}

/** A page each, of an owner of very many services. */
function pagesOf(path: string, all: string, active: string | null): Ask[] {
  return [
    rest(`${path}/active?limit=20&extensions=*`, [active ?? all], 150),
    rest(`${path}/active?limit=20&after=${middle}`, [active ?? all], 100),
    rest(`${path}?limit=20&extensions=*`, [all], 150),
    rest(`${path}?limit=20&after=${middle}`, [all], 50),
    rest(`${path}/completed?limit=20&after=${middle}`, [all], 100),
    rest(`${path}?limit=20&service_types=1,2`, [all], 500),
    rest(`${path}?limit=20&started_from=2024-01-01T00:00Z`, [all], 50),
    rest(`${path}/active?extensions=*`, [active ?? all], 300_200, 2),
  ];
}
