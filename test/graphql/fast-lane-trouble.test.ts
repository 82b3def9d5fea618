import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, makeKey } from '../auth/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { createProxy } from '../proxy.js';
import { resetReaderOf } from '../transactions.js';
import { ask, now, openWays, type Ways } from './ways.js';

const services = { query: '{ services { nodes { id } } }' };
const start = { query: 'mutation { startService(input: { customerId: "anna" }) { __typename } }' };

/** Everything is in order again when a test ends. */
let ways: Ways;

beforeAll(async () => {
  ways = await openWays();
});
afterAll(() => ways[Symbol.asyncDispose]());

test('what nobody expects of the database is masked alike, and logged on both ways', async () => {
  const logged: unknown[] = [];

  const exchanges = await ways.compare(async (app) => {
    for (const body of [services, start]) await ask(app, body);
    await app.sql('alter table service rename column session_id to secret_id');
    for (const body of [services, start]) await ask(app, body);
    await app.sql('alter table service rename column secret_id to session_id');
    logged.push(app.log.filter(({ level }) => level === 50).map(({ reqId, msg }) => [reqId, msg]));
  });

  expect(exchanges.slice(2).map(({ isFast }) => isFast)).toEqual([true, true]);
  expect(codesIn(exchanges.slice(2))).toEqual(['INTERNAL', 'INTERNAL']);
  const twice = ['call-3', 'call-4'].map((id) => [id, 'unexpected error']);
  expect(logged).toEqual([twice, twice]);
});

test.each([
  ['UNAVAILABLE', '53300'],
  ['OUTCOME_UNKNOWN', '57P01'],
])('a write that PostgreSQL does not take is 503 %s on both ways', async (code, sqlState) => {
  const exchanges = await ways.compare(async (app) => {
    await ask(app, start);
    await app.sql(`create function fail() returns trigger language plpgsql as
      $$ begin raise exception 'no' using errcode = '${sqlState}'; end $$`);
    await app.sql('create trigger fail before insert on event for each row execute function fail()');
    await ask(app, start);
    await app.sql('drop function fail() cascade');
  });

  expect(exchanges[1]).toMatchObject({
    isFast: true,
    answer: { status: 503, headers: { 'retry-after': '1' } },
  });
  expect(codesIn(exchanges.slice(1))).toEqual([code]);
});

test('calls while the database is away are 503 on both ways', async () => {
  const exchanges = await ways.compare(async (app, record) => {
    await using proxy = await createProxy(app.connectionString);
    await using gateway = await createTestApp({ database: proxy, now });
    const behindProxy = record(gateway);
    for (const body of [services, start]) await ask(behindProxy, body);
    await proxy.cut();
    for (const body of [services, start]) await ask(behindProxy, body);
  });

  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, false, true, true]);
  for (const { answer } of exchanges.slice(2)) {
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  }
});

test('what was done and cannot be read, or is too large, is told alike on both ways', async () => {
  const shownBy = (shown: string) => ({
    query: `mutation { startService(input: { customerId: "anna" }) {
      ... on StartServicePayload { service { id ${shown} } }
    } }`,
  });
  const states = shownBy('states { id }');
  const extensions = shownBy('extensions { value }');
  const found: unknown[] = [];

  const exchanges = await ways.compare(async (app, record) => {
    await using proxy = await createProxy(app.connectionString);
    await using gateway = await createTestApp({ database: proxy, now });
    const behindProxy = record(gateway);
    for (const body of [states, extensions]) await ask(behindProxy, body);
    await resetReaderOf('state', { observer: app, proxy }, () => ask(behindProxy, states));
    await app.sql(`create function add() returns trigger language plpgsql as $$ begin
      insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
      values (new.tenant, new.id, 'SERVICE', 0, 'note', 'Note', '1', 40000000);
      return new;
    end $$`);
    await app.sql('create trigger add after insert on service for each row execute function add()');
    await ask(behindProxy, extensions);
    await app.sql('drop function add cascade');
    found.push((await app.sql("select id from service where customer_id = 'anna'")).length);
  });

  const [unread, tooLarge] = exchanges.slice(2);
  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, false, true, true]);
  expect(codesIn(exchanges.slice(2))).toEqual(['OUTCOME_UNKNOWN', 'LIMIT_EXCEEDED']);
  expect(unread?.answer.status).toBe(503);
  expect(tooLarge?.answer.json.errors[0].message).toBe(
    'The answer would have more than 32 MiB, the most that is allowed: what was changed stays so, ask for it by queries.',
  );
  expect(found[0]).toBe(found[1]);
});

test('in maintenance both ways answer when to come back', async () => {
  const exchanges = await ways.compare(async (app) => {
    for (const body of [services, start]) await ask(app, body);
    await app.rest('POST', '/server/mode', { body: { mode: 'maintenance' } });
    for (const body of [services, start]) await ask(app, body);
    await app.rest('POST', '/server/mode', { body: { mode: 'production' } });
  });

  for (const { answer, isFast } of exchanges.slice(2)) {
    expect(isFast).toBe(true);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
  }
});

test('who may not call is told so alike, and the lane lets nobody in', async () => {
  await using guarded = await openWays();

  const exchanges = await guarded.compare(async (app) => {
    await makeKey(app);
    const { key: reader } = await makeKey(app, { role: 'READER' });
    for (const body of [services, start]) await ask(app, body, bearer(reader));
    for (const headers of headersOf(reader)) await ask(app, start, headers);
    await expectNothingStarted(app);
  });

  const [forbidden, ...refused] = exchanges.slice(2);
  expect(forbidden).toMatchObject({ isFast: true, answer: { status: 200 } });
  expect(refused.map(({ isFast, answer }) => [isFast, answer.status])).toEqual([
    [undefined, 401],
    [undefined, 401],
    [undefined, 400],
    [undefined, 400],
    [undefined, 403],
  ]);
  expect(codesIn(exchanges.slice(2))).toEqual([
    'FORBIDDEN',
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
    'INVALID',
    'INVALID',
    'FORBIDDEN',
  ]);
});

function headersOf(reader: string): Record<string, string>[] {
  return [
    bearer(reader),
    {},
    bearer('cgw_1_nothing'),
    { ...bearer(reader), contactcenterid: 'nowhere' },
    { ...bearer(reader), groupid: '%ff' },
    { ...bearer(reader), 'sec-fetch-site': 'cross-site' },
  ];
}

async function expectNothingStarted(app: TestApp): Promise<void> {
  expect(await app.sql('select id from service')).toEqual([]);
}

function codesIn(exchanges: readonly { answer: { json: { errors: { extensions: { code: string } }[] } } }[]) {
  return exchanges.map(({ answer }) => answer.json.errors[0]?.extensions.code);
}

test('a variable that is null where a list takes none is told alike, before the mutation acts', async () => {
  const fields = '{ ... on StartServicePayload { service { extensions(names: [$one, $other]) { value } } } }';
  const query = `mutation ($one: String! = "x", $other: String = "x") {
    startService(input: { customerId: "anna" }) ${fields}
  }`;
  const found: unknown[] = [];

  const exchanges = await ways.compare(async (app) => {
    await ask(app, { query });
    await ask(app, { query, variables: { other: null } });
    found.push((await app.sql('select id from service')).length);
  });

  expect(exchanges.map(({ isFast }) => isFast)).toEqual([false, true]);
  expect(exchanges.at(1)?.answer.json.errors).toHaveLength(1);
  expect(found[0]).toBe(found[1]);
});
