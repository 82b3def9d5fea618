import { codesOf } from '../problem.js';
import { array, integer, object, type Schema, text } from './schema.js';

export type Header = { readonly title: string; readonly description: string; readonly required?: true };

/** A response of OpenAPI; what has a title is a component of the document. */
export type Response = {
  readonly title?: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  /** By its media type. */
  readonly content?: Readonly<Record<string, Schema>>;
};

const headers = {
  'X-Request-Id': { title: 'RequestId', description: 'The name of the call.', required: true },
  ETag: { title: 'ETag', description: 'The version of the service, like `"7"`.', required: true },
  Location: { title: 'Location', description: 'Where what was started is.', required: true },
  Link: { title: 'Link', description: 'The address of the next page, `rel="next"`, where there is one.' },
  'Retry-After': { title: 'RetryAfter', description: 'In how many seconds to try again.', required: true },
  'Idempotency-Replayed': {
    title: 'IdempotencyReplayed',
    description: '`true` where the call acted before, with the same idempotency key, and not again.',
  },
  'Preference-Applied': {
    title: 'PreferenceApplied',
    description: '`return=representation` where the answer has a body for it.',
  },
  Allow: { title: 'Allow', description: 'The methods that the path takes.', required: true },
  'WWW-Authenticate': {
    title: 'Challenge',
    description: 'The kinds of credentials that are taken.',
    required: true,
  },
  'RateLimit-Limit': { title: 'RateLimit', description: 'How many calls are taken.', required: true },
  'RateLimit-Remaining': {
    title: 'RateLimitLeft',
    description: 'How many of them are left.',
    required: true,
  },
  'RateLimit-Reset': { title: 'RateLimitReset', description: 'In how many seconds.', required: true },
} as const satisfies Record<string, Header>;

export type HeaderName = keyof typeof headers;

/** An answer with these headers, and the one that all have. */
export function response(
  description: string,
  names: readonly HeaderName[] = [],
  content?: Schema | Response['content'],
): Response {
  const all = ['X-Request-Id', ...names] as const;
  return {
    description,
    headers: Object.fromEntries(all.map((name) => [name, headers[name]])),
    ...(content ? { content: isByType(content) ? content : { 'application/json': content } } : {}),
  };
}

function isByType(
  content: Schema | NonNullable<Response['content']>,
): content is NonNullable<Response['content']> {
  return Object.keys(content).every((name) => name.includes('/'));
}

/** The one shape of all errors (legacy contract, errors). */
export const problem: Schema = object(
  {
    type: { const: 'about:blank' },
    title: text(64, 1),
    status: integer(400, 599),
    detail: { type: 'string', description: 'All that is wrong, in one sentence.' },
    code: text(64, 1),
    errors: array(
      object(
        {
          path: { type: 'string', description: 'The field, like `Satisfaction[1].rating`.' },
          message: { type: 'string', description: 'The rule that it breaks.' },
          'allowed?': array(
            { type: 'string' },
            { description: 'What would be taken, where that is a list.' },
          ),
        },
        { title: 'Fault' },
      ),
      { description: 'Every fault of the input at once; at most 100.' },
    ),
    message: { type: 'string', description: 'As `detail`, where 8.5 has it.' },
    exception: { type: 'string', description: 'The class that 8.5 names.' },
  },
  { title: 'Problem' },
);

type Refusal = { title: string; when: string; headers?: readonly HeaderName[] };

const refusals = {
  400: { title: 'BadRequest', when: 'A body, a parameter or a header breaks a rule.' },
  401: { title: 'Unauthorized', when: 'Credentials are missing or wrong.', headers: ['WWW-Authenticate'] },
  403: {
    title: 'Forbidden',
    when: 'The role of the credentials is too small, or a page of another site calls.',
  },
  404: {
    title: 'NotFound',
    when: 'What the path names is not there, or what a call with the same idempotency key acted on is gone.',
  },
  405: {
    title: 'MethodNotAllowed',
    when: 'The path is there, but not with that method.',
    headers: ['Allow'],
  },
  408: { title: 'RequestTimeout', when: 'The request did not come in time. Nothing was done.' },
  409: { title: 'Conflict', when: 'Not possible as things are: what has ended, a name that is taken.' },
  410: { title: 'Gone', when: 'The cursor is older than the events that are kept.' },
  412: { title: 'PreconditionFailed', when: 'The service has another version than `If-Match` says.' },
  413: { title: 'TooLarge', when: 'The body has more than 1 MiB, or an extension more than it may.' },
  415: { title: 'UnsupportedMediaType', when: 'The body is something else than JSON.' },
  417: { title: 'ExpectationFailed', when: '`Expect` asks for something else than `100-continue`.' },
  422: { title: 'IdempotencyKeyReused', when: 'The idempotency key belongs to another call.' },
  429: {
    title: 'TooManyRequests',
    when: 'The caller has called too often.',
    headers: ['Retry-After', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
  },
  431: { title: 'HeadersTooLarge', when: 'The headers have more than 16 KiB.' },
  500: { title: 'InternalError', when: 'The gateway is at fault; its log says how.' },
  503: {
    title: 'Unavailable',
    when: 'The database cannot be reached, more calls come than can be served, or the server is in maintenance. After `OUTCOME_UNKNOWN` a change may have been made; after anything else it was not.',
    headers: ['Retry-After'],
  },
} as const satisfies Record<number, Refusal>;

export type RefusedStatus = keyof typeof refusals;

/** Where no operation has a code of its own for it. */
const ownCodes = ['NO_SERVICE_TO_DELETE'];

export function refusal(status: RefusedStatus): Response {
  const { title, when, headers: names = [] }: Refusal = refusals[status];
  const codes = codesOf(status).filter((code) => !ownCodes.includes(code));
  return { title, ...problemResponse(status, when, { codes, names }) };
}

/** Of the two types one is answered that `Accept` asks for, in the one shape. */
export function problemResponse(
  status: number,
  when: string,
  { codes, names = [] }: { codes: readonly string[]; names?: readonly HeaderName[] },
): Response {
  const own: Schema = { properties: { status: { const: status }, code: { enum: codes } } };
  const schema: Schema = { allOf: [problem, own] };
  const content = { 'application/json': schema, 'application/problem+json': schema };
  return response(`${when} \`code\` is ${codes.map((code) => `\`${code}\``).join(' or ')}.`, names, content);
}

/** What any call can be answered; what sends a body can be told more of it. */
export const ofEveryCall = [400, 401, 403, 408, 417, 429, 431, 500, 503] as const;
export const ofBodies = [413, 415] as const;
