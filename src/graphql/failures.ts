import type { FastifyBaseLogger } from 'fastify';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { asUnavailable, brokenOff } from '../db/failures.js';
import {
  AnswerTooLarge,
  DomainError,
  type Fault,
  formatPath,
  Invalid,
  OutcomeUnknown,
  Unauthenticated,
  Unavailable,
} from '../errors.js';
import type { Outcome } from './outcomes.js';

/** How errors are shown, and where it is noted what they are. */
export type Presentation = { hasSuggestions: boolean; log: FastifyBaseLogger; outcome: Outcome };

/** The result with its errors as the caller sees them. */
export function presentResult(
  result: ExecutionResult,
  { log, hasSuggestions, outcome }: Presentation,
): ExecutionResult {
  if (!result.errors) return result;
  const errors = result.errors.map((error) => presentError(error, log, outcome));
  outcome.code ??= String(errors[0]?.extensions['code'] ?? 'INVALID');
  return { ...result, errors: hasSuggestions ? errors : errors.map(withoutSuggestion) };
}

/** Once an answer has begun there are no statuses and no headers any more. */
export function presentStreamed(result: ExecutionResult, presentation: Presentation): ExecutionResult {
  const presented = presentResult(result, presentation);
  for (const { extensions } of presented.errors ?? []) delete extensions['http'];
  return presented;
}

/**
 * A failure outside the result unions, as the caller sees it. What GraphQL found in the document
 * or its variables passes, an expected failure gets its code, and anything else is masked.
 * @param log gets what is masked, and what the database does not let be done
 * @param outcome what the operation has done by then, if there is one
 */
export function presentError(error: unknown, log: FastifyBaseLogger, outcome?: Outcome): GraphQLError {
  const cause = causeOf(error);
  const known = outcome?.hasActed ? failureAfterAct(cause) : expectedFailure(cause);
  if (!known && cause instanceof GraphQLError)
    return asReported(error instanceof GraphQLError ? error : cause);

  if (!known) log.error({ err: cause }, 'unexpected error');
  if (known instanceof Unavailable && known.isTrouble) log.warn({ err: known }, 'unavailable');
  const place = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  return new GraphQLError(known?.message ?? 'Unexpected error.', {
    ...place,
    extensions: known
      ? extensionsOf(known)
      : { code: 'INTERNAL', ...(place.path ? {} : { http: { status: 500 } }) },
  });
}

/** What of the expected failures an error stands for, however it is wrapped. */
export function expectedFailure(error: unknown): DomainError | undefined {
  const cause = causeOf(error);
  return cause instanceof DomainError ? cause : asUnavailable(cause);
}

/** A change that was made, by the field itself or by one before it, may not look as if it were not. */
function failureAfterAct(cause: unknown): DomainError | undefined {
  const known = expectedFailure(cause);
  if (known instanceof AnswerTooLarge) return known.afterAct();
  return known instanceof Unavailable ? new OutcomeUnknown(brokenOff, { cause: known }) : known;
}

/** Whatever was thrown, in the form in which GraphQL hands errors on. */
export function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error('Something that is no error was thrown.');
  return new GraphQLError(originalError.message, { originalError });
}

/** The error without the names of the schema that come closest, in which GraphQL's own messages end. */
function withoutSuggestion(error: GraphQLError): GraphQLError {
  const at = error.message.lastIndexOf(' Did you mean ');
  if (at > 0 && error.message.endsWith('?')) error.message = error.message.slice(0, at);
  return error;
}

/** What lies below the errors that GraphQL wraps around it. */
function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? causeOf(error.originalError) : error;
}

/** The code of documents that are too large. */
export const limitExceeded = 'LIMIT_EXCEEDED';

/** GraphQL gives no code of its own to a value that does not fit its type. */
function asReported(error: GraphQLError): GraphQLError {
  error.extensions['code'] ??= 'INVALID';
  // Yoga lets those who accept application/json have 200 for whatever fails before it is executed.
  if (error.extensions['code'] === limitExceeded) error.extensions['http'] = { status: 400 };
  return error;
}

/** Not Basic, though that is taken: a browser that asks for a password sends it along from every page. */
const challenge = 'Bearer realm="context-gateway"';

function extensionsOf(error: DomainError): Record<string, unknown> {
  const { code } = error;
  if (error instanceof Unavailable) {
    return { code, http: { status: 503, headers: { 'retry-after': String(error.retryAfterSeconds) } } };
  }
  if (error instanceof Unauthenticated) {
    return { code, http: { status: 401, headers: { 'www-authenticate': challenge } } };
  }
  if (error instanceof AnswerTooLarge) return { code, limit: 'bytes', allowed: error.allowedBytes };
  return error instanceof Invalid ? { code, faults: presentFaults(error) } : { code };
}

export type PresentedFault = { path: string; message: string; allowed: readonly string[] | undefined };

/** Faults with their paths as this front spells them, which is as the domain does. */
export function presentFaults({ faults }: { faults: readonly Fault[] }): PresentedFault[] {
  return faults.map(({ path, message, allowed }) => ({ path: formatPath(path), message, allowed }));
}
