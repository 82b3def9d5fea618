import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createIssuer, makeKey, makeTenants } from '../auth/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import {
  type Answers,
  type Asked,
  countListening,
  openWebSocket,
  subscribeBySse,
  subscribeByWebSocket,
} from '../streams.js';

let app: TestApp;
let address: string;
/** Another gateway on the same database. */
let replica: TestApp;

beforeAll(async () => {
  app = await createTestApp({ modePollMilliseconds: 50, corsOrigins: ['https://desk.example'] });
  replica = await createTestApp({ database: app });
  address = await app.server.listen({ port: 0 });
});
afterAll(async () => {
  await replica[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const ofCustomer = `subscription ($id: ID!, $after: String) {
  customerServices(customerId: $id, after: $after) {
    cursor
    event { type serviceId version customerId previousCustomerId stateId taskId time }
    service { id version customerId }
  }
}`;
const ofService = `subscription ($id: ID!, $after: String) {
  service(id: $id, after: $after) {
    cursor event { type version } service { id version extensions { value } states { number } }
  }
}`;

afterEach(() => expect.poll(() => app.gateway.changes.size).toBe(0));

describe.each([
  ['server-sent events', subscribeBySse],
  ['a WebSocket', subscribeByWebSocket],
] as const)('by %s', (way, subscribe) => {
  const isByWebSocket = subscribe === subscribeByWebSocket;
  const closing = ({ code }: { code: number }) => ({ closed: code });
  /** What ends all that is followed by a WebSocket closes it. */
  const failed = (code: string, closed: number) =>
    isByWebSocket ? { closed } : { errors: [{ extensions: { code } }] };

  /** From when on nothing is missed. */
  const follow = async (asked: Asked): Promise<Answers> => {
    const others = app.gateway.changes.size;
    const answers = await subscribe(address, asked);
    await expect.poll(() => app.gateway.changes.size).toBeGreaterThan(others);
    return answers;
  };

  test('changes of a customer’s services are told as they happen on any gateway, with the services as they are', async () => {
    const customer = `anna by ${way}`;
    const answers = await follow({ query: ofCustomer, variables: { id: customer } });

    const id = await start(replica, customer);
    const started = await answers.next();
    await associate(replica, id, 'berta');
    const left = await answers.next();
    answers.leave();

    expect(started?.data.customerServices).toEqual({
      cursor: expect.stringMatching(/^[\w-]+$/),
      event: {
        ...{ type: 'SERVICE_STARTED', serviceId: id, version: 1, customerId: customer },
        ...{ previousCustomerId: null, stateId: null, taskId: null, time: expect.any(String) },
      },
      service: { id, version: 1, customerId: customer },
    });
    expect(left?.data.customerServices).toMatchObject({
      event: { type: 'SERVICE_ASSOCIATED', customerId: 'berta', previousCustomerId: customer },
      service: { id, version: 2, customerId: 'berta' },
    });
  });

  test('all that happens to one service is told, with what is selected of it, to its end', async () => {
    const id = await start(app, 'carla');
    const answers = await follow({ query: ofService, variables: { id } });

    await app.rest('POST', `/genesys/1/cs/services/${id}/states/start`, { body: {} });
    const inState = await answers.next();
    await app.rest('PUT', `/genesys/1/cs/services/${id}/extensions/Note`, { body: { text: 'hi' } });
    const noted = await answers.next();
    await start(app, 'carla');
    await app.rest('DELETE', `/genesys/1/cs/services/${id}`);
    const deleted = await answers.next();
    answers.leave();

    expect(inState?.data.service).toMatchObject({
      event: { type: 'STATE_STARTED' },
      service: { id, version: 2, extensions: [], states: [{ number: 0 }] },
    });
    expect(noted?.data.service.service.extensions).toEqual([{ value: { text: 'hi' } }]);
    expect(deleted?.data.service).toMatchObject({ event: { type: 'SERVICE_DELETED' }, service: null });
  });

  test('who goes on behind a cursor gets what came since, then what comes, each once', async () => {
    const customer = `dora by ${way}`;
    const first = await follow({ query: ofCustomer, variables: { id: customer } });
    await start(app, customer);
    const after = (await first.next())?.data.customerServices.cursor;
    first.leave();
    await expect.poll(() => app.gateway.changes.size).toBe(0);

    const missed = [await start(app, customer), await start(replica, customer)];
    const second = await follow({ query: ofCustomer, variables: { id: customer, after } });
    const live = await start(replica, customer);
    const told = await take(second, 3);
    second.leave();

    expect(told.map(({ customerServices }) => customerServices.event.serviceId)).toEqual([...missed, live]);
  });

  test.each([
    ['a cursor that is none', { id: '1', after: 'x' }, 'INVALID'],
    ['a cursor of events that are gone', { id: '1', after: 'MS4xLjE' }, 'GONE'],
    ['an id that is none', { id: 'x' }, 'INVALID'],
  ])('%s is refused', async (_, variables, code) => {
    await app.sql(`insert into event_horizon values ('default', '2', 1, 1) on conflict do nothing`);

    const answers = await subscribe(address, { query: ofService, variables });
    const refused = await answers.next();

    expect(refused?.errors).toMatchObject([{ extensions: { code } }]);
    expect(refused?.errors?.[0]?.extensions).not.toHaveProperty('http');
    expect(await answers.next()).toBeUndefined();
  });

  test('a document that is not valid, or too large, is refused', async () => {
    const deep = `subscription { service(id: 1) { ${'service { states { service { '.repeat(9)}id${' } } }'.repeat(9)} } }`;
    const outcomes = [];
    for (const query of ['subscription { nothing }', 'subscription {', deep]) {
      outcomes.push(await subscribe(address, { query }).then((answers) => answers.next(), String));
    }

    for (const outcome of outcomes) expect(JSON.stringify(outcome)).toMatch(/error|400/);
  });

  test.each([
    ['itself', 'subscription { service(id: 1) @skip(if: true) { cursor } }'],
    [
      'with all around it',
      'subscription { ...All @include(if: false) } fragment All on Subscription { service(id: 1) { cursor } }',
    ],
  ])('what leaves its only field out, %s, is refused', async (_, query) => {
    const answers = await subscribe(address, { query });
    const refused = await answers.next();

    expect(refused?.errors).toMatchObject([{ extensions: { code: 'INVALID' } }]);
    expect(await answers.next()).toBeUndefined();
  });

  test('maintenance ends what is followed with the next event, and takes nobody new', async () => {
    const [id, { rest, sql }] = [await start(app, 'emil'), app];
    const answers = await follow({ query: ofService, variables: { id } });
    await rest('POST', '/server/mode', { body: { mode: 'maintenance' } });

    await sql(
      `insert into event (tenant, service_id, version, type, recorded_at)
       values ('default', $1, 2, 'SERVICE_UPDATED', now())`,
      [id],
    );
    const told = await answers.next().catch(closing);
    const end = await answers.next().catch(closing);
    const refused = await subscribe(address, { query: ofService, variables: { id } })
      .then((others) => others.next())
      .catch((error) => ({ closed: error.code, errors: [{ extensions: { code: String(error) } }] }));
    await rest('POST', '/server/mode', { body: { mode: 'production' } });

    expect(told).toMatchObject(failed('UNAVAILABLE', 4503));
    expect(end).toBeUndefined();
    if (isByWebSocket) expect(refused).toMatchObject({ closed: 4503 });
    else expect(refused?.errors?.[0]?.extensions?.['code']).toContain('UNAVAILABLE');
  });

  test('a gateway that stops tells all who follow, and ends', async () => {
    const stopping = await createTestApp({ database: app });
    const place = await stopping.server.listen({ port: 0 });
    const answers = await subscribe(place, { query: ofService, variables: { id: '1' } });
    await expect.poll(() => stopping.gateway.changes.size).toBe(1);

    const end = answers.next().catch(closing);
    await stopping[Symbol.asyncDispose]();

    expect(await end).toMatchObject(failed('UNAVAILABLE', 1001));
    answers.leave();
  });

  test('changes that come much faster than they are taken end it', async () => {
    const id = await start(app, 'jan');
    const answers = await follow({ query: ofService, variables: { id } });

    await app.sql(
      `insert into event (tenant, service_id, version, type, recorded_at)
       select 'default', $1, version, 'SERVICE_UPDATED', now() from generate_series(2, 5000) version`,
      [id],
    );
    let told: object | undefined;
    do told = await answers.next().catch(closing);
    while (told && 'data' in told);

    expect(told).toMatchObject(failed('TOO_SLOW', 4420));
    answers.leave();
  });

  test('whoever leaves leaves nothing behind', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () => subscribe(address, { query: ofService, variables: { id: '1' } })),
    );
    await expect.poll(() => app.gateway.changes.size).toBe(20);

    for (const answers of all) answers.leave();

    await expect.poll(() => app.gateway.changes.size).toBe(0);
    await expect.poll(() => countListening(app)).toBe(0);
  });
});

test('a subscription whose answers would not be taken one by one is refused', async () => {
  const body = { query: 'subscription { service(id: 1) { cursor } }' };

  const answer = await app.rest('POST', '/graphql', { body, headers: { accept: 'application/json' } });

  expect(answer.status).toBe(406);
  expect(answer.json.errors[0].extensions.code).toBe('NOT_ACCEPTABLE');
  expect(app.gateway.changes.size).toBe(0);
});

test('those who follow are no calls that take too long, nor places of others', async () => {
  await using short = await createTestApp({ database: app, settings: { REQUEST_TIMEOUT: '6s' } });
  const place = await short.server.listen({ port: 0 });
  const asked = { query: ofCustomer, variables: { id: 'hans' } };
  // More than calls that are let in when nobody came for a while; few at a time, since each begins in time.
  const all: Answers[] = [];
  while (all.length < 260) {
    const next = Array.from({ length: 20 }, () => subscribeBySse(place, asked));
    all.push(...(await Promise.all(next)));
  }
  await sleep(7_000);

  await start(short, 'hans');
  const told = await Promise.all(all.map((answers) => answers.next()));
  for (const answers of all) answers.leave();

  expect(told.map((answer) => answer?.data.customerServices.event.type)).toEqual(
    all.map(() => 'SERVICE_STARTED'),
  );
}, 60_000);

test('many who follow the same cost one statement more with every event, not one each', async () => {
  // One that looks for nothing else meanwhile.
  await using quiet = await createTestApp({ database: app });
  const place = await quiet.server.listen({ port: 0 });
  const id = await start(app, 'fritz');
  const asked = { query: ofCustomer, variables: { id: 'fritz' } };
  const all = await Promise.all(Array.from({ length: 20 }, () => subscribeBySse(place, asked)));
  const tell = async () => {
    await associate(replica, id, 'fritz');
    await Promise.all(all.map((answers) => answers.next()));
  };
  // Who began a moment before another one may have had to read once by himself.
  await tell();
  const cost = await quiet.countStatements(tell);
  for (const answers of all) answers.leave();

  // The reader looks by itself every second, too.
  expect(cost).toBeLessThan(all.length);
});

describe('credentials', () => {
  const asked = { query: ofService, variables: { id: '1' } };
  let now = new Date();
  let guarded: TestApp;
  let door: string;
  beforeAll(async () => {
    guarded = await createTestApp({ auth: createIssuer().auth, now: () => now });
    await makeTenants(guarded, 'own');
    door = await guarded.server.listen({ port: 0 });
  });
  afterAll(() => guarded[Symbol.asyncDispose]());
  afterEach(() => expect.poll(() => guarded.gateway.changes.size).toBe(0));

  test('are needed, whichever way they come', async () => {
    const { key } = await makeKey(guarded, { tenants: ['own'], role: 'READER' });
    const headers = { authorization: `Bearer ${key}` };

    await expect(subscribeBySse(door, asked)).rejects.toThrow('401');
    const none = await openWebSocket(door, {});
    const wrong = await openWebSocket(door, { Authorization: 'Bearer cgw_x' }, { headers });
    const foreign = await openWebSocket(door, { ...headers, ContactCenterId: 'other' });
    const byMessage = await openWebSocket(door, headers);
    const byHeader = await openWebSocket(door, {}, { headers });

    expect(await none.closed).toMatchObject({ code: 4401 });
    expect(await wrong.closed).toMatchObject({ code: 4401 });
    expect(await foreign.closed).toEqual({ code: 4400, reason: expect.stringContaining('ContactCenterId') });
    expect([await byMessage.acknowledged, await byHeader.acknowledged]).toEqual([true, true]);
    for (const { socket } of [byMessage, byHeader]) socket.terminate();
  });

  test.each([
    ['service', `subscription { service(id: 7) { event { version } } }`],
    ['customerServices', `subscription { customerServices(customerId: "c") { event { version } } }`],
  ])('let nobody follow %s of another tenant', async (field, query) => {
    await makeTenants(guarded, `near-${field}`, `far-${field}`);
    const { key } = await makeKey(guarded, { tenants: [`near-${field}`], role: 'READER' });
    const answers = await subscribeBySse(door, { query, headers: { authorization: `Bearer ${key}` } });

    for (const [tenant, version] of [
      ['far', 1],
      ['near', 2],
    ]) {
      await guarded.sql(
        `insert into event (tenant, service_id, version, type, customer_id, recorded_at)
         values ($1, 7, $2, 'SERVICE_UPDATED', 'c', now())`,
        [`${tenant}-${field}`, version],
      );
    }
    const told = await answers.next();
    answers.leave();

    expect(told?.data[field].event.version).toBe(2);
  });

  test('that are revoked end what they have opened, with the next event', async () => {
    const { key, id } = await makeKey(guarded, { tenants: ['own'], role: 'READER' });
    const headers = { authorization: `Bearer ${key}` };
    const all = [
      await subscribeBySse(door, { ...asked, headers }),
      await subscribeByWebSocket(door, { ...asked, headers }),
    ];
    await expect.poll(() => guarded.gateway.changes.size).toBe(2);
    const write = (version: number) =>
      guarded.sql(
        `insert into event (tenant, service_id, version, type, recorded_at)
         values ('own', 1, $1, 'SERVICE_UPDATED', now())`,
        [version],
      );

    await write(1);
    const allowed = await Promise.all(all.map((answers) => answers.next()));
    await guarded.sql('update api_key set revoked_at = now() where id = $1', [id]);
    now = new Date(now.getTime() + 5_000);
    await write(2);
    const refused = await Promise.all(all.map((answers) => answers.next()));
    const ends = await Promise.all(all.map((answers) => answers.next()));

    expect(allowed.map((answer) => answer?.data.service.event.version)).toEqual([1, 1]);
    expect(refused.map((answer) => answer?.errors?.[0]?.extensions?.['code'])).toEqual([
      ...['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    ]);
    expect(ends).toEqual([undefined, undefined]);
  });
});

describe('a WebSocket', () => {
  test('leads its client by itself to the gateway that comes after one that stops', async () => {
    const first = await createTestApp({ database: app });
    const place = await first.server.listen({ port: 0 });
    const [told, ends]: [string[], unknown[]] = [[], []];
    const variables: { id: string; after?: string } = { id: 'ida' };
    // As docs/live-updates.md has it, but for its patience.
    const client = createClient({
      url: place.replace('http', 'ws').concat('/graphql'),
      webSocketImpl: WebSocket,
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
      retryWait: () => sleep(50),
    });
    client.subscribe<{ customerServices: { cursor: string; event: { serviceId: string } } }>(
      { query: ofCustomer, variables },
      {
        next({ data, errors }) {
          if (!data) return ends.push(errors);
          variables.after = data.customerServices.cursor;
          told.push(data.customerServices.event.serviceId);
        },
        error: (error) => ends.push(error),
        complete: () => ends.push('complete'),
      },
    );
    await expect.poll(() => first.gateway.changes.size).toBe(1);

    const started = [await start(first, 'ida')];
    await expect.poll(() => told).toEqual(started);
    await first[Symbol.asyncDispose]();
    started.push(await start(app, 'ida'));
    await using second = await createTestApp({ database: app });
    await second.server.listen({ port: Number(new URL(place).port) });
    started.push(await start(second, 'ida'));

    await expect.poll(() => told).toEqual(started);
    expect(ends).toEqual([]);
    await client.dispose();
  });

  test('takes subscriptions alone', async () => {
    const answers = await subscribeByWebSocket(address, { query: '{ mapNames }' });

    expect((await answers.next())?.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    answers.leave();
  });

  test('says what a document without the operation that is asked for gets by POST', async () => {
    const query =
      'subscription A { service(id: "1") { cursor } } subscription B { service(id: "2") { cursor } }';
    const byPost = await app.rest('POST', '/graphql', { body: { query } });
    const answers = await subscribeByWebSocket(address, { query });

    expect((await answers.next())?.errors).toEqual(byPost.json.errors);
    answers.leave();
  });

  test('is refused to pages of other sites, and to other names while there are no credentials', async () => {
    const open = (headers: Record<string, string>) => statusOf(`${address}/graphql`, headers);

    expect(await open({ origin: 'https://evil.example' })).toBe(403);
    expect(await open({ host: 'evil.example' })).toBe(403);
    expect(await open({ origin: 'https://desk.example' })).toBe(101);
    expect(await open({ origin: address })).toBe(101);
    expect(await open({})).toBe(101);
    // An upgrade that is offered elsewhere is none.
    expect(await statusOf(`${address}/services/404404`, {})).toBe(404);
  });

  test('is closed that says what is no message, too much, or nothing at all of who it is', async () => {
    const broken = await openWebSocket(address, {});
    const large = await openWebSocket(address, {});
    const unnamed = await openWebSocket(address, null);
    const named = await openWebSocket(address, {});
    const talkative = await openWebSocket(address, null);

    broken.socket.send(
      '{ "type": "subscribe", "id": "1", "payload": { "query": "{a}", "variables": {"a": 9007199254740993} } }',
    );
    large.socket.send('x'.repeat(2 ** 20 + 1));
    named.socket.send(JSON.stringify({ type: 'ping', id: 'x'.repeat(129) }));
    talkative.socket.send(JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(2 ** 16) } }));
    unnamed.socket.send('{ "id": "1", "type": "subscribe", "payload": { "query": "{ mapNames }" } }');

    expect(await broken.closed).toMatchObject({ code: 4400 });
    expect(await large.closed).toMatchObject({ code: 1009 });
    expect(await named.closed).toMatchObject({ code: 4400, reason: 'id: must have at most 128 characters' });
    expect(await talkative.closed).toMatchObject({ code: 1009 });
    expect(await unnamed.closed).toMatchObject({ code: 4401 });
  });

  test('has 100 subscriptions at most', async () => {
    const client = createClient({
      url: address.replace('http', 'ws').concat('/graphql'),
      webSocketImpl: WebSocket,
    });
    const query = 'subscription { service(id: 1) { cursor } }';
    const refused = new Promise((resolve) => {
      for (let count = 0; count <= 100; count++) {
        client.subscribe({ query }, { next: () => {}, error: resolve, complete: () => {} });
      }
    });

    expect(await refused).toMatchObject([{ extensions: { code: 'LIMIT_EXCEEDED', allowed: 100 } }]);
    await client.dispose();
  });

  test('leaves the bodies of calls alone that offer another protocol', async () => {
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAAP__',
    };

    const status = await statusOf(
      `${address}/genesys/1/cs/services/start`,
      headers,
      '{"customer_id":"gerda"}',
    );

    expect(status).toBe(201);
  });
});

/** Of a call that asks for a WebSocket, or else of a POST. */
function statusOf(url: string, given: Record<string, string>, body?: string): Promise<number> {
  const handshake = {
    ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    ...{ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': 'graphql-transport-ws' },
  };
  const headers = body === undefined ? { ...handshake, ...given } : given;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body === undefined ? 'GET' : 'POST', headers });
    sent.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of a JSON API, looked into by assertions
async function take(answers: Answers, count: number): Promise<any[]> {
  const taken = [];
  while (taken.length < count) taken.push((await answers.next())?.data);
  return taken;
}

async function start({ rest }: TestApp, customer: string): Promise<string> {
  const body = { customer_id: customer };
  const { status, json } = await rest('POST', '/genesys/1/cs/services/start', { body });
  expect(status).toBe(201);
  return String(json.service_id);
}

async function associate({ rest }: TestApp, id: string, customer: string): Promise<void> {
  const { status } = await rest('POST', `/customers/${customer}/services/${id}`);
  expect(status).toBe(200);
}
