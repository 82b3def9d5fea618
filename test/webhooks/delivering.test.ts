import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sweep } from '../../src/domain/sweeping.js';
import { makeTenants } from '../auth/makers.js';
import {
  DeadDeliveriesDocument,
  DeleteWebhookDocument,
  DiscardDeliveriesDocument,
  ReplayDeliveriesDocument,
  RotateWebhookSecretDocument,
  UpdateWebhookDocument,
  WebhookDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';
import { beginTransaction, untilEventsCanBeRead } from '../transactions.js';
import { change, createWebhook, internalHosts, sendAll } from './makers.js';
import { accept, answer, type Receiver, startReceiver } from './receivers.js';

let app: TestApp;
let receiver: Receiver;
let now: Date;

beforeAll(async () => {
  now = new Date();
  app = await createTestApp({ now: () => now, settings: internalHosts });
});
afterAll(() => app[Symbol.asyncDispose]());

beforeEach(async () => {
  // What an earlier test left is told to nobody.
  await app.sql('delete from webhook');
  now = new Date();
  receiver = await startReceiver();
  return () => receiver[Symbol.asyncDispose]();
});

function pass(seconds: number): void {
  now = new Date(now.getTime() + seconds * 1_000);
}

/** What the receiver was told of, in the order in which it was. */
function told(): string[] {
  return receiver.received.map(({ json }) => `${json.data.serviceId} v${json.data.version}`);
}

/** Sends what can be read by now, and settles nothing of it. */
async function sendNext(): Promise<string[]> {
  const { courier } = app.gateway;
  if (receiver.received.length === 0) await courier.pass();
  await courier.idle();
  return told();
}

async function webhook(id: string) {
  const { data } = await app.graphql(WebhookDocument, { id });
  return data?.webhook;
}

test('a webhook is told of each change behind its creation, with ids alone', async () => {
  const before = await startService(app);
  await createWebhook(app, { url: receiver.url });
  const service = await startService(app, { contact_key: 'key', Note: { text: 'nobody hears of this' } });
  await app.rest('POST', `/genesys/1/cs/customers/anna/services/${service}`, {
    body: { Note: { text: 'nor of this' } },
  });
  await app.rest('POST', `/genesys/1/cs/services/${service}/states/start`, { body: {} });

  await sendAll(app);

  const data = {
    serviceId: String(service),
    customerId: null,
    previousCustomerId: null,
    stateId: null,
    taskId: null,
  };
  const common = { tenant: 'default', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) };
  expect(receiver.received.map(({ json }) => json)).toEqual([
    { type: 'service.started', ...common, data: { ...data, version: 1 } },
    { type: 'service.associated', ...common, data: { ...data, version: 2, customerId: 'anna' } },
    {
      ...{ type: 'state.started', ...common },
      data: { ...data, version: 3, customerId: 'anna', previousCustomerId: 'anna', stateId: 0 },
    },
  ]);
  for (const { text } of receiver.received) expect(text).not.toMatch(/nobody|nor of/);
  expect(told().join()).not.toContain(`${before} `);
});

test('what was committed before its creation is told to nobody, even where it cannot be read yet', async () => {
  const slow = await beginTransaction(app);
  await startService(app);
  await createWebhook(app, { url: receiver.url });
  const service = await startService(app);
  await slow.commit();

  await sendAll(app);

  expect(told()).toEqual([`${service} v1`]);
});

test('a webhook is told of the types of events alone that it is for', async () => {
  await createWebhook(app, { url: receiver.url, eventTypes: ['SERVICE_COMPLETED', 'SERVICE_STARTED'] });
  const service = await startService(app);
  await change(app, service, 3);
  await app.rest('POST', `/genesys/1/cs/services/${service}/end`);

  await sendAll(app);

  expect(receiver.received.map(({ json }) => json.type)).toEqual(['service.started', 'service.completed']);
});

test('the library of Standard Webhooks finds what comes genuine, and nothing that was changed', async () => {
  const { id, secret } = await createWebhook(app, { url: receiver.url });
  const service = await startService(app);
  await sendAll(app);

  const [message] = receiver.received;
  if (!message) throw new Error('nothing came');

  expect(message.headers['webhook-id']).toBe(`${id}-${service}-1`);
  expect(message.headers['content-type']).toBe('application/json');
  expect(new Webhook(secret).verify(message.text, message.headers)).toEqual(message.json);
  expect(() => new Webhook(secret).verify(`${message.text} `, message.headers)).toThrow(
    'No matching signature',
  );
  const other = { ...message.headers, 'webhook-id': `${id}-${service}-2` };
  expect(() => new Webhook(secret).verify(message.text, other)).toThrow('No matching signature');
});

test('while a secret is rotated both are good, and then the new one alone', async () => {
  const { id, secret } = await createWebhook(app, { url: receiver.url });
  const { data } = await app.graphql(RotateWebhookSecretDocument, { input: { id, keepPreviousSeconds: 60 } });
  const rotated = data?.rotateWebhookSecret;
  if (rotated?.__typename !== 'RotateWebhookSecretPayload') throw new Error(JSON.stringify(data));
  const isGood = (key: string) => {
    const { text, headers } = receiver.received.at(-1) ?? {};
    try {
      return Boolean(new Webhook(key).verify(text ?? '', headers ?? {}));
    } catch {
      return false;
    }
  };

  const service = await startService(app);
  await sendAll(app);
  const during = [isGood(secret), isGood(rotated.secret)];
  pass(61);
  await change(app, service);
  await sendAll(app);
  const afterwards = [isGood(secret), isGood(rotated.secret)];

  expect(rotated.secret).not.toBe(secret);
  expect([during, afterwards]).toEqual([
    [true, true],
    [false, true],
  ]);
});

test('what fails is tried again after longer and longer waits, under the same id, with the time of the attempt', async () => {
  await createWebhook(app, { url: receiver.url });
  receiver.behave(answer(500));
  await startService(app);
  await sendAll(app);
  const waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

  for (const [index, seconds] of waits.entries()) {
    pass(seconds * 0.79);
    await sendAll(app);
    expect(receiver.received).toHaveLength(index + 1);
    pass(seconds * 0.42);
    await sendAll(app);
    expect(receiver.received).toHaveLength(index + 2);
  }
  pass(1e9);
  await sendAll(app);

  expect(receiver.received).toHaveLength(10);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  const times = receiver.received.map(({ headers }) => Number(headers['webhook-timestamp']));
  expect(new Set(times).size).toBe(10);
});

test('a service’s changes wait for the one before them, those of others do not', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  const [stuck, free] = [await startService(app), await startService(app)];
  receiver.behave((response, { json }) =>
    json.data.serviceId === String(stuck)
      ? answer(500)(response, receiver.received[0] as never)
      : response.end(),
  );
  await change(app, stuck, 2);
  await change(app, free, 2);

  await sendAll(app);
  const before = told();
  const { backlog } = (await webhook(id)) ?? {};
  receiver.behave(accept);
  pass(10);
  await sendAll(app);

  expect(before.filter((line) => line.startsWith(String(stuck)))).toEqual([`${stuck} v1`]);
  expect(before.filter((line) => line.startsWith(String(free)))).toEqual([
    `${free} v1`,
    `${free} v2`,
    `${free} v3`,
  ]);
  expect(backlog).toMatchObject({ pending: 3, dead: 0, oldestPendingAt: expect.any(String) });
  expect(told().slice(before.length)).toEqual([`${stuck} v1`, `${stuck} v2`, `${stuck} v3`]);
  expect((await webhook(id))?.backlog).toEqual({ pending: 0, dead: 0, oldestPendingAt: null });
});

/** Lets the first change of a service die, and answers the service. */
async function letDie(): Promise<number> {
  receiver.behave((response, { json }) =>
    json.data.version === 1 ? response.writeHead(400).end() : response.end(),
  );
  const service = await startService(app);
  await change(app, service);
  await sendAll(app);
  await app.sql('update webhook_delivery set attempts = 9 where service_id = $1 and version = 1', [service]);
  pass(10);
  await sendAll(app);
  receiver.received.length = 0;
  receiver.behave(accept);
  return service;
}

test('a dead delivery lets the next one go, is listed with why, and goes once it is replayed', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  const service = await letDie();

  const { data } = await app.graphql(DeadDeliveriesDocument, { webhookId: id });
  const before = await webhook(id);
  const replayed = await app.graphql(ReplayDeliveriesDocument, { input: { webhookId: id } });
  await sendAll(app);

  expect(data?.deadDeliveries.nodes).toEqual([
    {
      ...{ serviceId: String(service), version: 1, type: 'SERVICE_STARTED', attempts: 10 },
      ...{ lastFailure: 'answered 400', recordedAt: expect.any(String), diedAt: expect.any(String) },
    },
  ]);
  expect(before?.backlog).toEqual({ pending: 0, dead: 1, oldestPendingAt: null });
  expect(replayed.data?.replayDeliveries).toMatchObject({ count: 1, remaining: 0 });
  expect(told()).toEqual([`${service} v1`]);
  expect((await webhook(id))?.backlog).toMatchObject({ pending: 0, dead: 0 });
});

test('single dead deliveries are replayed and discarded, and none that is not dead', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  const [kept, replayed, discarded] = [await letDie(), await letDie(), await letDie()];
  const one = (service: number, version = 1) => ({
    input: { webhookId: id, serviceId: String(service), version },
  });

  const answers = [
    await app.graphql(ReplayDeliveriesDocument, one(replayed)),
    await app.graphql(DiscardDeliveriesDocument, one(discarded)),
    await app.graphql(DiscardDeliveriesDocument, one(replayed)),
    await app.graphql(ReplayDeliveriesDocument, one(kept, 2)),
  ].map(({ data }) => Object.values(data ?? {})[0]);
  await sendAll(app);

  expect(answers).toMatchObject([
    { count: 1, remaining: 2 },
    { count: 1, remaining: 1 },
    { code: 'NOT_FOUND' },
    { code: 'NOT_FOUND' },
  ]);
  expect(told()).toEqual([`${replayed} v1`]);
  const { data } = await app.graphql(DeadDeliveriesDocument, { webhookId: id });
  expect(data?.deadDeliveries.nodes.map(({ serviceId }) => serviceId)).toEqual([String(kept)]);
});

test('dead deliveries come page by page in either direction', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  const services = [await letDie(), await letDie(), await letDie()].map(String);
  const page = async (args: object) => {
    const { data } = await app.graphql(DeadDeliveriesDocument, { webhookId: id, ...args });
    return data?.deadDeliveries;
  };
  const ids = (found: Awaited<ReturnType<typeof page>>) => found?.nodes.map(({ serviceId }) => serviceId);

  const first = await page({ first: 2 });
  const second = await page({ first: 2, after: first?.pageInfo.endCursor });
  const back = await page({ last: 2, before: second?.pageInfo.startCursor });

  expect([ids(first), ids(second), ids(back)]).toEqual([
    services.slice(0, 2),
    services.slice(2),
    services.slice(0, 2),
  ]);
  expect([first?.pageInfo.hasNextPage, second?.pageInfo.hasNextPage]).toEqual([true, false]);
});

test('dead deliveries are kept for 30 days', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  await letDie();
  const dead = async () => (await webhook(id))?.backlog.dead;
  const sweepAt = (days: number) =>
    sweep(app.gateway.database, {
      ...{ now: new Date(now.getTime() + days * 86_400_000), eventSeconds: 1e8, logger: app.gateway.logger },
    });

  await sweepAt(27);
  const early = await dead();
  const { deliveries } = await sweepAt(31);

  expect([early, deliveries, await dead()]).toEqual([1, 1, 0]);
});

test('Retry-After is waited for, in seconds or as a date, a day at most', async () => {
  await createWebhook(app, { url: receiver.url });
  const waits: [string, number][] = [
    ['60', 60],
    [new Date(now.getTime() + 600_000).toUTCString(), 500],
    ['999999', 86_400],
    ['soon', 0],
  ];

  for (const [given, seconds] of waits) {
    receiver.behave(answer(500, { 'retry-after': given }));
    await startService(app);
    await sendAll(app);
    const [delivery] = await app.sql<{ seconds: number }>(
      `select extract(epoch from next_attempt_at - $1)::float8 as seconds from webhook_delivery order by service_id desc`,
      [now],
    );
    expect(delivery?.seconds).toBeGreaterThanOrEqual(seconds);
    expect(delivery?.seconds).toBeLessThanOrEqual(Math.max(seconds + 100, 6));
  }
});

test('a receiver that is too busy is left alone as long as it asks, for an hour at most', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  receiver.behave(answer(429, { 'retry-after': '7200' }));
  await startService(app);
  await sendAll(app);
  receiver.behave(accept);
  const service = await startService(app);

  await sendAll(app);
  const early = told();
  const { resumeAt } = (await webhook(id)) ?? {};
  pass(3_601);
  await sendAll(app);

  expect(early).toHaveLength(1);
  expect(resumeAt).toBe(new Date(now.getTime() - 1_000).toISOString());
  expect(told()).toEqual([early[0], `${service} v1`]);
});

test('a receiver that is gone is sent nothing more until it is enabled again, and misses nothing', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  receiver.behave(answer(410));
  const first = await startService(app);
  await sendAll(app);
  receiver.behave(accept);
  const second = await startService(app);
  pass(1_000);
  await sendAll(app);
  const gone = await webhook(id);
  const calls = receiver.received.length;

  await app.graphql(UpdateWebhookDocument, { input: { id, enabled: true } });
  await sendAll(app);

  expect(gone).toMatchObject({
    status: 'GONE',
    lastFailure: 'answered 410',
    failingSince: expect.any(String),
  });
  expect(calls).toBe(1);
  expect(told()).toEqual([`${first} v1`, `${first} v1`, `${second} v1`]);
  expect(await webhook(id)).toMatchObject({ status: 'ENABLED', lastFailure: null, failingSince: null });
  expect(app.log).toContainEqual(expect.objectContaining({ level: 40, webhook: id, status: 'GONE' }));
});

test('a webhook to which nothing could be delivered for 5 days is given up', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  receiver.behave(answer(500));
  const failAfter = async (days: number) => {
    pass(days * 86_400);
    await startService(app);
    await sendAll(app);
    return (await webhook(id))?.status;
  };

  const statuses = [await failAfter(0), await failAfter(4.9), await failAfter(0.2)];

  expect(statuses).toEqual(['ENABLED', 'ENABLED', 'FAILED']);
});

test('what a webhook has to be told is tried at once when it gets another URL', async () => {
  const { id } = await createWebhook(app, { url: `http://127.0.0.1:${receiver.port}/moved` });
  receiver.behave((response, { path }) => response.writeHead(path === '/hook' ? 200 : 404).end());
  const service = await startService(app);
  await sendAll(app);

  await app.graphql(UpdateWebhookDocument, { input: { id, url: receiver.url } });
  await sendAll(app);

  expect(receiver.received.map(({ path }) => path)).toEqual(['/moved', '/hook']);
  expect(told()).toEqual([`${service} v1`, `${service} v1`]);
});

test('a webhook that is deleted is told nothing more, though something was on its way', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  await startService(app);
  const { courier } = app.gateway;
  receiver.behave(async (response) => {
    await app.graphql(DeleteWebhookDocument, { input: { id } });
    response.writeHead(500).end();
  });

  await sendAll(app);
  await courier.pass();

  expect(receiver.received).toHaveLength(1);
  expect(await app.sql('select from webhook_delivery')).toEqual([]);
});

test('a webhook that is made while the leases are being renewed is served by the next pass', async () => {
  const { courier } = app.gateway;
  await using replica = await createTestApp({ database: app, now: () => now, settings: internalHosts });
  courier.wakeForNew();
  const renewing = courier.pass();
  courier.wakeForNew();
  await renewing;
  await createWebhook(replica, { url: receiver.url });

  await courier.pass();

  expect(await app.sql('select from webhook where owner is not null')).toHaveLength(1);
});

test('one gateway at a time serves a webhook; another one follows when its lease has lapsed', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  await using replica = await createTestApp({ database: app, now: () => now, settings: internalHosts });
  const service = await startService(app);
  await expect.poll(sendNext).toEqual([`${service} v1`]);
  await replica.gateway.courier.pass();
  await replica.gateway.courier.idle();
  const before = told();

  // What has come back to the first one is not settled yet, and is not its own to settle any more.
  await app.sql(`update webhook set owner = 'another', leased_until = now() + interval '1 hour'`);
  await app.gateway.courier.pass();
  const pending = (await webhook(id))?.backlog.pending;
  await app.sql(`update webhook set leased_until = now() - interval '1 second'`);
  await sendAll(replica);

  expect(before).toEqual([`${service} v1`]);
  expect(pending).toBe(1);
  expect(told()).toEqual([`${service} v1`, `${service} v1`]);
});

test('of two writers that overtook each other the versions come in order, wherever the feed is cut', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  const event = `insert into event (tenant, service_id, version, type, recorded_at, xid)`;
  await app.sql(`update webhook set feed_xid = '3', past = null where id = $1`, [id]);
  await app.sql(
    `${event} select 'default', 900000 + n, 1, 'TASK_UPDATED', now(), '4' from generate_series(1, 499) as n`,
  );
  await app.sql(
    `${event} values ('default', 800000, 3, 'SERVICE_UPDATED', now(), '5'), ('default', 800000, 2, 'SERVICE_UPDATED', now(), '6')`,
  );
  await app.sql(`update webhook set event_types = '{SERVICE_UPDATED}' where id = $1`, [id]);

  await sendAll(app);

  expect(told().filter((line) => line.startsWith('800000'))).toEqual(['800000 v2', '800000 v3']);
  await app.sql(`delete from event where xid < '7'`);
});

test('a version that cannot be told yet keeps the later ones of its service waiting', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  await app.sql(`update webhook set past = null where id = $1`, [id]);
  const open = await beginTransaction(app);
  const write = (version: number, xid: string) =>
    app.sql(
      `insert into event (tenant, service_id, version, type, recorded_at, xid)
       values ('default', 800001, $1, 'SERVICE_UPDATED', now(), $2)`,
      [version, xid],
    );
  // The one that began first has written last, while another one is under way between the two.
  await write(3, String(BigInt(open.xid) - 1n));
  await write(2, String(BigInt(open.xid) + 1n));
  const taken = async () =>
    (await app.sql('select from webhook_delivery where webhook_id = $1', [id])).length;
  app.gateway.courier.wakeForNew();
  await expect.poll(() => app.gateway.courier.pass().then(taken)).toBe(1);
  await app.gateway.courier.idle();
  const before = told();

  await open.commit();
  await sendAll(app);

  expect(before).toEqual([]);
  expect(told()).toEqual(['800001 v2', '800001 v3']);
  await app.sql('delete from event where service_id = 800001');
});

test('events are not swept before webhooks have taken them', async () => {
  await createWebhook(app, { url: receiver.url });
  const service = await startService(app);
  const pass = { now: new Date(now.getTime() + 1e10), eventSeconds: 1, logger: app.gateway.logger };
  const events = () => app.sql('select from event where service_id = $1', [service]);

  await sweep(app.gateway.database, pass);
  const kept = await events();
  await sendAll(app);
  await sweep(app.gateway.database, pass);

  expect(kept).toHaveLength(1);
  expect(told()).toEqual([`${service} v1`]);
  expect(await events()).toHaveLength(0);
});

test('receivers that do not answer leave room for those that do, however many they are', async () => {
  const settings = { ...internalHosts, WEBHOOK_TIMEOUT: '1s' };
  await using own = await createTestApp({ now: () => now, settings });
  await using silent = await startReceiver();
  silent.behave(() => {});
  await createWebhook(own, { url: silent.url });
  const others = 'event_types, secret, status, feed_xid, feed_service_id, feed_version, created_at';
  // More of them than all that can be on its way, and behind them one that answers.
  await own.sql(
    `insert into webhook (tenant, url, ${others}) select tenant, case when n < 25 then url else $1 end, ${others}
     from webhook, generate_series(1, 25) n order by n`,
    [receiver.url],
  );
  for (let count = 0; count < 30; count++) await startService(own);
  await untilEventsCanBeRead(own);
  const { courier } = own.gateway;

  for (let round = 0; round < 2; round++) {
    await courier.pass();
    await courier.idle();
  }

  expect(silent.received).toHaveLength(250 + 25 * 2);
  expect(told()).toHaveLength(10);
});

test('neither secrets nor addresses of receivers are logged', async () => {
  const { secret } = await createWebhook(app, { url: `${receiver.url}?token=hidden` });
  receiver.behave(answer(410));
  await startService(app);
  await sendAll(app);

  const logged = JSON.stringify(app.log);
  expect(logged).toContain('a webhook is told nothing any more');
  for (const hidden of [secret, 'hidden', '127.0.0.1']) expect(logged).not.toContain(hidden);
});

test('what changes in a tenant is told to its own webhooks alone, in maintenance too', async () => {
  await using elsewhere = await startReceiver();
  await makeTenants(app, 'elsewhere');
  await createWebhook(app, { url: receiver.url });
  await app.sql(
    `insert into webhook (tenant, url, event_types, secret, status, feed_xid, feed_service_id, feed_version, created_at)
     select 'elsewhere', $1, '{}', secret, status, feed_xid, feed_service_id, feed_version, created_at from webhook`,
    [elsewhere.url],
  );
  const service = await startService(app);
  const headers = { contactcenterid: 'elsewhere' };
  const other = await app.rest('POST', '/services/start', {
    headers,
    body: { customer_id: 'c', service_type: 1 },
  });
  const mode = (text: string) => app.rest('POST', '/server/mode', { body: { mode: text } });

  await mode('maintenance');
  await sendAll(app);
  await mode('production');

  expect(told()).toEqual([`${service} v1`]);
  expect(elsewhere.received.map(({ json }) => [json.tenant, json.data.serviceId])).toEqual([
    ['elsewhere', String(other.json.service_id)],
  ]);
});

test('a gateway sends by itself, and lets what is on its way come to its end when it stops', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  let answerNow = () => {};
  receiver.behave((response) => {
    answerNow = () => response.end();
  });
  const service = await startService(app);
  {
    await using _sending = await createTestApp({
      ...{ database: app, now: () => now, settings: internalHosts, webhooks: { isSending: true } },
    });
    await expect.poll(() => receiver.received.length).toBe(1);
    setTimeout(() => answerNow(), 200);
  }

  expect(told()).toEqual([`${service} v1`]);
  expect((await webhook(id))?.backlog).toMatchObject({ pending: 0, dead: 0 });
  expect(await app.sql('select owner from webhook')).toEqual([{ owner: null }]);
});

test('a receiver that keeps the gateway waiting when it stops is cut off, and hears the same from the next one', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  receiver.behave(() => {});
  const service = await startService(app);
  {
    await using _sending = await createTestApp({
      ...{ database: app, now: () => now, webhooks: { isSending: true } },
      settings: { ...internalHosts, WEBHOOK_TIMEOUT: '1m' },
    });
    await expect.poll(() => receiver.received.length).toBe(1);
  }
  receiver.behave(accept);
  const [{ attempts } = {}] = await app.sql<{ attempts: number }>('select attempts from webhook_delivery');

  await sendAll(app);

  expect(attempts).toBe(0);
  expect(told()).toEqual([`${service} v1`, `${service} v1`]);
  expect((await webhook(id))?.backlog.pending).toBe(0);
});
