import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { base85, basePaths, defineExtensions, expectProblem, listed, start } from './calls.js';

const now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  await defineExtensions(app);
});

afterAll(() => app[Symbol.asyncDispose]());

describe.each(basePaths)('under "%s"', (base) => {
  test('a customer has all services, the active and the completed ones, by start and then id', async () => {
    const customer = `c${base.length}`;
    const late = await start(app, { customer_id: customer, timestamp: '2026-02-03T00:00:00Z' });
    const early = await start(app, { customer_id: customer, timestamp: '2026-02-01T00:00:00Z' });
    const ended = await start(app, { customer_id: customer, timestamp: '2026-02-01T00:00:00Z' });
    await start(app, { customer_id: `${customer}-other` });
    await app.rest('POST', `${base}/services/${ended}/end`);

    const all = await listed(app, `${base}/customers/${customer}/services`);
    const active = await listed(app, `${base}/customers/${customer}/services/active`);
    const completed = await listed(app, `${base}/customers/${customer}/services/completed`);

    expect({ all, active, completed }).toEqual({
      all: [early, ended, late],
      active: [early, late],
      completed: [ended],
    });
  });

  test('a contact key has its anonymous services alone', async () => {
    const key = `408/832 7799+${base.length}`;
    const active = await start(app, { contact_key: key });
    const ended = await start(app, { contact_key: key });
    await start(app, { contact_key: key, customer_id: 'known' });
    await app.rest('POST', `${base}/services/${ended}/end`);
    const url = `${base}/services/anonymous/${encodeURIComponent(key)}`;

    expect(await listed(app, url)).toEqual([active, ended]);
    expect(await listed(app, `${url}/active`)).toEqual([active]);
    expect(await listed(app, `${url}/completed`)).toEqual([ended]);
  });

  test('nothing found is 200 and an empty array', async () => {
    const answer = await app.rest('GET', `${base}/customers/nobody/services`);

    expect(answer).toMatchObject({ status: 200, text: '[]' });
  });

  test('extensions are shown when asked for, by name or all, in the order of their schema', async () => {
    const customer = `x${base.length}`;
    await start(app, {
      customer_id: customer,
      Satisfaction: [{ place: 'p', useful: true, pertinence: 8, rating: 2 }],
      Feedback: { notes: 'n', FeedbackType: 'survey' },
    });
    const url = `${base}/customers/${customer}/services`;

    const none = await app.rest('GET', url);
    const one = await app.rest('GET', `${url}?extensions=feedback,nope,State.x`);
    const all = await app.rest('GET', `${url}?extensions=*`);
    const both = await app.rest('GET', `${url}?extensions=Feedback&extensions=Satisfaction`);

    expect(none.text).not.toContain('survey');
    expect(one.text).toContain('"Feedback":{"FeedbackType":"survey","notes":"n"}}]');
    expect(all.text).toContain('"Satisfaction":[{"rating":2,"pertinence":8,"useful":true,"place":"p"}]');
    expect(both.text).toBe(all.text);
  });

  test('the lists of states and tasks are empty arrays, only when asked for', async () => {
    const customer = `s${base.length}`;
    await start(app, { customer_id: customer });

    const { json } = await app.rest(
      'GET',
      `${base}/customers/${customer}/services?active_states=true&completed_states=true&active_tasks=true&completed_tasks=false`,
    );

    expect(json).toEqual([
      expect.objectContaining({ active_states: [], completed_states: [], active_tasks: [] }),
    ]);
    expect(json[0]).not.toHaveProperty('completed_tasks');
  });

  test('pages follow one another over equal starts, and every link keeps the query', async () => {
    const customer = `p${base.length} <>`;
    const ids: string[] = [];
    for (let i = 0; i < 7; i++)
      ids.push(await start(app, { customer_id: customer, timestamp: '2026-02-01T00:00:00Z' }));
    ids.push(await start(app, { customer_id: customer, timestamp: '2026-02-02T00:00:00Z' }));

    const pages: string[][] = [];
    let url: string | undefined =
      `${base}/customers/${encodeURIComponent(customer)}/services?limit=3&x=a?b&active_tasks=true&started_from=2026-02-01T02:00:00%2B02:00`;
    while (url) {
      const answer = await app.rest('GET', url);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json[0]).toHaveProperty('active_tasks');
      pages.push(answer.json.map((service: { service_id: number }) => String(service.service_id)));
      url = /^<(.+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
    }

    expect(pages.map(({ length }) => length)).toEqual([3, 3, 2]);
    expect(pages.flat()).toEqual(ids);
  });

  test('a page that is the last has no link, even when it is full', async () => {
    const customer = `l${base.length}`;
    await start(app, { customer_id: customer });
    await start(app, { customer_id: customer });

    const answer = await app.rest('GET', `${base}/customers/${customer}/services?limit=2`);

    expect(answer.json).toHaveLength(2);
    expect(answer.headers).not.toHaveProperty('link');
  });

  test('the time filters include the start and exclude the end', async () => {
    const customer = `t${base.length}`;
    const [first, second] = [
      await start(app, { customer_id: customer, timestamp: '2026-02-01T00:00:00.000Z' }),
      await start(app, { customer_id: customer, timestamp: '2026-02-01T00:00:00.001Z' }),
    ];
    const url = `${base}/customers/${customer}/services`;

    expect(await listed(app, `${url}?started_from=2026-02-01T00:00:00.001Z`)).toEqual([second]);
    expect(await listed(app, `${url}?started_to=2026-02-01T00:00:00.001Z`)).toEqual([first]);
    expect(
      await listed(app, `${url}?started_from=2026-02-01T00:00:00Z&started_to=2026-02-01T00:00:00Z`),
    ).toEqual([]);
  });

  test('a type that is a number finds the integer and the string', async () => {
    const customer = `y${base.length}`;
    const ids = [];
    for (const service_type of [100, '100', 'a b', '0100', 200]) {
      ids.push(await start(app, { customer_id: customer, service_type }));
    }
    const [integer, string, words, padded, other] = ids;
    const url = `${base}/customers/${customer}/services?service_types=`;

    expect(await listed(app, `${url}100`)).toEqual([integer, string]);
    expect(await listed(app, `${url}0100`)).toEqual([padded]);
    expect(await listed(app, `${url}200,a%20b`)).toEqual([words, other]);
    expect(await listed(app, `${url}200&service_types=a+b`)).toEqual([words, other]);
    expect(await listed(app, `${url}99999999999999999999`)).toEqual([]);
  });

  test('parameters that are not known are ignored', async () => {
    const answer = await app.rest('GET', `${base}/customers/nobody/services?foo=1&foo=2&__proto__=x&=`);

    expect(answer).toMatchObject({ status: 200, text: '[]' });
  });

  test('every bad parameter is told at once, with its rule', async () => {
    const answer = await app.rest(
      'GET',
      `${base}/customers/${'x'.repeat(65)}/services?started_from=2009-02-29T00:00:00Z&started_to=yesterday&service_types=,` +
        '&limit=501&after=!&active_states=TRUE&completed_tasks=1',
    );

    const date = 'must be an ISO 8601 date and time with its zone, like 2009-05-12T12:05:12.145Z';
    const flag = { message: 'must be one of true, false', allowed: ['true', 'false'] };
    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [
        { path: 'customer_id', message: 'must have at most 64 characters, has 65' },
        { path: 'started_from', message: date },
        { path: 'started_to', message: date },
        { path: 'service_types', message: 'must not be empty' },
        { path: 'limit', message: 'must be an integer from 1 to 500' },
        { path: 'after', message: 'must be a cursor that a list answered' },
        { path: 'active_states', ...flag },
        { path: 'completed_tasks', ...flag },
      ],
    });
  });

  test.each([
    ['limit=1&limit=2', 'limit', 'must be given once'],
    [
      'started_from=2026-01-01T00:00:00Z&started_from=2026-01-01T00:00:00Z',
      'started_from',
      'must be given once',
    ],
    ['limit=0', 'limit', 'must be an integer from 1 to 500'],
    ['limit=1e2', 'limit', 'must be an integer from 1 to 500'],
    ['limit=', 'limit', 'must be an integer from 1 to 500'],
    ['service_types=a%00', 'service_types', 'must not contain the character U+0000'],
    [`service_types=${'x'.repeat(65)}`, 'service_types', 'must have at most 64 characters, has 65'],
    [`service_types=${'1,'.repeat(100)}1`, 'service_types', 'must be a list of 1 to 100 values'],
    ['extensions=%zz', 'query', 'must be percent-encoded UTF-8'],
    ['service_types=%ED%A0%80', 'query', 'must be percent-encoded UTF-8'],
    [`after=${cursor('0.9223372036854775808')}`, 'after', 'must be a cursor that a list answered'],
    [`after=${cursor('-8640000000000000.1')}`, 'after', 'must be a cursor that a list answered'],
  ])('the query %.60s is refused', async (query, path, message) => {
    const answer = await app.rest('GET', `${base}/customers/c/services?${query}`);

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path, message }] });
  });

  test.each([
    [`/services/anonymous/${'k'.repeat(129)}`, 'contact_key', 'must have at most 128 characters, has 129'],
    ['/services/anonymous/', 'contact_key', 'must not be empty'],
    ['/services/anonymous/%00/active', 'contact_key', 'must not contain the character U+0000'],
    ['/customers//services/completed', 'customer_id', 'must not be empty'],
    ['/customers/a%00/services', 'customer_id', 'must not contain the character U+0000'],
  ])('the path %.60s is refused', async (path, name, message) => {
    const answer = await app.rest('GET', base + path);

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path: name, message }] });
  });

  test('the ids of paths count characters, not bytes', async () => {
    const customer = '😀'.repeat(64);
    const id = await start(app, {
      customer_id: customer,
      timestamp: `2026-02-0${base.length === 0 ? 1 : 2}T00:00:00Z`,
    });

    expect(await listed(app, `${base}/customers/${encodeURIComponent(customer)}/services`)).toContain(id);
  });
});

test('a list of 20 costs as many statements as a list of 1', async () => {
  await start(app, { customer_id: 'one', Feedback: { FeedbackType: 'survey' } });
  for (let i = 0; i < 20; i++)
    await start(app, { customer_id: 'twenty', Feedback: { FeedbackType: 'survey' } });
  const count = (customer: string) =>
    app.countStatements(() =>
      app.rest('GET', `${base85}/customers/${customer}/services?extensions=*&active_states=true`),
    );

  expect([await count('one'), await count('twenty')]).toEqual([1, 1]);
});

function cursor(text: string): string {
  return Buffer.from(text).toString('base64url');
}
