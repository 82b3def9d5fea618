import { CallRefused, NoAnswer } from './failures.js';

export type Patience = {
  /** How often at most a call is repeated. */
  retries: number;
  /** The time when it has to be done, in ms. */
  deadline: number;
  signal: AbortSignal;
};

/** Repeats a call that changes nothing, or the same once, as long as it may turn out better. */
export async function withRetries<T>(
  send: () => Promise<T>,
  { retries, deadline, signal }: Patience,
): Promise<T> {
  for (let repeated = 0; ; repeated++) {
    try {
      return await send();
    } catch (error) {
      const milliseconds = pauseAfter(error, repeated);
      if (repeated >= retries || signal.aborted || Date.now() + milliseconds > deadline) throw error;
      await pause(milliseconds, signal);
    }
  }
}

const passingCodes = ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'RATE_LIMITED', 'TOO_SLOW'];
const passingStatuses = [undefined, 502, 503, 504];

const longestPauseMilliseconds = 10_000;
/** However long it is asked for: there are no timers of more than 24 days, and they would be over at once. */
const mostAskedMilliseconds = 60 * 60 * 1000;

/**
 * How long to wait before the next attempt, in milliseconds; for ever after what does not pass.
 * @param repeated how many attempts there were before
 */
export function pauseAfter(error: unknown, repeated: number): number {
  const isPassing =
    (error instanceof CallRefused && passingCodes.includes(error.code)) ||
    (error instanceof NoAnswer && passingStatuses.includes(error.status));
  if (!isPassing) return Number.POSITIVE_INFINITY;
  if (error.retryAfterSeconds !== undefined) {
    return Math.min(error.retryAfterSeconds * 1000, mostAskedMilliseconds);
  }
  // Those who failed together are not to come back together.
  return (0.5 + Math.random()) * Math.min(100 * 2 ** repeated, longestPauseMilliseconds);
}

/** @returns when it is over or the signal says so */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
