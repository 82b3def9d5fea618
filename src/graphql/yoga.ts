import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { RequestContext } from '../context.js';
import { describeError } from '../logged-errors.js';
import type { Logger } from '../logger.js';
import { DocumentCache, useDocumentCache } from './document-cache.js';
import { type Presentation, presentResult } from './failures.js';
import { refuseIntrospection } from './introspection.js';
import { limitItems } from './items.js';
import { limitDocuments } from './limits.js';
import { checkMutations } from './mutation-arguments.js';
import { noteOperation } from './outcomes.js';
import { schema } from './schema.js';
import { type Renewal, runSubscriptions } from './subscriptions.js';

/** What a request brings along into Yoga: its GraphQL parameters are parsed by then, not checked. */
export type ServerContext = RequestContext & Presentation & Renewal & { params: unknown };

export type GraphqlOptions = {
  /** Whether the schema can be asked for. */
  hasIntrospection: boolean;
  hasGraphiql: boolean;
  /** Whether queries are taken by GET too. */
  hasGet: boolean;
  /** Whether errors name what was perhaps meant. */
  hasSuggestions: boolean;
};

export type GraphqlServer = {
  yoga: YogaServerInstance<ServerContext, object>;
  /** Those that need not be parsed and checked again. */
  documents: DocumentCache;
};

/** Yoga without what Fastify does: CORS, bodies and their limits, pages. */
export function createGraphqlServer(
  logger: Logger,
  { hasIntrospection }: Pick<GraphqlOptions, 'hasIntrospection'>,
): GraphqlServer {
  const documents = new DocumentCache();
  const yoga = createYoga<ServerContext>({
    schema,
    // Those that have a say in what is executed do it by `onParse`, `onValidate` or `onExecute`: the fast
    // lane asks no others.
    plugins: [
      takeParams,
      presentErrors,
      limitDocuments,
      ...(hasIntrospection ? [] : [refuseIntrospection]),
      useDocumentCache(documents),
      noteOperation,
      limitItems,
      checkMutations,
      runSubscriptions,
    ],
    // It would keep a thousand documents of any size, and as many that are not valid.
    parserAndValidationCache: false,
    logging: {
      debug: () => {},
      info: (...line) => logger.info({ line: line.map(describeLine) }, 'GraphQL Yoga'),
      warn: (...line) => logger.warn({ line: line.map(describeLine) }, 'GraphQL Yoga'),
      error: (...line) => logger.error({ line: line.map(describeLine) }, 'GraphQL Yoga'),
    },
    // Done by presentErrors, which knows the request.
    maskedErrors: false,
    cors: false,
    maxRequestBodySize: false,
    batching: false,
    graphiql: false,
    landingPage: false,
  });
  return { yoga, documents };
}

/** Errors are all that it hands over which may hold what a caller sent, and which are no text of its own. */
function describeLine(part: unknown): unknown {
  return typeof part === 'string' ? part : describeError(part);
}

/** Hands Yoga what is parsed already. */
const takeParams: Plugin<object, ServerContext> = {
  onRequestParse({ serverContext, setRequestParser }) {
    // What it is gets checked by Yoga.
    setRequestParser(() => serverContext.params as object);
  },
};

/** Every error on its way to the caller, wherever in Yoga it arose. */
const presentErrors: Plugin<object, ServerContext> = {
  onResultProcess({ result, serverContext, setResult }) {
    if ('errors' in result) setResult(presentResult(result, serverContext));
  },
};
