import type { ErrorCode } from './generated/operations.js';

/** One of the errors of an answer, as GraphQL has them. */
export type ReportedError = {
  message: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string; [member: string]: unknown };
};

/** What is known of the answer that a failure came in. */
export type AnswerFacts = {
  status: number;
  /** Also in the gateway's log. */
  requestId: string | undefined;
  /** When it says that it can be asked again. */
  retryAfterSeconds: number | undefined;
};

/**
 * The gateway answered a call with errors: the credentials or the document are wrong, or it cannot serve now.
 * `OUTCOME_UNKNOWN` leaves open whether something was changed.
 */
export class CallRefused extends Error implements AnswerFacts {
  override readonly name = 'CallRefused';
  /** Of the first error, like `UNAUTHENTICATED`, `INVALID` or `UNAVAILABLE`. */
  readonly code: string;
  readonly errors: readonly ReportedError[];
  /** What there is of the answer nevertheless. */
  readonly partialResult: unknown;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(errors: readonly ReportedError[], partialResult: unknown, facts: AnswerFacts) {
    super(errors.map(({ message }) => message).join('; '));
    this.errors = errors;
    this.code = errors[0]?.extensions?.code ?? 'UNKNOWN';
    this.partialResult = partialResult;
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** Nothing came back that is an answer of a gateway: the network failed, the time was over, or a proxy answered. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Of what came instead, if anything did. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    { status, retryAfterSeconds, cause }: Partial<AnswerFacts> & { cause?: unknown },
  ) {
    super(message, { cause });
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** One rule that an input breaks. */
export type InputFault = { path: string; message: string; allowed: readonly string[] | null };

type Failure = {
  code: ErrorCode;
  message: string;
  faults?: readonly InputFault[];
  currentVersion?: number | null;
};

/** A mutation was answered with why it changed nothing. */
export class ActRefused extends Error {
  override readonly name = 'ActRefused';
  readonly code: ErrorCode;
  /** What is wrong with the input, all of it at once. */
  readonly faults: readonly InputFault[];
  /** The version that the service has, where another one was expected. */
  readonly currentVersion: number | undefined;

  constructor({ code, message, faults, currentVersion }: Failure) {
    super(message);
    this.code = code;
    this.faults = faults ?? [];
    this.currentVersion = currentVersion ?? undefined;
  }
}

/** The result of a mutation without the ways in which it can be refused. */
export type PayloadOf<Result> = Exclude<Result, { code: string; message: string }>;

/** @throws ActRefused */
export function payloadOf<Result extends object>(result: Result): PayloadOf<Result> {
  if (isFailure(result)) throw new ActRefused(result);
  // That is what is left, also where the compiler cannot tell.
  return result as PayloadOf<Result>;
}

/** Of whatever type: a newer gateway may know of more than these documents do. */
function isFailure(result: object): result is Failure {
  return 'code' in result && 'message' in result;
}
