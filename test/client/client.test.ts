import {
  ActRefused,
  associateService,
  CallRefused,
  type Client,
  type ClientOptions,
  createClient,
  type Fetch,
  NoAnswer,
  payloadOf,
  serviceById,
  startService,
  type TypedDocument,
} from 'context-gateway/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey, makeTenants } from '../auth/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService as startOverRest } from '../seeds.js';

let app: TestApp;
/** What is sent, call by call. */
let sent: { headers: Headers; body: { variables: { input?: { idempotencyKey?: string } } } }[];
/** What happens to the next calls instead of reaching the gateway, or to their answers. */
let mishaps: ((call: () => Promise<Response>) => Promise<Response>)[];

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const open = (options: Partial<ClientOptions> = {}, ...planned: typeof mishaps) =>
  openAt(app, options, ...planned);

/** A client whose calls are taken down, and go wrong as it is said. */
function openAt({ server }: TestApp, options: Partial<ClientOptions>, ...planned: typeof mishaps): Client {
  sent = [];
  mishaps = planned;
  const fetch: Fetch = async (_url, { headers, body }) => {
    sent.push({ headers: new Headers(headers), body: JSON.parse(String(body)) });
    const mishap = mishaps.shift() ?? ((call) => call());
    return mishap(async () => {
      const answer = await server.inject({
        method: 'POST',
        url: '/graphql',
        headers: headers as Record<string, string>,
        payload: String(body),
      });
      return new Response(answer.body, {
        status: answer.statusCode,
        headers: answer.headers as Record<string, string>,
      });
    });
  };
  return createClient({ url: 'http://gateway.example/graphql', fetch, ...options });
}

const keys = () => sent.map(({ body }) => body.variables.input?.idempotencyKey);
const lost = () => Promise.reject(new TypeError('fetch failed'));
const answering =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  async () =>
    new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
const unavailable = answering(
  503,
  { errors: [{ message: 'Not now.', extensions: { code: 'UNAVAILABLE' } }] },
  { 'retry-after': '0', 'x-request-id': 'call-7' },
);

test('an act answers its payload alone', async () => {
  const serviceId = String(await startOverRest(app));

  const { service, association, replayed } = await open().act(associateService, {
    serviceId,
    customerId: 'anna',
  });

  expect([service.customerId, association?.fromCustomerId, replayed]).toEqual(['anna', 'customer-1', false]);
});

test('an act whose answer is lost is said again, with the same key, and done once', async () => {
  const client = open({}, async (call) => {
    await call();
    return lost();
  });

  const { service, replayed } = await client.act(startService, { customerId: 'berta' });

  expect(replayed).toBe(true);
  expect(service.version).toBe(1);
  expect(keys()).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys()[0]]);
});

test('each act has a key of its own, or the one that it is given', async () => {
  const client = open();

  await client.act(startService, { customerId: 'carl' });
  await client.act(startService, { customerId: 'carl' });
  await client.act(startService, { customerId: 'carl', idempotencyKey: 'mine' });

  expect(new Set(keys()).size).toBe(3);
  expect(keys()[2]).toBe('mine');
});

test('an act that is refused throws every fault', async () => {
  const act = open().act(startService, { customerId: '', estDuration: -1 });

  const error = await act.catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(ActRefused);
  expect(error).toMatchObject({
    name: 'ActRefused',
    code: 'INVALID',
    faults: [{ path: 'customerId' }, { path: 'estDuration' }],
  });
  expect(sent).toHaveLength(1);
});

test('an act that expects another version is told which there is', async () => {
  const serviceId = String(await startOverRest(app));

  const act = open().act(associateService, { serviceId, customerId: 'dora', expectedVersion: 7 });

  await expect(act).rejects.toMatchObject({ code: 'STALE_VERSION', currentVersion: 1 });
});

test('a result can also be looked into, and unpacked by hand', async () => {
  const client = open();
  const input = { serviceId: '999999', customerId: 'emil' };

  const { associateService: result } = await client.request(associateService, { input });

  expect(result).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND' });
  expect(() => payloadOf(result)).toThrow(ActRefused);
});

test.each([
  ['503 with Retry-After', unavailable],
  ['a network failure', lost],
  ['a page of a proxy', answering(502, '<html>')],
])('a query is asked again after %s', async (_, mishap) => {
  const id = String(await startOverRest(app));

  const { service } = await open({}, mishap, mishap).request(serviceById, { id });

  expect(service?.id).toBe(id);
  expect(sent).toHaveLength(3);
});

test('a mutation without a key is never said twice', async () => {
  const request = open({}, lost).request(startService, { input: { customerId: 'frida' } });

  await expect(request).rejects.toBeInstanceOf(NoAnswer);
  expect(sent).toHaveLength(1);
});

test('repetitions end, and then the answer is told with the id of the call', async () => {
  const request = open({ retries: 2 }, ...Array(9).fill(unavailable)).request(serviceById, { id: '1' });

  const error = await request.catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CallRefused);
  expect(error).toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
    requestId: 'call-7',
    retryAfterSeconds: 0,
  });
  expect(sent).toHaveLength(3);
});

test('nobody waits for a gateway that will be there when the time is over', async () => {
  const tomorrow = answering(
    503,
    { errors: [{ message: '', extensions: { code: 'UNAVAILABLE' } }] },
    {
      'retry-after': '86400',
    },
  );

  const request = open({}, tomorrow).request(serviceById, { id: '1' });

  await expect(request).rejects.toMatchObject({ retryAfterSeconds: 86_400 });
  expect(sent).toHaveLength(1);
});

test('what the document or its variables have wrong is told by GraphQL’s errors, once', async () => {
  const unknown = 'query { nothing }' as TypedDocument<unknown, object>;

  const error = await open()
    .request(unknown, {})
    .catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ name: 'CallRefused', status: 400, code: 'GRAPHQL_VALIDATION_FAILED' });
  expect(sent).toHaveLength(1);
});

test('an answer that is none of GraphQL’s says so with its status', async () => {
  const request = open({}, answering(404, { detail: 'no such path' })).request(serviceById, { id: '1' });

  await expect(request).rejects.toMatchObject({
    name: 'NoAnswer',
    status: 404,
    message: 'http://gateway.example/graphql answered with 404, and not as GraphQL does.',
  });
});

test('a call is given up by its signal, with the reason of that', async () => {
  const controller = new AbortController();
  const reason = new Error('the caller hung up');
  const request = open({}, async () => {
    controller.abort(reason);
    return lost();
  }).request(serviceById, { id: '1' }, { signal: controller.signal });

  await expect(request).rejects.toBe(reason);
  expect(sent).toHaveLength(1);
});

test('a call whose time is over is no answer', async () => {
  const fetch: Fetch = (_url, { signal }) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

  const request = createClient({ url: 'http://gateway.example', fetch }).request(
    serviceById,
    { id: '1' },
    { timeoutMilliseconds: 5 },
  );

  await expect(request).rejects.toMatchObject({ name: 'NoAnswer', cause: { name: 'TimeoutError' } });
});

test('credentials, tenant and headers go with each call, and tokens can be renewed', async () => {
  await using own = await createTestApp();
  await makeTenants(own, 'acme');
  const { key } = await makeKey(own, { tenants: ['acme', 'default'] });
  const tokens = ['expired', key];

  const client = openAt(own, {
    token: async () => tokens.shift() ?? '',
    tenant: 'acme',
    headers: { groupid: 'north' },
  });
  const refused = await client.request(serviceById, { id: '1' }).catch((thrown: unknown) => thrown);
  const { service } = await client.act(startService, { customerId: 'gerd' });

  expect(refused).toMatchObject({ name: 'CallRefused', status: 401, code: 'UNAUTHENTICATED' });
  expect(service.businessUnit).toBe('north');
  expect(await own.sql('select tenant from service')).toEqual([{ tenant: 'acme' }]);
});
