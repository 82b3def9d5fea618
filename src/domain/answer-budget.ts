import { AnswerTooLarge } from '../errors.js';

/** Of what is read for one answer, and once more of what is shown of it: it may be shown under several names. */
export const mostAnswerBytes = 32 * 1024 * 1024;

/** About what a service, a state or a task takes without its extensions. */
export const rowBytes = 512;

/** How much one call may yet read and show, over all its statements. */
export class AnswerBudget {
  #read = 0;
  #shown = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** How much may yet be read; negative once too much was. */
  get room(): number {
    return mostAnswerBytes - this.#read;
  }

  /** How many states or tasks to ask for: one more than may be read tells that there are too many. */
  take(limit = Number.POSITIVE_INFINITY): number {
    return Math.min(limit, Math.max(0, Math.floor(this.room / rowBytes)) + 1);
  }

  /** @throws AnswerTooLarge */
  read(bytes: number): void {
    this.#read += bytes;
    refuseBeyond(this.#read);
  }

  /** @throws AnswerTooLarge */
  show(bytes: number): void {
    this.#shown += bytes;
    refuseBeyond(this.#shown);
  }

  /**
   * Reads what may be large, one after the other, so that each read knows what the others have left.
   * @throws AnswerTooLarge when they have left nothing
   */
  inTurn<T>(read: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      refuseBeyond(this.#read);
      return read();
    });
    // Each caller is told of its own failure.
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function refuseBeyond(bytes: number): void {
  if (bytes > mostAnswerBytes) throw new AnswerTooLarge(mostAnswerBytes);
}
