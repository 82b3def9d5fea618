import type {
  FastifyReply,
  onRequestAsyncHookHandler,
  onRouteHookHandler,
  RouteHandlerMethod,
} from 'fastify';
import { OutcomeUnknown, Unavailable } from './errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the answer takes as long as who reads it. */
    isEndless?: boolean;
  }
}

export type Timeouts = {
  /** Of a request, from its headers to its answer. */
  requestSeconds: number;
  /** Of one statement, which PostgreSQL ends by itself. */
  statementSeconds: number;
};

/** A call has taken too long. */
class TimedOut extends Error {}

/**
 * What was ended since it took too long, as the failure that it is to the caller; undefined for other errors.
 * @param mayHaveChanged whether the call was one that can change anything
 */
export function asTimedOut(error: unknown, mayHaveChanged: boolean): Unavailable | undefined {
  if (!(error instanceof TimedOut)) return undefined;
  if (!mayHaveChanged) return new Unavailable('The call has taken too long.', { cause: error });
  const message = 'The call has taken too long: a change may or may not have been made.';
  return new OutcomeUnknown(message, { cause: error });
}

/**
 * Answers calls whose handlers take too long. There is one timer for all: one for each, and a signal, as
 * Fastify would have them, take a tenth of the time of a short call.
 */
export function limitTime({ requestSeconds }: Timeouts): onRouteHookHandler {
  const deadlines = new Deadlines(requestSeconds * 1000);
  return (route) => {
    if (route.config?.isEndless) return;
    const { handler, onRequest } = route;
    route.handler = timed(deadlines, handler, 'last');
    // Those of routes are asynchronous, and one each: they take no callback.
    if (typeof onRequest === 'function')
      route.onRequest = timed(
        deadlines,
        onRequest as RouteHandlerMethod,
        'first',
      ) as onRequestAsyncHookHandler;
  };
}

/** The time of a call begins with the first step of its route, and ends with the last one, or with one that fails. */
function timed(deadlines: Deadlines, step: RouteHandlerMethod, which: 'first' | 'last'): RouteHandlerMethod {
  return function (request, reply) {
    deadlines.add(reply);
    const done = () => deadlines.delete(reply);
    try {
      const outcome: unknown = step.call(this, request, reply);
      if (outcome instanceof Promise) outcome.then(which === 'last' ? done : undefined, done);
      else if (which === 'last') done();
      return outcome;
    } catch (error) {
      done();
      throw error;
    }
  };
}

class Deadlines {
  readonly #milliseconds: number;
  /** When each is due, in that order. */
  readonly #calls = new Map<FastifyReply, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** One that is there keeps its time. */
  add(reply: FastifyReply): void {
    if (this.#calls.has(reply)) return;
    this.#calls.set(reply, performance.now() + this.#milliseconds);
    if (!this.#timer) this.#timer = this.#endAfter(this.#milliseconds);
  }

  delete(reply: FastifyReply): void {
    this.#calls.delete(reply);
  }

  #endAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#endDue(), milliseconds).unref();
  }

  #endDue(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [reply, dueAt] of this.#calls) {
      if (dueAt > now) {
        this.#timer = this.#endAfter(dueAt - now);
        return;
      }
      this.#calls.delete(reply);
      // Of one whose body did not come there is nobody left to answer.
      if (!reply.sent && !reply.raw.destroyed) reply.send(new TimedOut('The call has taken too long.'));
    }
  }
}
