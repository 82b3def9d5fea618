import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';
import type { Answer, TestApp } from '../harness.js';
import { type Example, type Fault, fill, type Refusal } from './row.js';
import type { Scene } from './scene.js';

const json = 'application/json; charset=utf-8';

/**
 * The status, the headers and the whole body of what the example answers.
 * @returns the id that the answer has, where it has a new one
 */
export function expectAnswer(answer: Answer, { answers }: Example, the: Scene): number {
  const { status, body, type = json, lines, location, etag, link } = answers;
  expect(answer.status, answer.text).toBe(status);
  const newId = newIdOf(answer);
  const where = location && the.base + fill(location, { ...the.values, new_id: `${newId}` });
  expect(answer.headers['location']).toBe(where);
  const isEmpty = body === undefined && lines === undefined;
  expect(answer.headers['content-type']).toBe(isEmpty ? undefined : type);
  if (isEmpty) expect(answer.text).toBe('');
  else expect(lines ? linesOf(answer) : answer.json).toEqual(lines ?? body);
  if (etag !== undefined) expect(answer.headers['etag']).toBe(`"${etag}"`);
  if (link !== undefined) expect(answer.headers['link']).toMatch(link);
  return newId;
}

/** Of the service or the purge that the answer names; of the first one where it names several. */
export function newIdOf({ json }: Answer): number {
  const { service_id, purge_id } = Object(Array.isArray(json) ? json[0] : json);
  return service_id ?? purge_id ?? Number.NaN;
}

/** Every line has its end. */
function linesOf({ text }: Answer): unknown[] {
  expect(text).toMatch(/\n$/);
  const lines = text.slice(0, -1).split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** What queries answer after the example, and how long the service lasts. */
export async function expectShown(
  app: TestApp,
  the: Scene,
  { values, settle, lasts, shows }: Example,
  newId: number,
): Promise<void> {
  await settle?.(app, newId);
  if (lasts) {
    const id = newId || Number(fill('{service_id}', { ...the.values, ...values }));
    expect(await lifetimeOf(app, id)).toEqual(lasts);
  }
  for (const [path, body] of shows?.(newId) ?? []) {
    const answer = await app.rest('GET', the.base + fill(path, { ...the.values, new_id: `${newId}` }));
    if (body === undefined) expect(answer.status, path).toBe(404);
    else expect({ path, status: answer.status, body: answer.json }).toEqual({ path, status: 200, body });
  }
}

async function lifetimeOf(app: TestApp, id: number): Promise<unknown> {
  const query = `{ service(id: "${id}") { expiresAt autoCompleteAfter } }`;
  const { json } = await app.rest('POST', '/graphql', { body: { query } });
  return json.data?.service;
}

const codes: Readonly<Record<number, string>> = {
  400: 'INVALID',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  412: 'STALE_VERSION',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'IDEMPOTENCY_KEY_REUSED',
  503: 'UNAVAILABLE',
};

const sentence = expect.stringMatching(/\w/);

/** Every member that an error's body has (legacy contract, errors), its content type, and `Allow`. */
export function expectProblem(answer: Answer, refusal: Refusal): void {
  const { status, errors, hasMore, defect, allow, like } = refusal;

  expect(answer.status, answer.text).toBe(status);
  const accepted = defect.headers?.['accept'];
  expect(answer.headers['content-type']).toBe(accepted ? `${accepted}; charset=utf-8` : json);
  expect(answer.json).toEqual({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    code: codes[status],
    detail: sentence,
    errors: expect.any(Array),
    message: answer.json.detail,
    exception: expect.stringMatching(exceptionOf(status)),
    ...like,
  });
  // In whichever order they are told.
  expect(answer.json.errors.map(inOrder)).toEqual(expect.arrayContaining(errors.map(wire)));
  if (!hasMore) expect(answer.json.errors).toHaveLength(errors.length);
  expect(answer.headers['allow']?.toString().split(', ').sort()).toEqual(allow?.toSorted());
}

function wire(fault: Fault): object {
  const { path, allowed }: Listed = typeof fault === 'string' ? { path: fault } : fault;
  return inOrder({ path, message: sentence, ...(allowed === undefined ? {} : { allowed }) });
}

type Listed = { path: string; allowed?: unknown };

function inOrder(fault: Listed & { message: unknown }): object {
  return Array.isArray(fault.allowed) ? { ...fault, allowed: fault.allowed.toSorted() } : fault;
}

/** Old clients know the name of one of them. */
function exceptionOf(status: number): RegExp {
  const name = status === 404 ? 'NotFound' : '[A-Z][A-Za-z]+';
  return new RegExp(`^com\\.genesyslab\\.gsg\\.services\\.contextservices\\.exceptions\\.${name}Exception$`);
}
