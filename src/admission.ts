import { finished } from 'node:stream';
import type { onRequestHookHandler } from 'fastify';
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

  /** @throws Overloaded */
  enter(): void {
    this.#turn();
    if (this.#inFlight >= Math.max(fewest, this.#answered, this.#answeredBefore)) {
      this.#refused += 1;
      throw new Overloaded('More calls come than can be served in time: try again.');
    }
    this.#inFlight += 1;
  }

  leave(): void {
    this.#turn();
    this.#inFlight -= 1;
    this.#answered += 1;
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

/** To be asked before anything else is done for a call. */
export function admit(admission: Admission): onRequestHookHandler {
  return (_request, reply, done) => {
    try {
      admission.enter();
    } catch (error) {
      return done(error as Overloaded);
    }
    finished(reply.raw, () => admission.leave());
    done();
  };
}
