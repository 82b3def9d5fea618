import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace, type Place } from '../domain/lifetimes.js';
import { type Answer, createTestApp, type TestApp } from '../harness.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test.each([
  '',
  '/genesys/1/cs',
])('the feed under "%s" tells all that happened, one CloudEvent a line', async (base) => {
  const place = await makePlace(app);
  const id = await start(place);
  await app.rest('POST', `/customers/berta/services/${id}`, place);
  await app.rest('POST', `/genesys/1/cs/services/${id}/states/start`, { ...place, body: {} });

  const answer = await feed(place, `${base}/events`, 3);
  const events = eventsIn(answer);

  expect(answer.headers['content-type']).toMatch(/^application\/x-ndjson/);
  expect(events.map(({ type }) => type)).toEqual(['service.started', 'service.associated', 'state.started']);
  expect(events[1]).toEqual({
    ...{ specversion: '1.0', id: `${id}.2`, source: `/tenants/${place.tenant}`, type: 'service.associated' },
    ...{ subject: id, time: expect.stringMatching(/^\d{4}-.*Z$/), datacontenttype: 'application/json' },
    cursor: expect.stringMatching(/^[\w-]+$/),
    data: { service_id: Number(id), version: 2, customer_id: 'berta', previous_customer_id: 'anna' },
  });
  expect(events[2]?.data).toMatchObject({ customer_id: 'berta', state_id: 0 });
});

test('the link leads from page to page, and at the end to what comes next', async () => {
  const place = await makePlace(app);
  const ids = [await start(place), await start(place), await start(place)];
  await feed(place, '/events', 3);

  const first = await app.rest('GET', '/events?limit=2', place);
  const second = await app.rest('GET', nextOf(first), place);
  const third = await app.rest('GET', nextOf(second), place);
  ids.push(await start(place));
  const fourth = await feed(place, nextOf(third), 1);

  expect(
    [first, second, third, fourth].map((answer) => eventsIn(answer).map(({ subject }) => subject)),
  ).toEqual([...[ids.slice(0, 2), ids.slice(2, 3), [], ids.slice(3)]]);
  expect(third.text).toBe('');
  expect(eventsIn(first).at(-1)?.cursor).toBe(new URL(nextOf(first), 'http://x').searchParams.get('after'));
});

test('who asks for the latest begins behind all that there is', async () => {
  const place = await makePlace(app);
  await start(place);
  await feed(place, '/events', 1);

  const latest = await app.rest('GET', '/events?after=latest', place);
  const id = await start(place);
  const next = await feed(place, nextOf(latest), 1);

  expect(eventsIn(latest)).toEqual([]);
  expect(eventsIn(next).map(({ subject }) => subject)).toEqual([id]);
});

test('a cursor older than what is kept is 410, and what is no cursor or no limit 400', async () => {
  const place = await makePlace(app);
  await app.sql(`insert into event_horizon values ($1, '9', 1, 1)`, [place.tenant]);
  const cursor = Buffer.from('8.1.1').toString('base64url');

  const gone = await app.rest('GET', `/events?after=${cursor}`, place);
  const wrong = await app.rest('GET', '/events?after=x&limit=501', place);

  expect(gone).toMatchObject({ status: 410, json: { code: 'GONE', status: 410 } });
  expect(wrong.status).toBe(400);
  expect(wrong.json.errors.map(({ path }: { path: string }) => path)).toEqual(['limit', 'after']);
});

test('GraphQL answers the same feed', async () => {
  const place = await makePlace(app);
  const ids = [await start(place), await start(place), await start(place)];
  const lines = eventsIn(await feed(place, '/events', 3));
  const ask = (args: string) => {
    const query = `{ events(${args}) { edges { cursor node { type serviceId time } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    return app.rest('POST', '/graphql', { ...place, body: { query } });
  };

  const first = await ask('first: 2');
  const second = await ask(`after: "${lines[1]?.cursor}"`);
  const gone = await ask(`after: "${Buffer.from('18446744073709551615.1.1').toString('base64url')}"`);

  expect(first.json.data.events.edges).toEqual(
    lines.slice(0, 2).map(({ cursor, subject, time }) => ({
      cursor,
      node: { type: 'SERVICE_STARTED', serviceId: subject, time },
    })),
  );
  expect(first.json.data.events.pageInfo).toMatchObject({ hasNextPage: true, endCursor: lines[1]?.cursor });
  expect(second.json.data.events).toMatchObject({
    edges: [{ node: { serviceId: ids[2] } }],
    pageInfo: { hasNextPage: false, hasPreviousPage: true },
  });
  expect(gone.json.errors).toMatchObject([{ extensions: { code: 'GONE' } }]);
  expect((await ask('first: 501')).json.errors).toMatchObject([{ extensions: { code: 'INVALID' } }]);
});

// biome-ignore lint/suspicious/noExplicitAny: the answers of a JSON API, looked into by assertions
type CloudEvent = Record<string, any>;

function eventsIn({ text }: Answer): CloudEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Once it has so many events: other tests hold transactions open on the same server. */
async function feed(place: Place, url: string, count: number): Promise<Answer> {
  const ask = () => app.rest('GET', url, place);
  await expect.poll(async () => eventsIn(await ask()).length).toBe(count);
  return ask();
}

function nextOf({ headers: { link } }: Answer): string {
  const [, url = ''] = /^<(.*)>; rel="next"$/.exec(String(link)) ?? [];
  expect(url).toMatch(/^\/events\?/);
  return url;
}

async function start({ headers }: Place): Promise<string> {
  const body = { customer_id: 'anna' };
  const { json } = await app.rest('POST', '/genesys/1/cs/services/start', { body, headers });
  return String(json.service_id);
}
