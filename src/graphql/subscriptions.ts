import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  getOperationAST,
  parse,
  print,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '../context.js';
import { asGraphqlError, type Presentation, presentStreamed } from './failures.js';
import { acceptsStream } from './media-types.js';
import { isLeftOut, PerOperation, selectedIn } from './selections.js';

/** What an operation knows of its call that takes more than one answer. */
export type Renewal = {
  /** The same call anew: whether its credentials still hold, and what is served to it now. */
  renew: () => Promise<RequestContext>;
  /** Gets what ends the answers, before that is on its way. */
  onEnd?: (errors: readonly GraphQLError[]) => void;
};

type Context = RequestContext & Presentation & Renewal & { request?: Request; params?: unknown };

/** Runs subscriptions, each event of which is answered like a call of its own. */
export const runSubscriptions: Plugin<object, Context> = {
  onSubscribe({ args, setSubscribeFn, setResultAndStopExecution }) {
    const { request } = contextOf(args);
    // Otherwise Yoga would leave it running, for nobody.
    if (request && !acceptsStream(request.headers.get('accept') ?? undefined))
      setResultAndStopExecution({ errors: [notAcceptable()] });
    else if (asksForNothing.of(args)) setResultAndStopExecution({ errors: [nothingAskedFor()] });
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

/** By its text alone: conditions that depend on variables are not allowed where a subscription begins. */
const asksForNothing = new PerOperation((operation, document, schema) =>
  selectedIn(schema, document, operation).every(({ conditions }) => isLeftOut(conditions, {})),
);

/** Executed, it would fail as if the gateway were at fault. */
function nothingAskedFor(): GraphQLError {
  return new GraphQLError('The subscription leaves out the only field that it has.');
}

async function subscribe(given: ExecutionArgs): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
  const args = withoutRequest(given);
  const source = await createSourceEventStream(args);
  return Symbol.asyncIterator in source ? new Answers(source[Symbol.asyncIterator](), args) : source;
}

/**
 * Takes what is in it away, also from others that hold it for as long as a subscription lasts, which has by then
 * what it needs: what comes along with that may be a thousand times as much.
 */
export function forget(request: object): void {
  for (const name of Object.keys(request)) Reflect.deleteProperty(request, name);
}

/** Most of a text that is longer than this is neither names nor values. */
const longestText = 32 * 1024;

/** What is parsed keeps the whole text. */
export function withoutComments(document: DocumentNode): DocumentNode {
  const isLong = (document.loc?.source.body.length ?? 0) > longestText;
  return isLong ? parse(print(document)) : document;
}

/** What a subscription goes on with. */
function withoutRequest({ document, variableValues, ...args }: ExecutionArgs): ExecutionArgs {
  const { request: _request, params: _params, ...contextValue } = contextOf({ document, ...args });
  const given = variableValues ?? {};
  const { variableDefinitions = [] } = getOperationAST(document, args.operationName) ?? {};
  const declared = variableDefinitions.map(({ variable }) => variable.name.value);
  const known = declared.filter((name) => Object.hasOwn(given, name)).map((name) => [name, given[name]]);
  return {
    ...args,
    contextValue,
    document: withoutComments(document),
    variableValues: Object.fromEntries(known),
  };
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
    const context = contextOf(this.#args);
    if (!result.data) {
      context.onEnd?.(result.errors ?? []);
      await this.return();
    }
    return { value: presentStreamed(result, context), done: false };
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
      return await execute({ ...this.#args, rootValue, contextValue });
    } catch (error) {
      return { errors: [asGraphqlError(error)] };
    }
  }
}
