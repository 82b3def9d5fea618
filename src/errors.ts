/** Where in the input a fault lies, in the domain's names; each front spells it in its own. */
export type Path = readonly (string | number)[];

export type Fault = {
  path: Path;
  /** The rule that was broken. */
  message: string;
  /** The values that would have been accepted, where they are a closed list. */
  allowed?: readonly string[];
  /** The name at the end of the path is at fault, not what it names. */
  isOfName?: true;
  /** The fault is one of size alone. */
  isTooLarge?: true;
};

/** An expected failure. Each front maps these once; whatever else is thrown is a bug. */
export abstract class DomainError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** What the caller named does not exist. */
export class NotFound extends DomainError {
  readonly code = 'NOT_FOUND';
}

/** More than anybody reads: a body can hold more faults than the answer should have bytes. */
const mostFaults = 100;

/** The input breaks rules. */
export class Invalid extends DomainError {
  readonly code: 'INVALID' | 'TOO_LARGE';
  /** Every fault, or the first of very many. */
  readonly faults: readonly Fault[];
  /** How many faults are not listed. */
  readonly omitted: number;

  constructor(faults: readonly Fault[]) {
    const listed = faults.slice(0, mostFaults);
    const omitted = faults.length - listed.length;
    super(
      sentences(
        listed.map(({ path, message }) => ({ path: formatPath(path), message })),
        omitted,
      ),
    );
    this.faults = listed;
    this.omitted = omitted;
    this.code = faults.every((fault) => fault.isTooLarge) ? 'TOO_LARGE' : 'INVALID';
  }
}

/** `a: must be a string; b: is required; and 3 more` */
export function sentences(faults: readonly { path: string; message: string }[], omitted = 0): string {
  const listed = faults.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return omitted > 0 ? `${listed}; and ${omitted} more` : listed;
}

/** What was there once and is kept no longer: events that the caller has yet to read. */
export class Gone extends DomainError {
  readonly code = 'GONE';
}

/** More is asked for than one answer may hold. Nothing was changed, unless it is said. */
export class AnswerTooLarge extends DomainError {
  readonly code = 'LIMIT_EXCEEDED';
  readonly allowedBytes: number;

  constructor(allowedBytes: number, advice = 'ask for smaller pages, or for less of each item.') {
    super(
      `The answer would have more than ${allowedBytes / 1024 / 1024} MiB, the most that is allowed: ${advice}`,
    );
    this.allowedBytes = allowedBytes;
  }

  /** The same where something was changed before it was to be shown. */
  afterAct(): AnswerTooLarge {
    return new AnswerTooLarge(this.allowedBytes, 'what was changed stays so, ask for it by queries.');
  }
}

/** The input is well formed, but not possible in the present state. */
export class Conflict extends DomainError {
  readonly code: 'CONFLICT' | 'STALE_VERSION' | 'IDEMPOTENCY_KEY_REUSED' = 'CONFLICT';
  /** The version that the service has, where it is not the one expected. */
  readonly currentVersion: number | undefined = undefined;
}

/** The service has another version than the caller expected. */
export class StaleVersion extends Conflict {
  override readonly code = 'STALE_VERSION';
  override readonly currentVersion: number;

  constructor(serviceId: bigint, currentVersion: number, expectedVersion: number) {
    super(`Service ${serviceId} has version ${currentVersion}, not ${expectedVersion}.`);
    this.currentVersion = currentVersion;
  }
}

/** The idempotency key belongs to another command. */
export class IdempotencyKeyReused extends Conflict {
  override readonly code = 'IDEMPOTENCY_KEY_REUSED';
}

/** The credentials are missing or wrong. */
export class Unauthenticated extends DomainError {
  readonly code = 'UNAUTHENTICATED';
}

/** The credentials hold, but do not allow that. Nothing was changed. */
export class Forbidden extends DomainError {
  readonly code = 'FORBIDDEN';
}

/** The caller has called too often. Nothing was changed. */
export class RateLimited extends DomainError {
  readonly code = 'RATE_LIMITED';
}

/** What the caller follows comes faster than it is taken. */
export class TooSlow extends DomainError {
  readonly code = 'TOO_SLOW';
}

/** The gateway cannot serve now. Nothing was changed. */
export class Unavailable extends DomainError {
  readonly code: 'UNAVAILABLE' | 'OUTCOME_UNKNOWN' = 'UNAVAILABLE';
  readonly retryAfterSeconds: number = 1;
  /** Whether somebody should look into it, each time. */
  readonly isTrouble: boolean = true;
}

/** All gateways are in maintenance: what reads or changes services has to wait. */
export class InMaintenance extends Unavailable {
  override readonly retryAfterSeconds = 30;
  override readonly isTrouble = false;
}

/** The gateway stops, and others may go on. */
export class Stopping extends Unavailable {
  override readonly isTrouble = false;
}

/** More calls come than the gateway can serve. */
export class Overloaded extends Unavailable {
  override readonly isTrouble = false;
}

/** The connection broke while a write was in flight: it may or may not have been committed. */
export class OutcomeUnknown extends Unavailable {
  override readonly code = 'OUTCOME_UNKNOWN';
}

/** What keeps the gateway from starting until somebody mends it; the message says what to do. */
export class OperatorError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** `['extensions', 'Satisfaction', 1, 'rating']` → `extensions.Satisfaction[1].rating`; an empty name is `""`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = step === '' ? '""' : step;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}
