import { sweepRecords, sweepServices } from '../../src/domain/sweeping.js';
import type { Answer, RestOptions, TestApp } from '../harness.js';
import { now } from './million.js';
import type { Ask } from './reads.js';

const base = '/genesys/1/cs';
const note = { note: { said: 'more' }, offer: { said: 'less' } };

/** Active services of the tenant `default` with three states and two tasks, each taken once. */
let taken = 0;
const nextId = () => 400_024 + 400 * taken++;
const nextKey = () => `new key ${taken++}`;

/** Whatever is written, and what goes on behind it. */
export const acts: readonly Ask[] = [
  write('a start', () => post('/services/start', { customer_id: 'new', ...note }), 10),
  write('a start with a key', () => post('/services/start', { customer_id: 'new' }, key(nextKey())), 5),
  write('an association', () => post(`/customers/new/services/${nextId()}`, note), 15),
  write(
    'an association with a key',
    () => post(`/customers/new/services/${nextId()}`, note, key(nextKey())),
    20,
  ),
  write('a call with a key again', () => post('/services/start', { customer_id: 'again' }, key('again')), 10),
  write(
    'an association of one that is not there',
    () => post('/customers/new/services/99000000', {}),
    0,
    404,
  ),
  write(
    'an association that is stale',
    () => post(`/customers/new/services/${nextId()}`, {}, { 'if-match': '"7"' }),
    10,
    412,
  ),
  {
    ...write('60 associations at once', () => post(`/customers/new/services/${nextId()}`, note), 900),
    ask: (app) =>
      Promise.all(
        Array.from({ length: 60 }, () => send(app, post(`/customers/new/services/${nextId()}`, note), 200)),
      ),
  },
  write(
    'an undoing',
    async (app) => {
      const path = `/services/${nextId()}`;
      await send(app, post(`/customers/new${path}`, {}), 200);
      return post(`${path}/associations/undo`, {});
    },
    30,
  ),
  write('an end with all parts', () => post(`/services/${nextId()}/end`, {}), 20),
  write('an end of one that has ended', () => post('/services/400014/end', {}), 10, 409),
  write('a state that starts', () => post(`/services/${nextId()}/states/start`, note), 20),
  write('a state that ends', () => post(`/services/${nextId()}/states/1/end`, note), 20),
  write(
    'a transition',
    () => post(`/services/${nextId()}/states/transition`, { from: { state_id: 1 }, to: {} }),
    20,
  ),
  write('a task that starts', () => post(`/services/${nextId()}/tasks/start`, { state_id: 1 }), 20),
  write('a task that ends', () => post(`/services/${nextId()}/tasks/1/end`, {}), 20),
  write('an extension', () => put(`/services/${nextId()}/extensions/note`, { a: 1 }), 15),
  write('a merge', () => put(`/services/${nextId()}/extensions/note/merge`, { a: 1 }), 20),
  write('an extension of a state', () => put(`/services/${nextId()}/states/1/extensions/note`, { a: 1 }), 20),
  write('an expiry', () => put(`/services/${nextId()}`, { ttl: 100_000_000 }), 10),
  write('a deletion', () => ({ method: 'DELETE', path: `/services/${nextId()}` }), 60),
  {
    ...write('a composite start that finds a service', () => composite('c9'), 200),
    by: ['service_active_by_customer', 'service_by_customer'],
  },
  {
    ...write('a composite start that finds none', () => composite(`customer ${taken++}`), 20),
    by: ['service_active_by_customer', 'service_by_customer'],
  },
  {
    name: 'an association over GraphQL with what was not written',
    by: [],
    rows: 40,
    async ask(app) {
      const query = `mutation { associateService(input: { serviceId: ${nextId()}, customerId: "new" }) {
        ... on AssociateServicePayload { service {
          extensions { value } associations(last: 5) { nodes { version } } states { number } } } } }`;
      const { json, text } = await app.rest('POST', '/graphql', { body: { query } });
      if (!json.data.associateService.service) throw new Error(text);
    },
  },
  {
    name: 'a look at what is due, and a batch of each',
    by: ['service_expiring', 'service_idle', 'purge_running'],
    rows: 100_000,
    ask: (app) => sweepServices(app.gateway.database, pass(app)),
  },
  {
    ...write('a purge of few, counted', () => purge('all', '2022-02-01T00:00:00Z'), 500),
    by: ['service_by_start'],
  },
  {
    ...write('a purge of many, counted', () => purge('completed', '2026-10-01T00:00:00Z'), 2_000_000),
    by: ['service_by_start'],
    walks: 'service',
  },
  {
    name: 'a batch of each purge',
    by: ['service_expiring', 'service_idle', 'purge_running'],
    rows: 100_000,
    ask: (app) => sweepServices(app.gateway.database, pass(app)),
  },
  {
    name: '5,000 old events, keys and composite starts that are dropped',
    by: ['event_by_time', 'idempotency_key_by_time', 'composite_start_by_time', 'webhook_delivery_by_death'],
    rows: 60_000,
    ask: (app) => sweepRecords(app.gateway.database, pass(app)),
  },
  {
    name: 'what a webhook is told next',
    by: ['event_feed', 'webhook_delivery_due'],
    rows: 5_000,
    async ask({ gateway: { courier } }) {
      courier.wakeForNew();
      await courier.pass();
      await courier.idle();
      await courier.pass();
    },
  },
  exported('the ids of one tenant', '?time_from=2020-01-01T00:00Z', 250_000),
  exported(
    'a day of one tenant',
    '?time_from=2024-06-15T00:00Z&time_to=2024-06-16T00:00Z&export_content=true',
    250_000,
  ),
];

function exported(name: string, query: string, rows: number): Ask {
  return write(
    `an export of ${name}`,
    () => ({
      method: 'GET',
      path: `/maintenance/services/stream${query}`,
      options: { headers: { contactcenterid: 'south' } },
    }),
    rows,
  );
}

type Request = { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; options?: RestOptions };

function write(
  name: string,
  request: (app: TestApp) => Request | Promise<Request>,
  rows: number,
  status?: number,
): Ask {
  return { name, by: [], rows, ask: async (app) => send(app, await request(app), status) };
}

async function send(app: TestApp, { method, path, options }: Request, status?: number): Promise<Answer> {
  const answer = await app.rest(method, base + path, options);
  const isRight = status === undefined ? answer.status < 300 : answer.status === status;
  if (!isRight) throw new Error(`${method} ${path} answered ${answer.status} ${answer.text}`);
  return answer;
}

function post(path: string, body: object, headers: Record<string, string> = {}): Request {
  return { method: 'POST', path, options: { body, headers } };
}

function put(path: string, body: object): Request {
  return { method: 'PUT', path, options: { body } };
}

function key(name: string): Record<string, string> {
  return { 'idempotency-key': name };
}

/** Of the tenant that nothing else is asked of. */
function purge(operation: string, limit: string): Request {
  const body = { operation: `purge.service.${operation}`, limit };
  return post('/maintenance/purge', body, { contactcenterid: 'north' });
}

function composite(customer: string): Request {
  const entry = {
    service: { customer_id: customer, service_type: 5 },
    state: { state_type: 1 },
    task: { task_type: 1 },
  };
  return post('/services_composite/start', { services: [entry] });
}

function pass({ gateway: { logger } }: TestApp) {
  return { now, eventSeconds: 72 * 60 * 60, logger };
}
