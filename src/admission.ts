import type { onRequestAsyncHookHandler, onRouteHookHandler, RouteHandlerMethod } from 'fastify';
import { DomainError, Overloaded, Unavailable } from './errors.js';
import type { Logger } from './logger.js';

/** So many at once are always let in: when nobody came for a while, nothing is known of the pace. */
const fewest = 256;

/**
 * Refuses calls that would wait for longer than about a second: those that come while more are in flight
 * than were served within one. What is let in is served as fast as ever; the rest can come again.
 */
export class Admission {
  readonly #logger: Logger;
  #inFlight = 0;
  /** Of the clock, and what was served in it so far and in the one before. */
  #second = 0;
  #served = 0;
  #servedBefore = 0;
  #refused = 0;
  #refusedInAll = 0;
  #abandonedInAll = 0;
  /** Of the event loop; it is counted on only while calls come. */
  #turn = 0;
  #isTurning = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many were not let in since there is the gateway. */
  get refusedInAll(): number {
    return this.#refusedInAll;
  }

  /** How many had nobody left to be answered when they were done. */
  get abandonedInAll(): number {
    return this.#abandonedInAll;
  }

  /** Lets one more in, and answers its ticket; undefined where it is not let in. */
  enter(): number | undefined {
    this.#tick();
    if (this.#inFlight >= Math.max(fewest, this.#served, this.#servedBefore)) {
      this.#refused += 1;
      this.#refusedInAll += 1;
      return undefined;
    }
    this.#inFlight += 1;
    return this.#currentTurn();
  }

  /**
   * What is done in the turn of the event loop in which it came has waited for nothing: however many of
   * those there are, they say nothing of how long the others wait.
   * @param isServed what was not done says nothing of the pace
   */
  leave(ticket: number, isServed: boolean): void {
    this.#tick();
    this.#inFlight -= 1;
    if (isServed && ticket !== this.#turn) this.#served += 1;
  }

  /** The caller of one that leaves has gone. */
  noteAbandoned(): void {
    this.#abandonedInAll += 1;
  }

  #currentTurn(): number {
    if (!this.#isTurning) {
      this.#isTurning = true;
      setImmediate(() => {
        this.#isTurning = false;
        this.#turn += 1;
      });
    }
    return this.#turn;
  }

  #tick(): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second === this.#second) return;
    if (this.#refused > 0)
      this.#logger.warn({ refused: this.#refused }, 'more calls came than could be served');
    this.#servedBefore = second === this.#second + 1 ? this.#served : 0;
    this.#second = second;
    this.#served = 0;
    this.#refused = 0;
  }
}

/**
 * Puts the admission before what routes look up first, so that whoever is refused is told at once, and before
 * their handlers, where the body of a call is there: whoever sends one slowly takes nobody's place. A call is in
 * flight until that is done, also when its caller has gone. How the gateway does can be asked at any time.
 */
export function admit(admission: Admission): onRouteHookHandler {
  return (route) => {
    if (route.config?.isAlwaysAdmitted || route.url.endsWith('/server/status')) return;
    const { handler, onRequest } = route;
    route.handler = admitted(admission, handler, true);
    // Those of routes are asynchronous, and one each: they take no callback.
    if (typeof onRequest === 'function')
      route.onRequest = admitted(
        admission,
        onRequest as RouteHandlerMethod,
        false,
      ) as onRequestAsyncHookHandler;
  };
}

/** @param isWork whether it says anything of the pace */
function admitted(admission: Admission, act: RouteHandlerMethod, isWork: boolean): RouteHandlerMethod {
  return function (request, reply) {
    const ticket = admission.enter();
    if (ticket === undefined) return Promise.reject(overloaded());
    const leave = (isServed: boolean) => {
      if (isWork && reply.raw.destroyed) admission.noteAbandoned();
      admission.leave(ticket, isWork && isServed);
    };
    const done = () => leave(true);
    const failed = (error: unknown) => leave(isAnswer(error));
    try {
      const outcome: unknown = act.call(this, request, reply);
      if (outcome instanceof Promise) outcome.then(done, failed);
      else done();
      return outcome;
    } catch (error) {
      failed(error);
      throw error;
    }
  };
}

function overloaded(): Overloaded {
  return new Overloaded('More calls come than can be served in time: try again.');
}

/** Whether the call was done, if only to find out that it cannot be. */
function isAnswer(error: unknown): boolean {
  return error instanceof DomainError && !(error instanceof Unavailable);
}
