import { finished } from 'node:stream';
import type { preHandlerHookHandler } from 'fastify';
import { Overloaded } from './errors.js';
import type { Logger } from './logger.js';

/** So many at once are always let in: when nobody came for a while, nothing is known of the pace. */
const fewest = 256;

/**
 * Refuses calls that would wait for longer than about a second: those that come while more are in flight
 * than were answered within one. What is let in is served as fast as ever; the rest can come again.
 */
export class Admission {
  readonly #logger: Logger;
  #inFlight = 0;
  /** Of the clock, and what was answered in it so far and in the one before. */
  #second = 0;
  #answered = 0;
  #answeredBefore = 0;
  #refused = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Whether one more is let in. */
  enter(): boolean {
    this.#turn();
    const isAdmitted = this.#inFlight < Math.max(fewest, this.#answered, this.#answeredBefore);
    if (isAdmitted) this.#inFlight += 1;
    else this.#refused += 1;
    return isAdmitted;
  }

  /** @param isAnswered what its caller gave up says nothing of the pace */
  leave(isAnswered: boolean): void {
    this.#turn();
    this.#inFlight -= 1;
    if (isAnswered) this.#answered += 1;
  }

  #turn(): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second === this.#second) return;
    if (this.#refused > 0)
      this.#logger.warn({ refused: this.#refused }, 'more calls came than could be served');
    this.#answeredBefore = second === this.#second + 1 ? this.#answered : 0;
    this.#second = second;
    this.#answered = 0;
    this.#refused = 0;
  }
}

/**
 * To be asked when the body of a call is there: whoever sends one slowly takes nobody's place. How the
 * gateway does can be asked at any time.
 */
export function admit(admission: Admission): preHandlerHookHandler {
  return ({ routeOptions }, reply, done) => {
    if (routeOptions.url?.endsWith('/server/status')) return done();
    if (!admission.enter())
      return done(new Overloaded('More calls come than can be served in time: try again.'));
    finished(reply.raw, (error) => admission.leave(!error));
    done();
  };
}
