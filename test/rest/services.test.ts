import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bare, base85, basePaths, defineExtensions, expectProblem, listed, start } from './calls.js';

const now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  await defineExtensions(app);
});

afterAll(() => app[Symbol.asyncDispose]());

describe.each(basePaths)('under "%s"', (base) => {
  test('a start answers 201 with the id, where the service is, and its version', async () => {
    const answer = await app.rest('POST', `${base}/services/start`, {
      body: { customer_id: `starts${base}`, service_type: 'claim', est_duration: 60, session_id: 's-1' },
    });

    const id = answer.json.service_id;
    expect(answer).toMatchObject({
      status: 201,
      text: `{"service_id":${id}}`,
      headers: { location: `${base}/services/${id}`, etag: '"1"' },
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect((await app.rest('GET', String(answer.headers['location']))).json).toEqual({
      service_id: id,
      service_type: 'claim',
      customer_id: `starts${base}`,
      est_duration: 60,
      started: { session_id: 's-1', timestamp: '2026-03-01T10:00:00.000Z' },
    });
  });

  test('a start takes every field of its event, and each comes back in its JSON type', async () => {
    const event = {
      session_id: 'S'.repeat(32),
      interaction_id: 'I'.repeat(50),
      application_type: 400,
      application_id: 40,
      resource_type: '200',
      resource_id: Number.MAX_SAFE_INTEGER,
      media_type: 'voice',
    };
    const body = { customer_id: 'every', contact_key: 'key', service_type: '100', est_duration: 0, ...event };

    const { json } = await app.rest('POST', `${base}/services/start`, {
      body: { ...body, timestamp: '2009-05-12T14:05:12.1+02:00' },
    });

    expect((await app.rest('GET', `${base}/services/${json.service_id}`)).json).toEqual({
      service_id: json.service_id,
      service_type: '100',
      customer_id: 'every',
      contact_key: 'key',
      est_duration: 0,
      started: { ...event, timestamp: '2009-05-12T12:05:12.100Z' },
    });
  });

  test('associate moves a service from anonymous to a customer, then to another: the last one wins', async () => {
    const key = `moves${base}`;
    const id = await start(app, { contact_key: key });

    await app.rest('POST', `${base}/customers/first${base.length}/services/${id}`);
    const answer = await app.rest('POST', `${base}/customers/second${base.length}/services/${id}`);

    expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"3"', 'content-length': '0' } });
    expect(await listed(app, `${base}/services/anonymous/${encodeURIComponent(key)}`)).toEqual([]);
    expect(await listed(app, `${base}/customers/first${base.length}/services`)).toEqual([]);
    expect(await listed(app, `${base}/customers/second${base.length}/services/active`)).toEqual([id]);
  });

  test('the same customer again answers 200, counts a version and makes no history', async () => {
    const id = await start(app, { customer_id: 'same' });

    const answer = await app.rest('POST', `${base}/customers/same/services/${id}`, {
      body: { disposition: 'x' },
    });

    expect(answer).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect(await app.sql('select kind from association where service_id = $1', [id])).toEqual([
      { kind: 'START' },
    ]);
  });

  test.each([
    ['no body', {}],
    ['an empty body', { rawBody: '' }],
    ['an empty body of another type', { rawBody: '', headers: { 'content-type': 'text/plain' } }],
    ['an empty object', { body: {} }],
  ])('associate and end take %s', async (_, options) => {
    const id = await start(app, { customer_id: 'empties' });

    const associated = await app.rest('POST', `${base}/customers/others/services/${id}`, options);
    const ended = await app.rest('POST', `${base}/services/${id}/end`, options);

    expect([associated.status, ended.status]).toEqual([200, 200]);
  });

  test('associate changes what is given, clears what is null, and leaves the rest', async () => {
    const id = await start(app, {
      contact_key: 'partial',
      session_id: 'before',
      resource_id: 1,
      est_duration: 60,
      Feedback: { FeedbackType: 'survey' },
      Satisfaction: [{ rating: 1 }],
    });

    await app.rest('POST', `${base}/customers/partial/services/${id}`, {
      body: { session_id: 'after', resource_id: null, disposition_desc: 'done', satisfaction: null },
    });

    expect((await app.rest('GET', `${base}/services/${id}?extensions=*`)).json).toEqual({
      service_id: Number(id),
      service_type: 100,
      customer_id: 'partial',
      contact_key: 'partial',
      est_duration: 60,
      disposition_desc: 'done',
      started: { session_id: 'after', timestamp: now.toISOString() },
      Feedback: { FeedbackType: 'survey' },
    });
  });

  test('an extension replaces the stored one of its name as a whole, whatever the case', async () => {
    const id = await start(app, { contact_key: 'replaced', Feedback: { FeedbackType: 'survey', rating: 1 } });

    await app.rest('POST', `${base}/customers/replaced/services/${id}`, {
      body: { FEEDBACK: { notes: 'n', feedbacktype: 'call' } },
    });

    const { text } = await app.rest('GET', `${base}/services/${id}?extensions=feedback`);
    expect(text).toContain('"Feedback":{"FeedbackType":"call","notes":"n"}');
  });

  test('a completed service can be associated again', async () => {
    const id = await start(app, { customer_id: 'before' });
    await app.rest('POST', `${base}/services/${id}/end`);

    const { status } = await app.rest('POST', `${base}/customers/reopened${base.length}/services/${id}`);

    expect(status).toBe(200);
    expect(await listed(app, `${base}/customers/reopened${base.length}/services/completed`)).toEqual([id]);
  });

  test('with Prefer associate answers the service as a query by id would', async () => {
    const id = await start(app, { contact_key: 'preferred', Feedback: { FeedbackType: 'survey' } });

    const answer = await app.rest(
      'POST',
      `${base}/customers/preferred/services/${id}?extensions=Feedback&active_states=true`,
      {
        body: { Satisfaction: [{ rating: 1 }] },
        headers: { prefer: 'respond-async, return=representation' },
      },
    );

    const query = await app.rest('GET', `${base}/services/${id}?extensions=Feedback&active_states=true`);
    expect(answer).toMatchObject({
      status: 200,
      text: query.text,
      headers: { etag: '"2"', 'preference-applied': 'return=representation' },
    });
    expect(answer.json).toMatchObject({ customer_id: 'preferred', active_states: [], Feedback: {} });
    expect(answer.json).not.toHaveProperty('Satisfaction');
  });

  test('with Prefer a bad parameter is told with the other faults, and nothing changes', async () => {
    const id = await start(app, { contact_key: 'preferred' });
    const before = await app.hash();

    const answer = await app.rest('POST', `${base}/customers/x/services/${id}?active_tasks=yes`, {
      body: { est_duration: -1 },
      headers: { prefer: 'return=representation' },
    });

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [
        { path: 'active_tasks', message: 'must be one of true, false', allowed: ['true', 'false'] },
        { path: 'est_duration', message: 'must be an integer from 0 to 9007199254740991' },
      ],
    });
    expect(await app.hash()).toBe(before);
  });

  test('a complete answers 200 with nothing; the service then has its end, disposition and duration', async () => {
    const id = await start(app, {
      customer_id: 'ends',
      timestamp: '2026-03-01T09:59:58.500Z',
      session_id: 's',
    });

    const answer = await app.rest('POST', `${base}/services/${id}/end`, {
      body: { disposition: 10, disposition_desc: 'SUCCESS', session_id: 'e', application_id: 7 },
    });

    expect(answer).toMatchObject({ status: 200, text: '', headers: { etag: '"2"' } });
    expect((await app.rest('GET', `${base}/services/${id}`)).json).toEqual({
      service_id: Number(id),
      service_type: 100,
      customer_id: 'ends',
      duration: 1500,
      disposition: 10,
      disposition_desc: 'SUCCESS',
      started: { session_id: 's', timestamp: '2026-03-01T09:59:58.500Z' },
      completed: {
        session_id: 'e',
        application_id: 7,
        timestamp: '2026-03-01T10:00:00.000Z',
        disposition: 10,
        disposition_desc: 'SUCCESS',
      },
    });
  });

  test('a complete of what is completed answers 409 and changes nothing', async () => {
    const id = await start(app, { customer_id: 'once' });
    await app.rest('POST', `${base}/services/${id}/end`);
    const before = await app.hash();

    const answer = await app.rest('POST', `${base}/services/${id}/end`);

    expectProblem(answer, { status: 409, code: 'CONFLICT', detail: `Service ${id} is completed already.` });
    expect(await app.hash()).toBe(before);
  });

  test('an end before the start is refused', async () => {
    const id = await start(app, { customer_id: 'backwards' });
    const before = await app.hash();

    const answer = await app.rest('POST', `${base}/services/${id}/end`, {
      body: { timestamp: '2026-03-01T09:59:59.999Z' },
    });

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [{ path: 'timestamp', message: 'must not be before the start of the service' }],
    });
    expect(await app.hash()).toBe(before);
  });

  test('a query answers the version as its tag, and the lists of states and tasks when asked', async () => {
    const id = await start(app, { customer_id: 'queried', Feedback: { FeedbackType: 'survey' } });

    const answer = await app.rest(
      'GET',
      `${base}/services/${id}?completed_states=true&active_tasks=false&extensions=nope`,
    );

    expect(answer).toMatchObject({ status: 200, headers: { etag: '"1"' } });
    expect(answer.json).toEqual({
      service_id: Number(id),
      service_type: 100,
      customer_id: 'queried',
      started: { timestamp: now.toISOString() },
      completed_states: [],
    });
  });

  test('HEAD answers as GET does, without the body', async () => {
    const id = await start(app, { customer_id: 'headed' });

    const head = await app.rest('HEAD', `${base}/services/${id}`);

    const get = await app.rest('GET', `${base}/services/${id}`);
    expect(head).toMatchObject({ status: 200, text: '', headers: { etag: '"1"' } });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });
});

test('who acted and why come in headers, percent-encoded, and are kept in history', async () => {
  const id = await start(app, { contact_key: 'told' });

  await app.rest('POST', `${bare}/customers/told/services/${id}`, {
    headers: { 'x-reason': 'caf%C3%A9 100%25', 'x-actor': 'agent 7' },
  });

  expect(
    await app.sql('select reason, actor from association where service_id = $1 and version = 2', [id]),
  ).toEqual([{ reason: 'café 100%', actor: 'agent 7' }]);
});

test.each([
  '%zz',
  '%ED%A0%80',
  'café',
])('a reason that is not percent-encoded UTF-8 is refused: %s', async (reason) => {
  const id = await start(app, { contact_key: 'told' });
  const before = await app.hash();

  const answer = await app.rest('POST', `${bare}/customers/told/services/${id}`, {
    headers: { 'x-reason': reason },
  });

  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'X-Reason', message: 'must be percent-encoded UTF-8' }],
  });
  expect(await app.hash()).toBe(before);
});

test('an actor that is too long is refused under the name of its header', async () => {
  const id = await start(app, { contact_key: 'told' });

  const answer = await app.rest('POST', `${bare}/customers/told/services/${id}`, {
    headers: { 'x-actor': 'a'.repeat(129) },
  });

  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'X-Actor', message: 'must have at most 128 characters, has 129' }],
  });
});

test('"reason" and "actor" in a body are extensions like any other', async () => {
  const { json } = await app.rest('POST', `${base85}/services/start`, {
    body: { customer_id: 'named', reason: 'r', actor: ['a'] },
  });

  const service = await app.rest('GET', `${base85}/services/${json.service_id}?extensions=*`);
  expect(service.json).toMatchObject({ reason: 'r', actor: ['a'] });
});

test('ids in the body that are the ones of the path are ignored', async () => {
  const id = await start(app, { contact_key: 'ids' });

  const answer = await app.rest('POST', `${bare}/customers/ids/services/${id}`, {
    body: { customer_id: 'ids', service_id: Number(id) },
  });

  expect(answer.status).toBe(200);
});

test('8.5 needs no service type and takes attached data of any kind, also under names of Object', async () => {
  const data = {
    list: [1, { a: null }],
    text: 'x',
    flag: false,
    number: -0.5,
    constructor: { a: 1 },
    toString: 'y',
  };

  const { json, status } = await app.rest('POST', `${base85}/services/start`, {
    body: { customer_id: 'data', ...data },
  });

  expect(status).toBe(201);
  const service = await app.rest('GET', `${base85}/services/${json.service_id}?extensions=*`);
  expect(service.json).toEqual({
    service_id: json.service_id,
    customer_id: 'data',
    started: { timestamp: now.toISOString() },
    ...data,
  });
  expect(
    (await app.rest('GET', `${base85}/services/${json.service_id}?extensions=TEXT,constructor`)).json,
  ).toEqual({
    service_id: json.service_id,
    customer_id: 'data',
    started: { timestamp: now.toISOString() },
    constructor: { a: 1 },
    text: 'x',
  });
});

test('8.5 checks an extension that has a schema', async () => {
  const answer = await app.rest('POST', `${base85}/services/start`, {
    body: { customer_id: 'c', Feedback: { rating: 'x' } },
  });

  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [
      { path: 'Feedback.FeedbackType', message: 'is mandatory' },
      { path: 'Feedback.rating', message: 'must be an integer from -2147483648 to 2147483647' },
    ],
  });
});

test('the bare path keeps services typed', async () => {
  const id = await start(app, { customer_id: 'typed' });
  const before = await app.hash();

  const started = await app.rest('POST', `${bare}/services/start`, { body: { customer_id: 'typed' } });
  const associated = await app.rest('POST', `${bare}/customers/typed/services/${id}`, {
    body: { service_type: null },
  });

  expectProblem(started, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'service_type', message: 'is required on this path' }],
  });
  expectProblem(associated, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'service_type', message: 'must not be null on this path' }],
  });
  expect(await app.hash()).toBe(before);
});

test('both base paths show the same services', async () => {
  const id = await start(app, { customer_id: 'shared', Feedback: { FeedbackType: 'survey' } });

  const answers = await Promise.all(
    basePaths.map((base) => app.rest('GET', `${base}/services/${id}?extensions=*`)),
  );

  expect(answers[0]?.text).toBe(answers[1]?.text);
});
