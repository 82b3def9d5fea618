import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { joinEmbeddedPostgres } from '../../src/db/embedded/postgres.js';
import { createLogger } from '../../src/logger.js';
import { bootEmbedded } from './gateways.js';
import { report, rounds } from './rounds.js';
import { type Entry, startTraffic } from './traffic.js';
import { startUnreliableReceiver } from './unreliable-receiver.js';

const kills = rounds({ long: 5, short: 2 });

const settings = {
  WEBHOOK_INTERNAL_HOSTS: '127.0.0.0/8',
  WEBHOOK_TIMEOUT: '1s',
  // So many that nothing dies, however often it fails.
  WEBHOOK_RETRIES: Array(20).fill('1s').join(),
};

test(`a receiver that fails in five ways while the gateway is killed ${kills} times hears of everything, in order`, async () => {
  await using receiver = await startUnreliableReceiver();
  await using gateway = await bootEmbedded(settings);
  const { id, secret } = await createWebhook(gateway.url, receiver.url);
  receiver.trust(secret);
  const entries: Entry[] = [];

  for (let round = 1; round <= kills; round++) {
    const traffic = startTraffic({ url: gateway.url, callers: 8, mostActs: 300 });
    await receiver.takes(40);
    await gateway.process().kill();
    await gateway.boot();
    entries.push(...(await traffic.stop()));
  }
  const { faults, counts } = await gateway.balance(entries);
  const { connectionString } = await joinEmbeddedPostgres({
    directory: gateway.folder,
    logger: createLogger('warn'),
  });
  const left = await untilDelivered(connectionString);
  const events = await readEvents(connectionString);

  report(`webhook ${id}, gateway killed ${kills} times`, {
    ...{ acknowledged: counts.acknowledged, events: [...events.values()].flat().length },
    ...receiver.counts(),
  });
  expect(left).toEqual({ untaken: 0, pending: 0, dead: 0 });
  expect([...faults, ...receiver.faults()]).toEqual([]);
  for (const [serviceId, versions] of events) {
    expect(receiver.taken().get(serviceId), serviceId).toEqual(versions);
  }
  const { taken: _, repeated: _again, ...failures } = receiver.counts();
  expect(Object.keys(failures)).toHaveLength(5);
  expect(Math.min(...Object.values(failures))).toBeGreaterThan(0);
});

async function createWebhook(gateway: string, url: string): Promise<{ id: string; secret: string }> {
  const query = `mutation ($url: String!) {
    createWebhook(input: { url: $url }) { ... on CreateWebhookPayload { secret webhook { id } } }
  }`;
  const answer = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { url } }),
  });
  const { data } = await answer.json();
  return { id: data.createWebhook.webhook.id, secret: data.createWebhook.secret };
}

type Left = { untaken: number; pending: number; dead: number };

/** Whatever is left after a minute. */
async function untilDelivered(connectionString: string): Promise<Left | undefined> {
  const deadline = performance.now() + 90_000;
  for (;;) {
    const [left] = await query<Left>(
      connectionString,
      `select
         (select count(*)::int from event e, webhook w
           where (e.xid, e.service_id, e.version) > (w.feed_xid, w.feed_service_id, w.feed_version)) as untaken,
         (select count(*)::int from webhook_delivery where died_at is null) as pending,
         (select count(*)::int from webhook_delivery where died_at is not null) as dead`,
    );
    const isDone = left && left.untaken + left.pending === 0;
    if (isDone || performance.now() > deadline) return left;
    await sleep(200);
  }
}

/** The versions of each service, in their order. */
async function readEvents(connectionString: string): Promise<Map<string, number[]>> {
  const rows = await query<{ id: string; versions: number[] }>(
    connectionString,
    'select service_id::text as id, array_agg(version order by version) as versions from event group by service_id',
  );
  return new Map(rows.map(({ id, versions }) => [id, versions]));
}

async function query<Row extends pg.QueryResultRow>(
  connectionString: string,
  statement: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}
