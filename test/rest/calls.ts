import { expect } from 'vitest';
import type { Answer, TestApp } from '../harness.js';

/** The base paths of the legacy API: generations 8.0 and 8.1, and 8.5. */
export const bare = '';
export const base85 = '/genesys/1/cs';
export const basePaths = [bare, base85];

/** Starts a service of type 100 and answers its id. */
export async function start(app: TestApp, body: object): Promise<string> {
  const answer = await app.rest('POST', `${bare}/services/start`, { body: { service_type: 100, ...body } });
  expect(answer.status, answer.text).toBe(201);
  return String(answer.json.service_id);
}

/** The ids of a list's services, in its order. */
export async function listed(app: TestApp, url: string): Promise<string[]> {
  const answer = await app.rest('GET', url);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.map((service: { service_id: number }) => String(service.service_id));
}

const feedback = {
  name: 'Feedback',
  type: 'single-valued',
  attributes: [
    { name: 'FeedbackType', type: 'string', length: 32, mandatory: true },
    { name: 'rating', type: 'integer' },
    { name: 'notes', type: 'string' },
  ],
};

const satisfaction = {
  name: 'Satisfaction',
  type: 'multi-valued',
  attributes: [
    { name: 'rating', type: 'integer' },
    { name: 'pertinence', type: 'integer' },
    { name: 'useful', type: 'boolean' },
    { name: 'place', type: 'string' },
  ],
  unique: ['place'],
};

/** Defines the extensions that the published examples take for given. */
export async function defineExtensions(app: TestApp): Promise<void> {
  for (const body of [feedback, satisfaction]) {
    const { status } = await app.rest('POST', `${bare}/metadata/services/extensions`, { body });
    expect(status).toBe(201);
  }
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const exceptions: Record<string, string> = {
  INVALID: 'BadRequestException',
  NOT_FOUND: 'NotFoundException',
  METHOD_NOT_ALLOWED: 'MethodNotAllowedException',
  CONFLICT: 'ConflictException',
  TOO_LARGE: 'RequestTooLargeException',
  UNSUPPORTED_MEDIA_TYPE: 'UnsupportedMediaTypeException',
  INTERNAL: 'InternalErrorException',
  UNAVAILABLE: 'ServiceUnavailableException',
};

export type Problem = { status: number; code: string; errors?: unknown[]; detail?: unknown };

/** Every member of an error's body; `errors` as given, `detail` any sentence unless given. */
export function expectProblem(answer: Answer, { status, code, errors = [], detail }: Problem): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.json).toEqual({
    type: 'about:blank',
    title: titles[status],
    status,
    code,
    detail: detail ?? expect.stringMatching(/\w/),
    errors,
    message: answer.json.detail,
    exception: `com.genesyslab.gsg.services.contextservices.exceptions.${exceptions[code]}`,
  });
  // Nothing of the workings shows.
  expect(answer.text).not.toMatch(
    /[Pp]risma|select |\.ts:|(customer|service)Id|contactKey|serviceType|estDuration/,
  );
}
