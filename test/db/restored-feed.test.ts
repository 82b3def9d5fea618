import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { currentMoment, encodeCursor, listEvents } from '../../src/domain/events.js';
import { Gone } from '../../src/errors.js';
import { createLogger } from '../../src/logger.js';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';
import { createWebhook, internalHosts, sendAll } from '../webhooks/makers.js';
import { type Receiver, startReceiver } from '../webhooks/receivers.js';

let app: TestApp;
let receiver: Receiver;
/** Of the former server: far in the future of this one. */
const former = 10n ** 12n;

beforeAll(async () => {
  app = await createTestApp({ settings: internalHosts });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

beforeEach(async () => {
  for (const table of ['webhook', 'event', 'event_horizon']) await app.sql(`delete from ${table}`);
  for (const version of [1, 2, 3]) {
    await app.sql(
      `insert into event (tenant, service_id, version, type, recorded_at, xid)
       values ('default', 5, $1, 'SERVICE_UPDATED', now(), $2)`,
      [version, String(former + BigInt(version))],
    );
  }
  await app.sql(`insert into event_horizon (tenant, xid, service_id, version) values ('default', $1, 5, 0)`, [
    String(former),
  ]);
});

const start = () => migrate(app.connectionString, createLogger('silent'));

test('a feed that comes from another server goes on, with what was kept of it', async () => {
  const db = app.gateway.database.forTenant('default');

  await start();

  const moment = await currentMoment(db);
  const service = await startService(app);
  const all = () => listEvents(db, { after: null, first: 10 });
  await expect.poll(async () => (await all()).length).toBe(4);
  expect((await all()).map(({ serviceId, version }) => [serviceId, version])).toEqual([
    ...[1, 2, 3].map((version) => [5n, version]),
    [BigInt(service), 1],
  ]);
  const behind = await listEvents(db, { after: moment.position, first: 10 });
  expect(behind.map(({ serviceId }) => serviceId)).toEqual([BigInt(service)]);
});

test('cursors of the former server are gone, whatever they say', async () => {
  const db = app.gateway.database.forTenant('default');

  await start();

  for (const xid of ['1', String(former + 1n)]) {
    const listed = listEvents(db, { after: { xid, serviceId: 5n, version: 1 }, first: 10 });
    await expect(listed, xid).rejects.toThrow(Gone);
  }
  const latest = await app.rest('GET', '/events?after=latest');
  expect(latest.status).toBe(200);
  const cursor = encodeCursor({ xid: String(former + 1n), serviceId: 5n, version: 1 });
  expect((await app.rest('GET', `/events?after=${cursor}`)).status).toBe(410);
});

test('webhooks are told what they were yet to be told, and what happens from then on', async () => {
  const { id } = await createWebhook(app, { url: receiver.url });
  await using other = await startReceiver();
  await createWebhook(app, { url: other.url });
  await app.sql('update webhook set feed_xid = $1, feed_service_id = 5, feed_version = 2, past = null', [
    String(former + 2n),
  ]);
  await app.sql('update webhook set feed_xid = $1, feed_version = 3 where id <> $2', [
    String(former + 3n),
    id,
  ]);

  await start();

  const service = await startService(app);
  await sendAll(app);
  const told = receiver.received.map(({ json }) => `${json.data.serviceId} v${json.data.version}`);
  expect(told.sort()).toEqual([`${service} v1`, '5 v3'].sort());
  expect(other.received.map(({ json }) => json.data.serviceId)).toEqual([String(service)]);
  await app.sql('delete from webhook where id = $1', [id]);
});

test('a start changes nothing of a feed that is of this server', async () => {
  await app.sql('delete from event_horizon');
  await app.sql('delete from event');
  await startService(app);
  const before = await app.hash();

  await start();

  expect(await app.hash()).toBe(before);
});
