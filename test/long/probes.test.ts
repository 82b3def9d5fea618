import { afterAll, beforeAll, expect, test } from 'vitest';
import { basic, bearer, createIssuer, hashOfTenant, makeKey, makeTenants } from '../auth/makers.js';
import {
  type Estate,
  exampleOf,
  makeEstate,
  operationNames,
  outcomeOf,
  type Request,
  renew,
  secretOf,
  send,
} from '../auth/operations.js';
import { type Answer, createTestApp, type TestApp } from '../harness.js';

const probeCount = 5_000;
const callersAtOnce = 8;

type Headers = Record<string, string>;

let app: TestApp;
let targets: Estate[];
let intruders: Headers[];
/** What the owner's lists told where they go on. */
let cursor: string;
/** A service that the owner started under an idempotency key. */
let known: number;

beforeAll(async () => {
  const { auth, issue } = createIssuer();
  app = await createTestApp({ auth });
  await makeTenants(app, 'victim', 'intruder', 'third');
  const { key } = await makeKey(app, { tenants: ['victim'] });
  const estate = await makeEstate(app, key, 'victim');
  targets = await Promise.all(Array.from({ length: 20 }, () => renew(app, estate)));
  const keyed = { ...bearer(key), 'idempotency-key': 'known for itself' };
  known = (await startKnown(keyed)).json.service_id;
  await startKnown({ ...bearer(key), 'idempotency-key': 'known' });
  cursor = await firstCursor(key);
  const own = await makeKey(app, { tenants: ['intruder'] });
  const several = await makeKey(app, { tenants: ['intruder', 'third'] });
  intruders = [
    bearer(own.key),
    basic('victim', own.key),
    bearer(await issue({ tenant: 'intruder', roles: 'operator' })),
    { ...bearer(several.key), contactcenterid: 'intruder' },
    {
      ...bearer(await issue({ tenant: ['third', 'intruder'], roles: 'operator' })),
      contactcenterid: 'third',
    },
  ];
});
afterAll(() => app[Symbol.asyncDispose]());

test('5,000 calls of other tenants tell and change nothing', { timeout: 180_000 }, async () => {
  const before = await hashOfTenant(app, 'victim');
  const outcomes = new Map<string, number>();
  let next = 0;
  const caller = async () => {
    for (let probe = next++; probe < probeCount; probe = next++) {
      const answer = await sendProbe(probe);
      expect(answer.text, `probe ${probe}`).not.toContain(secretOf('victim'));
      const outcome = outcomeOf(answer);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };

  await Promise.all(Array.from({ length: callersAtOnce }, caller));

  expect(await hashOfTenant(app, 'victim')).toBe(before);
  // Their own keys and names come back to them, what concerns all tenants is refused; no call failed for another reason.
  const kinds = [
    'CONFLICT',
    'FORBIDDEN',
    'IDEMPOTENCY_KEY_REUSED',
    'INVALID',
    'NOT_FOUND',
    'NO_SERVICE_TO_DELETE',
    'OK',
  ];
  expect([...outcomes.keys()].sort()).toEqual(kinds);
  for (const outcome of ['OK', 'INVALID', 'NOT_FOUND']) expect(outcomes.get(outcome)).toBeGreaterThan(1_000);
});

test('an idempotency key that one tenant has used is new to another', async () => {
  const before = await hashOfTenant(app, 'victim');
  const [headers = {}] = intruders;

  const answer = await startKnown({ ...headers, 'idempotency-key': 'known for itself' });

  expect(answer.headers['idempotency-replayed']).toBeUndefined();
  expect(answer.json.service_id).not.toBe(known);
  expect(await hashOfTenant(app, 'victim')).toBe(before);
});

/** Each with another target, operation, caller and headers; the numbers have no common factor. */
function sendProbe(probe: number): Promise<Answer> {
  const target = { ...pick(targets, probe), newName: `New_${probe % 11}` };
  const request = requestOf(probe, target);
  const headers = { ...pick(intruders, Math.floor(probe / 7)), ...pick(pretences, Math.floor(probe / 3)) };
  return send(app, request, headers);
}

const pretences: Headers[] = [
  {},
  {},
  { groupid: 'victim' },
  { contactcenterid: 'victim' },
  { contactcenterid: 'VICTIM' },
  { 'x-forwarded-user': 'victim', tenant: 'victim' },
  { 'idempotency-key': 'known' },
];

function requestOf(probe: number, target: Estate): Request {
  const asked = probe % (operationNames.length + crafted.length);
  const example = exampleOf(operationNames[asked] ?? '');
  return example ? example.request(target) : pick(crafted, asked)(target);
}

/** What the examples do not ask for: filters, cursors and names of the victim. */
const crafted: readonly ((target: Estate) => Request)[] = [
  ({ tenant }) => query(`{ services(interactionId: "${secretOf(tenant)}") ${nodes} }`),
  () => query(`{ services(after: "${cursor}") ${nodes} }`),
  () => query(`{ services(before: "${cursor}", last: 20) ${nodes} }`),
  ({ customerId }) =>
    query(
      `{ customer(id: "${customerId}") { services(after: "${cursor}") ${nodes} } services { nodes { id } } }`,
    ),
  ({ serviceId }) =>
    query(`{ service(id: ${serviceId}) { associations { nodes { toCustomerId } } extensions { value } } }`),
  ({ customerId }) => get(`/customers/${customerId}/services?extensions=*&after=${cursor}&limit=1`),
  ({ customerId }) =>
    get(`/genesys/1/cs/customers/${customerId}/services?service_types=1&active_states=true`),
  ({ serviceId }) => get(`/genesys/1/cs/services/${serviceId}?extensions=*&tenant=victim`),
  ({ serviceId, customerId }) => ({
    method: 'POST',
    url: `/genesys/1/cs/customers/${customerId}/services/${serviceId}`,
    body: { tenant: 'victim', interaction_id: 'stolen' },
  }),
];

const nodes = '{ nodes { id customerId started { interactionId } } pageInfo { endCursor } }';

function query(text: string): Request {
  return { method: 'POST', url: '/graphql', body: { query: text } };
}

function get(url: string): Request {
  return { method: 'GET', url };
}

function pick<T>(list: readonly T[], at: number): T {
  const picked = list[at % list.length];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

async function startKnown(headers: Headers): Promise<Answer> {
  const body = { customer_id: 'new', service_type: 1 };
  const answer = await app.rest('POST', '/services/start', { body, headers });
  expect(answer.status).toBe(201);
  return answer;
}

async function firstCursor(key: string): Promise<string> {
  const { json } = await send(app, query('{ services(first: 1) { pageInfo { endCursor } } }'), bearer(key));
  return json.data.services.pageInfo.endCursor;
}
