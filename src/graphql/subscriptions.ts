import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '../context.js';
import { asGraphqlError, type Presentation, presentStreamed } from './failures.js';
import { acceptsStream } from './media-types.js';

/** What an operation knows of its call that takes more than one answer. */
export type Renewal = {
  /** The same call anew: whether its credentials still hold, and what is served to it now. */
  renew: () => Promise<RequestContext>;
};

type Context = RequestContext & Presentation & Renewal & { request?: Request };

/** Runs subscriptions, each event of which is answered like a call of its own. */
export const runSubscriptions: Plugin<object, Context> = {
  onSubscribe({ args, setSubscribeFn, setResultAndStopExecution }) {
    const { request } = contextOf(args);
    // Otherwise Yoga would leave it running, for nobody.
    if (request && !acceptsStream(request.headers.get('accept') ?? undefined))
      setResultAndStopExecution({ errors: [notAcceptable()] });
    setSubscribeFn(subscribe);
  },
};

/** As the endpoint has made it, and Yoga extended it. */
function contextOf({ contextValue }: ExecutionArgs): Context {
  return contextValue as Context;
}

function notAcceptable(): GraphQLError {
  return new GraphQLError('A subscription is answered as text/event-stream, which Accept must allow.', {
    extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406 } },
  });
}

async function subscribe(args: ExecutionArgs): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  return Symbol.asyncIterator in source ? new Answers(source[Symbol.asyncIterator](), args) : source;
}

/**
 * The answers to the events of one subscription, with their errors as the caller sees them. An event that could
 * not be told is the last one: whoever follows goes on behind the one before it.
 */
class Answers implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #events: AsyncIterator<unknown>;
  readonly #args: ExecutionArgs;
  #isOver = false;

  constructor(events: AsyncIterator<unknown>, args: ExecutionArgs) {
    this.#events = events;
    this.#args = args;
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const result = this.#isOver ? undefined : await this.#answerNext();
    if (!result) return { value: undefined, done: true };
    if (!result.data) await this.return();
    return { value: result, done: false };
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#isOver = true;
    await this.#events.return?.();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #answerNext(): Promise<ExecutionResult | undefined> {
    const context = contextOf(this.#args);
    try {
      const { value: rootValue, done } = await this.#events.next();
      if (done) return undefined;
      // What loads and what limits is of one answer alone.
      const contextValue = { ...context, ...(await context.renew()) };
      return presentStreamed(await execute({ ...this.#args, rootValue, contextValue }), context);
    } catch (error) {
      return presentStreamed({ errors: [asGraphqlError(error)] }, context);
    }
  }
}
