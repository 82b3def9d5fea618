import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asUnavailable } from '../db/failures.js';
import {
  AnswerTooLarge,
  DomainError,
  type Fault,
  formatPath,
  Invalid,
  sentences,
  Unauthenticated,
  Unavailable,
} from '../errors.js';
import { MalformedBody } from '../json.js';
import { asTimedOut } from '../timeouts.js';
import { accepts } from './accept.js';
import { legacyPath } from './names.js';

/** The path is there, but not with that method. */
export class MethodNotAllowed extends DomainError {
  readonly code = 'METHOD_NOT_ALLOWED';
}

/** The 8.5 answer to the deletion of a service that there is not. */
export class NoServiceToDelete extends DomainError {
  readonly code = 'NO_SERVICE_TO_DELETE';
}

/** Each code with its status and with the class that old clients know errors by (legacy contract, errors). */
const kinds = {
  INVALID: { status: 400, exception: 'BadRequestException' },
  UNAUTHENTICATED: { status: 401, exception: 'UnauthorizedException' },
  FORBIDDEN: { status: 403, exception: 'ForbiddenException' },
  NO_SERVICE_TO_DELETE: { status: 400, exception: 'NotFoundException' },
  NOT_FOUND: { status: 404, exception: 'NotFoundException' },
  METHOD_NOT_ALLOWED: { status: 405, exception: 'MethodNotAllowedException' },
  REQUEST_TIMEOUT: { status: 408, exception: 'RequestTimeoutException' },
  CONFLICT: { status: 409, exception: 'ConflictException' },
  GONE: { status: 410, exception: 'GoneException' },
  STALE_VERSION: { status: 412, exception: 'PreconditionFailedException' },
  TOO_LARGE: { status: 413, exception: 'RequestTooLargeException' },
  EXPECTATION_FAILED: { status: 417, exception: 'ExpectationFailedException' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, exception: 'UnprocessableEntityException' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, exception: 'UnsupportedMediaTypeException' },
  RATE_LIMITED: { status: 429, exception: 'TooManyRequestsException' },
  HEADERS_TOO_LARGE: { status: 431, exception: 'RequestHeadersTooLargeException' },
  INTERNAL: { status: 500, exception: 'InternalErrorException' },
  UNAVAILABLE: { status: 503, exception: 'ServiceUnavailableException' },
  OUTCOME_UNKNOWN: { status: 503, exception: 'ServiceUnavailableException' },
};

/** The codes that answers of a status can have. */
export function codesOf(status: number): readonly string[] {
  return Object.entries(kinds).flatMap(([code, kind]) => (kind.status === status ? [code] : []));
}

type Code = keyof typeof kinds;
type WireFault = { path: string; message: string; allowed?: readonly string[] };
type Problem = { code: Code; detail: string; errors: readonly WireFault[] };

/** What to send; some old clients send a password only where they are asked for one. */
const challenge = 'Bearer realm="context-gateway", Basic realm="context-gateway", charset="UTF-8"';

/** Answers whatever was thrown, in the one shape that errors have (legacy contract, errors). */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error =
    thrown instanceof DomainError
      ? thrown
      : (asTimedOut(thrown, !['GET', 'HEAD'].includes(request.method)) ?? asUnavailable(thrown) ?? thrown);
  const problem = problemOf(error);
  request.failure = problem.code;
  if (problem.code === 'INTERNAL') request.log.error({ err: error }, 'a call failed');
  if (error instanceof Unauthenticated) reply.header('www-authenticate', challenge);
  if (error instanceof Unavailable) {
    if (error.isTrouble) request.log.warn({ err: error }, 'a call could not be served');
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  reply
    .code(kinds[problem.code].status)
    .type(contentTypeFor(request))
    .send(JSON.stringify(wire(problem)));
}

function problemOf(error: unknown): Problem {
  if (error instanceof Invalid) return invalid(error);
  if (error instanceof AnswerTooLarge) return needsLimit(error);
  if (error instanceof DomainError && isCode(error.code)) {
    return { code: error.code, detail: error.message, errors: [] };
  }
  return refusedByFastify(error) ?? { code: 'INTERNAL', detail: 'The call failed.', errors: [] };
}

/** Lists are as long as there are items, unless it is said otherwise. */
function needsLimit({ allowedBytes }: AnswerTooLarge): Problem {
  const most = `${allowedBytes / 1024 / 1024} MiB`;
  const message = `must be given, or be smaller: the answer would have more than ${most}, the most that is allowed`;
  return invalid(new Invalid([{ path: ['limit'], message }]));
}

function isCode(code: string): code is Code {
  return Object.hasOwn(kinds, code);
}

function invalid(error: Invalid): Problem {
  const spell = error instanceof MalformedBody ? (fault: Fault) => formatPath(fault.path) : legacyPath;
  const errors = error.faults.map((fault) => wireFault(fault, spell(fault)));
  return { code: error.code, detail: sentences(errors, error.omitted), errors };
}

function wireFault({ message, allowed }: Fault, path: string): WireFault {
  return allowed ? { path, message, allowed } : { path, message };
}

/** What Fastify finds wrong with a request before any operation sees it; undefined for its own faults. */
function refusedByFastify(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const status = Number(error.statusCode);
  if (!(status >= 400 && status < 500)) return undefined;
  const unnamed: Refusal = { code: 'INVALID', path: 'request', message: error.message };
  const { code, ...fault } = refusals.get(Reflect.get(error, 'code')) ?? refusals.get(status) ?? unnamed;
  return { code, detail: sentences([fault]), errors: [fault] };
}

export type Refusal = WireFault & { code: Code };

/** By Fastify's code or, where several have one meaning, by the status. */
const refusals: ReadonlyMap<unknown, Refusal> = new Map([
  ['FST_ERR_BAD_URL', { code: 'INVALID', path: 'url', message: 'must be percent-encoded UTF-8' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'INVALID', path: 'url', message: 'has a part that is too long' }],
  [413, { code: 'TOO_LARGE', path: 'body', message: 'is too large' }],
  [415, { code: 'UNSUPPORTED_MEDIA_TYPE', path: 'Content-Type', message: 'must be application/json' }],
] as [unknown, Refusal][]);

function contentTypeFor(request: FastifyRequest): string {
  return accepts(request, 'application/problem+json') ? 'application/problem+json' : 'application/json';
}

/** The same of what is no request that any operation could see. */
export function problemText(refusal: Refusal): { status: number; text: string } {
  const { code, ...fault } = refusal;
  const text = JSON.stringify(wire({ code, detail: sentences([fault]), errors: [fault] }));
  return { status: kinds[code].status, text };
}

/** RFC 9457, and the members that 8.5 answers: `message` and `exception`. */
function wire({ code, detail, errors }: Problem): object {
  const { status, exception } = kinds[code];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail,
    code,
    errors,
    message: detail,
    exception: `com.genesyslab.gsg.services.contextservices.exceptions.${exception}`,
  };
}
