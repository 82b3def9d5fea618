import { CallRefused, NoAnswer } from './failures.js';
import { pause, pauseAfter } from './retries.js';

/** What tells its place, so that one can go on behind it. */
export type Placed = Record<string, { cursor: string }>;

export type Resumable<Result> = {
  /** Opens the stream behind a cursor. */
  open: (after: string | null | undefined) => AsyncIterable<Result>;
  after: string | null | undefined;
  signal: AbortSignal;
  onInterruption: ((reason: CallRefused | NoAnswer) => void) | undefined;
};

/**
 * The answers of one stream after the other, each opened behind the last answer of the one before.
 * @throws what a stream cannot be opened for, and the reason of the signal
 */
export async function* resumed<Result extends Placed>(
  stream: Resumable<Result>,
): AsyncGenerator<Result, never> {
  let { after } = stream;
  for (let failures = 0; ; failures++) {
    try {
      for await (const answer of stream.open(after)) {
        failures = 0;
        after = Object.values(answer)[0]?.cursor ?? after;
        yield answer;
      }
      throw new NoAnswer('The gateway ended the subscription.', {});
    } catch (error) {
      stream.signal.throwIfAborted();
      const milliseconds = hasExpired(error) ? 0 : pauseAfter(error, failures);
      if (!isFailure(error) || !Number.isFinite(milliseconds)) throw error;
      stream.onInterruption?.(error);
      await pause(milliseconds, stream.signal);
      stream.signal.throwIfAborted();
    }
  }
}

/** Credentials that held when the stream was opened: whether there are newer ones shows when it is opened again. */
function hasExpired(error: unknown): boolean {
  return error instanceof CallRefused && error.code === 'UNAUTHENTICATED' && error.status === 200;
}

function isFailure(error: unknown): error is CallRefused | NoAnswer {
  return error instanceof CallRefused || error instanceof NoAnswer;
}
