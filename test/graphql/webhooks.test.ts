import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  CreateWebhookDocument,
  DeadDeliveriesDocument,
  DeleteWebhookDocument,
  DiscardDeliveriesDocument,
  ReplayDeliveriesDocument,
  RotateWebhookSecretDocument,
  TestWebhookDocument,
  UpdateWebhookDocument,
  WebhookDocument,
  WebhooksDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createWebhook, internalHosts } from '../webhooks/makers.js';
import { answer, startReceiver } from '../webhooks/receivers.js';

let app: TestApp;
const url = 'https://receiver.example.com/hook';

beforeAll(async () => {
  app = await createTestApp({ settings: internalHosts });
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() => app.sql('delete from webhook'));

test('a webhook is created with a secret that no other answer has', async () => {
  const { data } = await app.graphql(CreateWebhookDocument, {
    input: { url, eventTypes: ['SERVICE_STARTED'] },
  });
  const created = data?.createWebhook;
  if (created?.__typename !== 'CreateWebhookPayload') throw new Error(JSON.stringify(data));
  const { secret, webhook } = created;

  const answers = [
    await app.graphql(WebhookDocument, { id: webhook.id }),
    await app.graphql(WebhooksDocument, {}),
    await app.graphql(UpdateWebhookDocument, { input: { id: webhook.id, enabled: false } }),
  ];

  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
  expect(webhook).toEqual({
    ...{ id: expect.stringMatching(/^\d+$/), url, eventTypes: ['SERVICE_STARTED'], status: 'ENABLED' },
    ...{ previousSecretUntil: null, failingSince: null, lastFailure: null, resumeAt: null, principal: null },
    ...{ createdAt: expect.any(String), backlog: { pending: 0, dead: 0, oldestPendingAt: null } },
  });
  expect(answers[0]?.data).toEqual({ webhook });
  expect(answers[1]?.data).toEqual({ webhooks: [webhook] });
  expect(JSON.stringify(answers)).not.toContain(secret);
  expect(JSON.stringify(app.log)).not.toContain(secret);
});

test('what is wrong with a webhook is told at once, by field and rule, and nothing is made', async () => {
  const before = await app.hash();
  const create = async (input: object) => {
    const { data } = await app.graphql(CreateWebhookDocument, { input: { url, ...input } });
    return data?.createWebhook;
  };

  expect(await create({ url: 'http://receiver.example.com', eventTypes: [], enabled: null })).toMatchObject({
    code: 'INVALID',
    faults: [
      { path: 'url', message: expect.stringMatching(/^must begin with https/) },
      { path: 'eventTypes', message: 'must be a list of 1 to 13 values' },
      { path: 'enabled', message: 'must be true or false' },
    ],
  });
  expect(await app.hash()).toBe(before);
});

test('a webhook is changed by what is given alone', async () => {
  const { id } = await createWebhook(app, { url, eventTypes: ['TASK_STARTED'] });
  const update = async (input: object) => {
    const { data } = await app.graphql(UpdateWebhookDocument, { input: { id, ...input } });
    return data?.updateWebhook;
  };
  const changed = (webhook: object) => ({ __typename: 'UpdateWebhookPayload', webhook });

  expect(await update({ enabled: false })).toMatchObject(
    changed({ url, eventTypes: ['TASK_STARTED'], status: 'DISABLED' }),
  );
  expect(await update({ eventTypes: null })).toMatchObject(
    changed({ url, eventTypes: [], status: 'DISABLED' }),
  );
  expect(await update({ url: `${url}/2` })).toMatchObject(changed({ url: `${url}/2`, eventTypes: [] }));
  expect(await update({ url: 'https://10.0.0.1' })).toMatchObject({
    code: 'INVALID',
    faults: [{ path: 'url' }],
  });
});

test('a tenant has at most 20 webhooks, and sees its own alone', async () => {
  for (let count = 0; count < 20; count++) await createWebhook(app, { url });

  const { data } = await app.graphql(CreateWebhookDocument, { input: { url } });

  expect(data?.createWebhook).toMatchObject({ code: 'CONFLICT' });
  expect((await app.graphql(WebhooksDocument, {})).data?.webhooks).toHaveLength(20);
});

test('20 webhooks with what they have yet to be told of cost two statements, as one does', async () => {
  await createWebhook(app, { url });
  const list = () => app.countStatements(() => app.graphql(WebhooksDocument, {}));

  const one = await list();
  for (let count = 1; count < 20; count++) await createWebhook(app, { url });

  expect([one, await list()]).toEqual([2, 2]);
});

test('a webhook that there is not is said so by every operation', async () => {
  const id = '404';
  const answers = [
    await app.graphql(UpdateWebhookDocument, { input: { id, enabled: true } }),
    await app.graphql(RotateWebhookSecretDocument, { input: { id } }),
    await app.graphql(DeleteWebhookDocument, { input: { id } }),
    await app.graphql(TestWebhookDocument, { input: { id } }),
    await app.graphql(ReplayDeliveriesDocument, { input: { webhookId: id } }),
    await app.graphql(DiscardDeliveriesDocument, { input: { webhookId: id } }),
  ];
  const dead = await app.graphql(DeadDeliveriesDocument, { webhookId: id });

  for (const { data } of answers) {
    expect(Object.values(data ?? {})).toEqual([
      { __typename: 'NotFound', code: 'NOT_FOUND', message: 'There is no webhook 404.' },
    ]);
  }
  expect(dead.errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' });
  expect((await app.graphql(WebhookDocument, { id })).data).toEqual({ webhook: null });
});

test('a choice of one delivery needs both of its members', async () => {
  const { id: webhookId } = await createWebhook(app, { url });
  const path = async (input: object) => {
    const { data } = await app.graphql(ReplayDeliveriesDocument, { input: { webhookId, ...input } });
    return data?.replayDeliveries;
  };

  expect(await path({ serviceId: '1' })).toMatchObject({ faults: [{ path: 'version' }] });
  expect(await path({ version: 1 })).toMatchObject({ faults: [{ path: 'serviceId' }] });
  expect(await path({ serviceId: 'x', version: 0 })).toMatchObject({
    faults: [{ path: 'serviceId' }, { path: 'version' }],
  });
});

test('how long a former secret is kept is from 0 seconds to a week', async () => {
  const { id, secret } = await createWebhook(app, { url });
  const rotate = async (keepPreviousSeconds?: number) => {
    const { data } = await app.graphql(RotateWebhookSecretDocument, {
      input: { id, ...(keepPreviousSeconds === undefined ? {} : { keepPreviousSeconds }) },
    });
    return data?.rotateWebhookSecret;
  };

  expect(await rotate(-1)).toMatchObject({ faults: [{ path: 'keepPreviousSeconds' }] });
  expect(await rotate(604_801)).toMatchObject({ faults: [{ path: 'keepPreviousSeconds' }] });
  expect(await rotate()).toMatchObject({ webhook: { previousSecretUntil: expect.any(String) } });
  expect(await rotate(0)).toMatchObject({ webhook: { previousSecretUntil: null } });
  const [stored] = await app.sql<{ secret: string; previous_secret: string | null }>(
    'select secret, previous_secret from webhook',
  );
  expect(stored?.previous_secret).toBeNull();
  expect(stored?.secret).not.toBe(secret);
});

test('a webhook is tried with a signed ping, also while it is disabled', async () => {
  await using receiver = await startReceiver();
  const { id, secret } = await createWebhook(app, { url: receiver.url, enabled: false });
  const ping = async () => (await app.graphql(TestWebhookDocument, { input: { id } })).data?.testWebhook;

  const heard = await ping();
  receiver.behave(answer(404));
  const missed = await ping();
  await receiver[Symbol.asyncDispose]();
  const away = await ping();

  const [message] = receiver.received;
  expect(message?.json).toEqual({ type: 'ping', timestamp: expect.any(String), tenant: 'default', data: {} });
  expect(new Webhook(secret).verify(message?.text ?? '', message?.headers ?? {})).toEqual(message?.json);
  expect([heard, missed, away]).toMatchObject([
    { delivered: true, status: 200, failure: null },
    { delivered: false, status: 404, failure: null },
    { delivered: false, status: null, failure: 'the connection was refused' },
  ]);
});

test('a URL that the settings allow no longer is sent nothing', async () => {
  await using receiver = await startReceiver();
  const { id } = await createWebhook(app, { url: receiver.url });
  await using strict = await createTestApp({ database: app });

  const { data } = await strict.graphql(TestWebhookDocument, { input: { id } });

  expect(data?.testWebhook).toMatchObject({
    delivered: false,
    failure: expect.stringMatching(/^its URL must begin/),
  });
  expect(receiver.connections()).toBe(0);
});
