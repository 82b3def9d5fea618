import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createLogger } from '../../src/logger.js';
import { createTestApp, type TestApp } from '../harness.js';
import { bare, base85, basePaths, defineExtensions, expectProblem, start } from './calls.js';

const now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;
let before: string;
let id: string;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  await defineExtensions(app);
  id = await start(app, { contact_key: 'k' });
  before = await app.hash();
});

afterAll(() => app[Symbol.asyncDispose]());

describe.each(basePaths)('under "%s"', (base) => {
  const associateUrl = () => `${base}/customers/c/services/${id}`;
  const urls = () => [`${base}/services/start`, associateUrl(), `${base}/services/${id}/end`];

  test('a path that is none answers 404, whatever its body', async () => {
    const answers = [
      await app.rest('GET', `${base}/nope`),
      await app.rest('GET', `${base}/services/${id}/`),
      await app.rest('POST', `${base}/services`, { rawBody: '{', headers: { 'content-type': 'text/plain' } }),
      await app.rest('DELETE', `${base}/metadata/people/extensions`),
    ];

    for (const answer of answers) {
      expectProblem(answer, { status: 404, code: 'NOT_FOUND', detail: 'There is no such path.' });
    }
  });

  test('a service that does not exist answers 404 to every operation on it', async () => {
    const answers = [
      await app.rest('GET', `${base}/services/9223372036854775807`),
      await app.rest('POST', `${base}/services/9223372036854775807/end`),
      await app.rest('POST', `${base}/customers/c/services/9223372036854775807`, {
        body: { disposition: 1 },
      }),
    ];

    for (const answer of answers) {
      expectProblem(answer, {
        status: 404,
        code: 'NOT_FOUND',
        detail: 'There is no service 9223372036854775807.',
      });
    }
    expect(await app.hash()).toBe(before);
  });

  test.each([
    ['PUT', '/services/start', 'POST'],
    ['GET', '/services/start', 'POST'],
    ['DELETE', '/services/1/states', 'GET, HEAD'],
    ['PUT', '/services/1/tasks/start', 'POST'],
    ['PATCH', '/services/1/end', 'POST'],
    ['GET', '/customers/c/services/1', 'POST'],
    ['POST', '/customers/c/services/active', 'GET, HEAD'],
    ['OPTIONS', '/customers/c/services', 'GET, HEAD'],
    ['PUT', '/services/anonymous/k/completed', 'GET, HEAD'],
    ['PUT', '/metadata/tasks/extensions', 'POST, GET, HEAD'],
    ['DELETE', '/metadata/states/extensions/x', 'GET, HEAD'],
  ] as const)('%s %s answers 405 with what is allowed, whatever the body', async (method, path, allow) => {
    const answer = await app.rest(method, base + path, { rawBody: '{' });

    expectProblem(answer, { status: 405, code: 'METHOD_NOT_ALLOWED' });
    expect(answer.headers['allow']).toBe(allow);
    expect(await app.hash()).toBe(before);
  });

  test('ids that are malformed are told both at once', async () => {
    const answer = await app.rest('POST', `${base}/customers//services/1x`);

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [
        { path: 'service_id', message: 'must be an integer from 1 to 9223372036854775807' },
        { path: 'customer_id', message: 'must not be empty' },
      ],
    });
  });

  test.each([
    '0',
    '-1',
    '1.5',
    '1e3',
    '9223372036854775808',
    '99999999999999999999',
    '%31%00',
    '',
  ])('the service id "%s" is refused', async (given) => {
    const answer = await app.rest('GET', `${base}/services/${given}`);

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [{ path: 'service_id', message: 'must be an integer from 1 to 9223372036854775807' }],
    });
  });

  test.each([
    ['%00', 'must not contain the character U+0000'],
    ['c'.repeat(65), 'must have at most 64 characters, has 65'],
  ])('the customer id "%.10s" is refused', async (given, message) => {
    const answer = await app.rest('POST', `${base}/customers/${given}/services/${id}`);

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path: 'customer_id', message }] });
    expect(await app.hash()).toBe(before);
  });

  test.each([
    ['/customers/%ED%A0%80/services/1', 'must be percent-encoded UTF-8'],
    ['/customers/%zz/services/1', 'must be percent-encoded UTF-8'],
    [`/customers/${'c'.repeat(5000)}/services/1`, 'has a part that is too long'],
  ])('the address %.40s is refused', async (path, message) => {
    const answer = await app.rest('POST', base + path);

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path: 'url', message }] });
  });

  test.each([
    ['{', 'must be JSON'],
    ['{"a":1}}', 'must be JSON, is not at position 7'],
    ["{'a':1}", 'must be JSON, is not at position 1'],
    [`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'must not be nested deeper than 100 levels'],
    ['null', 'must be a JSON object'],
    ['[]', 'must be a JSON object'],
    ['"text"', 'must be a JSON object'],
    ['1', 'must be a JSON object'],
  ])('the body %.20s is refused', async (rawBody, message) => {
    for (const url of urls()) {
      const answer = await app.rest('POST', url, { rawBody });

      expect(answer.status, answer.text).toBe(400);
      expect(answer.json.errors[0]).toEqual({ path: 'body', message: expect.stringContaining(message) });
    }
    expect(await app.hash()).toBe(before);
  });

  test('a start without a body is refused', async () => {
    for (const options of [{}, { rawBody: '' }]) {
      const answer = await app.rest('POST', `${base}/services/start`, options);

      expect(answer.status).toBe(400);
      expect(answer.json.errors[0]).toEqual({ path: 'body', message: 'must be a JSON object' });
    }
    expect(await app.hash()).toBe(before);
  });

  const unsafe = 'must be an integer from -9007199254740991 to 9007199254740991';
  test.each([
    ['{"resource_id":9007199254740992}', 'resource_id', unsafe],
    ['{"disposition":-9007199254740993}', 'disposition', unsafe],
    ['{"Feedback":{"rating":12345678901234567890}}', 'Feedback.rating', unsafe],
    ['{"extensions":{"a":[0,1e999]}}', 'extensions.a[1]', 'must be a number that a double can hold'],
    ['{"disposition":1,"disposition":2}', 'disposition', 'is given twice in one object'],
    ['{"Feedback":{"notes":"a","notes":"b"}}', 'notes', 'is given twice in one object'],
    ['{"media_type":1,"media_type":1}', 'media_type', 'is given twice in one object'],
    ['{"Feedback":{"notes":"{\\":","n\\u006ftes":"{\\":"}}', 'notes', 'is given twice in one object'],
  ])('what JavaScript would change in silence is refused: %s', async (rawBody, path, message) => {
    for (const url of urls()) {
      const answer = await app.rest('POST', url, { rawBody });

      expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path, message }] });
    }
    expect(await app.hash()).toBe(before);
  });

  const code = 'must be an integer or a string';
  test.each([
    [{ service_type: true }, 'service_type', code],
    [{ service_type: 1.5 }, 'service_type', unsafe],
    [{ service_type: 'x'.repeat(65) }, 'service_type', 'must have at most 64 characters, has 65'],
    [{ media_type: [1] }, 'media_type', code],
    [{ application_type: {} }, 'application_type', code],
    [{ resource_type: false }, 'resource_type', code],
    [{ disposition: {} }, 'disposition', code],
    [{ disposition_desc: 'x'.repeat(65) }, 'disposition_desc', 'must have at most 64 characters, has 65'],
    [{ application_id: '1' }, 'application_id', unsafe],
    [{ resource_id: 1.5 }, 'resource_id', unsafe],
    [{ session_id: 1 }, 'session_id', 'must be a string'],
    [{ session_id: 'x'.repeat(33) }, 'session_id', 'must have at most 32 characters, has 33'],
    [{ interaction_id: 'x'.repeat(51) }, 'interaction_id', 'must have at most 50 characters, has 51'],
    [{ interaction_id: 'a\u0000' }, 'interaction_id', 'must not contain the character U+0000'],
    [{ interaction_id: '\ud800' }, 'interaction_id', 'must not contain a lone surrogate'],
    [{ contact_key: '' }, 'contact_key', 'must not be empty'],
    [{ contact_key: 'x'.repeat(129) }, 'contact_key', 'must have at most 128 characters, has 129'],
    [{ est_duration: -1 }, 'est_duration', 'must be an integer from 0 to 9007199254740991'],
    [{ est_duration: '60' }, 'est_duration', 'must be an integer from 0 to 9007199254740991'],
    [{ timestamp: '2026-03-02T10:00:00.001Z' }, 'timestamp', 'must not be more than 24 hours ahead'],
    [{ timestamp: '2009-02-29T00:00:00Z' }, 'timestamp', expect.stringMatching(/^must be an ISO 8601/)],
    [{ timestamp: '2009-05-12T12:05:12' }, 'timestamp', expect.stringMatching(/^must be an ISO 8601/)],
    [{ timestamp: 1_242_129_912_145 }, 'timestamp', expect.stringMatching(/^must be an ISO 8601/)],
    [{ customer_id: 'other' }, 'customer_id', 'must be the id that the path has, where it is given'],
    [{ customer_id: null }, 'customer_id', 'must be the id that the path has, where it is given'],
    [{ service_id: 999 }, 'service_id', 'must be the id that the path has, where it is given'],
    [{ Feedback: [] }, 'Feedback', 'must be an object: one record of the extension'],
    [{ Feedback: { rating: 1 } }, 'Feedback.FeedbackType', 'is mandatory'],
    [
      { Feedback: { FeedbackType: 'x'.repeat(33) } },
      'Feedback.FeedbackType',
      'must have at most 32 characters, has 33',
    ],
    [{ Satisfaction: {} }, 'Satisfaction', expect.stringContaining('multi-valued')],
    [{ Satisfaction: [{}, { rating: '5' }] }, 'Satisfaction[1].rating', expect.stringContaining('integer')],
    [{ Satisfaction: [{ useful: 'true' }] }, 'Satisfaction[0].useful', 'must be true or false'],
    [
      { Satisfaction: [{ place: 'p' }, { place: 'p' }] },
      'Satisfaction[1].place',
      'must be unique, repeats record 0',
    ],
    [{ Satisfaction: [{ place: '\udfff' }] }, 'Satisfaction[0].place', 'must not contain a lone surrogate'],
    [
      { Feedback: { FeedbackType: 'x' }, feedback: null },
      'feedback',
      'is given twice; case makes no difference',
    ],
  ])('associate refuses %j', async (body, path, message) => {
    const answer = await app.rest('POST', associateUrl(), { body });

    expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path, message }] });
    expect(await app.hash()).toBe(before);
  });

  test('an attribute that the schema lacks is refused with those that it has', async () => {
    const answer = await app.rest('POST', associateUrl(), { body: { Satisfaction: [{ stars: 5 }] } });

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [
        {
          path: 'Satisfaction[0].stars',
          message: 'is not an attribute of the extension',
          allowed: ['rating', 'pertinence', 'useful', 'place'],
        },
      ],
    });
    expect(await app.hash()).toBe(before);
  });

  test.each([
    'state_id',
    'task_type',
    'started',
    'duration',
    'Active_States',
    'previous_state_id',
  ])('the reserved name %s is never an extension, and the fields that there are come with the answer', async (name) => {
    for (const url of urls()) {
      const answer = await app.rest('POST', url, { body: { customer_id: 'c', [name]: 1 } });

      expect(answer.status).toBe(400);
      expect(answer.json.errors).toContainEqual({
        path: name,
        message: 'is a reserved name, and no field of this operation',
        allowed: expect.arrayContaining(['session_id', 'timestamp']),
      });
    }
    expect(await app.hash()).toBe(before);
  });

  test.each([
    ['/services/start', { customer_id: 'c', service_type: 1, disposition: 1 }, 'disposition'],
    ['/services/start', { customer_id: 'c', service_type: 1, service_id: 1 }, 'service_id'],
    ['/services/1/end', { contact_key: 'k' }, 'contact_key'],
    ['/services/1/end', { est_duration: 1 }, 'est_duration'],
    ['/services/1/end', { customer_id: 'c' }, 'customer_id'],
  ])('%s has not every field of the others: %j', async (path, body, name) => {
    const answer = await app.rest('POST', base + path, { body });

    expect(answer.status).toBe(400);
    expect(answer.json.errors).toEqual([
      {
        path: name,
        message: 'is a reserved name, and no field of this operation',
        allowed: expect.any(Array),
      },
    ]);
    expect(await app.hash()).toBe(before);
  });

  test('a start needs a customer or a contact key', async () => {
    const answer = await app.rest('POST', `${base}/services/start`, { body: { service_type: 1 } });

    expectProblem(answer, {
      status: 400,
      code: 'INVALID',
      errors: [{ path: 'customer_id', message: 'is required where there is no contact key' }],
    });
    expect(await app.hash()).toBe(before);
  });

  test.each([
    ['a body over 1 MiB', { notes: 'x'.repeat(1024 * 1024) }, { path: 'body', message: 'is too large' }],
    [
      'an extension over 32 KiB',
      { Feedback: { FeedbackType: 'x', notes: 'x'.repeat(32 * 1024) } },
      { path: 'Feedback', message: 'must be at most 32768 bytes of JSON, is 32799' },
    ],
  ])('%s answers 413', async (_, body, fault) => {
    const answer = await app.rest('POST', associateUrl(), { body });

    expectProblem(answer, { status: 413, code: 'TOO_LARGE', errors: [fault] });
    expect(await app.hash()).toBe(before);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'json',
  ])('the content type %s answers 415', async (type) => {
    for (const url of urls()) {
      const answer = await app.rest('POST', url, { rawBody: '{}', headers: { 'content-type': type } });

      expectProblem(answer, {
        status: 415,
        code: 'UNSUPPORTED_MEDIA_TYPE',
        errors: [{ path: 'Content-Type', message: 'must be application/json' }],
      });
    }
    expect(await app.hash()).toBe(before);
  });

  test.each([
    ['application/problem+json', 'application/problem+json'],
    ['text/html, Application/Problem+JSON;q=0.5', 'application/problem+json'],
    ['application/problem+json;q=0, application/json', 'application/json'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
  ])('to Accept: %s an error is %s', async (accept, type) => {
    for (const url of [
      '/nope',
      '/services/x',
      `/services/${'9'.repeat(18)}`,
      '/services/start',
      '/services/%zz',
    ]) {
      const answer = await app.rest('GET', base + url, { headers: { accept } });

      expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`);
      expect(answer.json).toMatchObject({ type: 'about:blank', status: answer.status });
    }
  });

  test('of very many faults the first hundred are told, and how many more there are', async () => {
    const record = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`a${index}`, 1]));

    const answer = await app.rest('POST', associateUrl(), {
      body: { Feedback: { FeedbackType: 'x', ...record } },
    });

    expect(answer.status).toBe(400);
    expect(answer.json.errors).toHaveLength(100);
    expect(answer.json.detail).toMatch(/; and 50 more$/);
  });
});

test('a bare path refuses a key that it does not know, and lists the extensions that there are', async () => {
  const answer = await app.rest('POST', `${bare}/customers/c/services/${id}`, {
    body: { Nope: 1, 'a b': 2 },
  });

  const fault = {
    message: 'is neither a field of this operation nor an extension with a schema',
    allowed: ['Feedback', 'Satisfaction'],
  };
  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [
      { path: 'Nope', ...fault },
      { path: 'a b', ...fault },
    ],
  });
  expect(await app.hash()).toBe(before);
});

test.each([
  ['{"__proto__":{"polluted":1}}', '__proto__', 'is reserved'],
  ['{"x":{"__proto__":{"polluted":1}}}', 'x.__proto__', 'is reserved'],
  ['{"x":"\\ud800"}', 'x', 'must not contain a lone surrogate'],
  ['{"x":{"a\\u0000":1}}', 'x.a\u0000', 'must not contain the character U+0000'],
  ['{"":1}', '""', 'must not be empty'],
  [`{"${'k'.repeat(256)}":1}`, 'k'.repeat(256), 'must have at most 255 characters, has 256'],
  [
    `{"x":${'['.repeat(40)}${']'.repeat(40)}}`,
    expect.stringMatching(/^x\[0\]/),
    expect.stringContaining('32 levels'),
  ],
])('8.5 refuses attached data that cannot be kept as it is: %.40s', async (rawBody, path, message) => {
  const answer = await app.rest('POST', `${base85}/customers/c/services/${id}`, { rawBody });

  expectProblem(answer, { status: 400, code: 'INVALID', errors: [{ path, message }] });
  expect(Reflect.get({}, 'polluted')).toBeUndefined();
  expect(await app.hash()).toBe(before);
});

test('8.5 takes 50 extensions a call, not 51', async () => {
  const body = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`x${index}`, index]));

  const answer = await app.rest('POST', `${base85}/customers/c/services/${id}`, { body });

  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'extensions', message: 'must be at most 50 a call, are 51' }],
  });
  expect(await app.hash()).toBe(before);
});

test('the extensions of one service are 256 KiB at most, over all calls', async () => {
  await using own = await createTestApp();
  const service = await start(own, { contact_key: 'k' });
  const url = `${base85}/customers/c/services/${service}`;
  const chunk = 'x'.repeat(32_000);
  for (let i = 0; i < 8; i++) await own.rest('POST', url, { body: { [`x${i}`]: chunk } });
  const full = await own.hash();

  const answer = await own.rest('POST', url, { body: { x8: chunk, x0: null, disposition: 1 } });
  const tooMuch = await own.rest('POST', url, { body: { x9: chunk, disposition: 2 } });

  expect(answer.status).toBe(200);
  expect(full).not.toBe(await own.hash());
  expectProblem(tooMuch, {
    status: 413,
    code: 'TOO_LARGE',
    errors: [
      { path: 'extensions', message: expect.stringMatching(/^of one service must be at most 262144 bytes/) },
    ],
  });
  const { json } = await own.rest('GET', `${base85}/services/${service}`);
  expect(json.disposition).toBe(1);
});

test('every fault of a call is told at once', async () => {
  const answer = await app.rest('POST', `${bare}/customers/%00/services/0`, {
    body: { est_duration: -1, state_type: 1, Nope: 1, Satisfaction: [{ rating: 1.5 }], timestamp: 'now' },
    headers: { 'x-actor': '%' },
  });

  expect(answer.status).toBe(400);
  expect(answer.json.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual([
    'Nope',
    'Satisfaction[0].rating',
    'X-Actor',
    'customer_id',
    'est_duration',
    'service_id',
    'state_type',
    'timestamp',
  ]);
  expect(await app.hash()).toBe(before);
});

test('a fault of ours answers 500 without a word of it, and is logged once with the id of the request', async () => {
  await using own = await createTestApp();
  await own.sql('alter table service rename to elsewhere');

  const answer = await own.rest('GET', `${bare}/services/1`, { headers: { 'x-request-id': 'r-1' } });

  expectProblem(answer, { status: 500, code: 'INTERNAL', detail: 'The call failed.' });
  expect(own.log.filter(({ level }) => Number(level) >= 40)).toEqual([
    expect.objectContaining({ level: 50, reqId: 'r-1', err: expect.any(Object) }),
  ]);
});

test('without a database it answers 503 and when to try again', async () => {
  await using nowhere = await createApp({
    ...readConfig({}),
    connectionString: 'postgresql://postgres@127.0.0.1:1/none',
    poolSize: 1,
    sweeping: null,
    logger: createLogger('silent'),
  });

  for (const [method, url] of [
    ['GET', '/services/1'],
    ['GET', '/customers/c/services'],
    ['POST', '/customers/c/services/1'],
    ['GET', '/metadata/services/extensions'],
  ] as const) {
    const { statusCode: status, headers, body: text } = await nowhere.server.inject({ method, url });

    expectProblem({ status, headers, text, json: JSON.parse(text) }, { status: 503, code: 'UNAVAILABLE' });
    expect(headers['retry-after']).toBe('1');
  }
});

test('bytes that are no UTF-8 are refused, not replaced', async () => {
  const id = await start(app, { customer_id: 'bytes' });
  const before = await app.hash();

  const answer = await app.rest('POST', `/customers/bytes/services/${id}`, {
    rawBody: Buffer.from('{"session_id":"\xff\xfe"}', 'latin1'),
  });

  expectProblem(answer, {
    status: 400,
    code: 'INVALID',
    errors: [{ path: 'body', message: 'must be UTF-8' }],
  });
  expect(await app.hash()).toBe(before);
});

test('an answer to a path that cannot be decoded has a request id too', async () => {
  const answer = await app.rest('GET', '/services/%E0%A4%A', { headers: { 'x-request-id': 'call-1' } });

  expect(answer.headers['x-request-id']).toBe('call-1');
});
