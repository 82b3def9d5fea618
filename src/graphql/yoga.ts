import type { FastifyBaseLogger } from 'fastify';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { RequestContext } from '../context.js';
import type { Logger } from '../logger.js';
import { presentError } from './failures.js';
import { schema } from './schema.js';

/** What a request brings along into Yoga: its GraphQL parameters are parsed by then, not checked. */
export type ServerContext = RequestContext & { params: unknown; log: FastifyBaseLogger };

export type GraphqlServer = YogaServerInstance<ServerContext, object>;

/** Yoga without what Fastify does: CORS, bodies and their limits, pages. */
export function createGraphqlServer(logger: Logger): GraphqlServer {
  return createYoga<ServerContext>({
    schema,
    plugins: [takeParams, presentErrors, limitNesting],
    logging: {
      debug: () => {},
      info: (...line) => logger.info({ line }, 'GraphQL Yoga'),
      warn: (...line) => logger.warn({ line }, 'GraphQL Yoga'),
      error: (...line) => logger.error({ line }, 'GraphQL Yoga'),
    },
    // Done by presentErrors, which knows the request.
    maskedErrors: false,
    cors: false,
    maxRequestBodySize: false,
    batching: false,
    graphiql: false,
    landingPage: false,
  });
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
    if (!('errors' in result) || !result.errors) return;
    setResult({ ...result, errors: result.errors.map((error) => presentError(error, serverContext.log)) });
  },
};

/** A document that is nested too deep for the parser's stack is the caller's fault. */
const limitNesting: Plugin<object, ServerContext> = {
  onParse() {
    return ({ result, replaceParseResult }) => {
      if (!(result instanceof RangeError)) return;
      const extensions = { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400 } };
      replaceParseResult(new GraphQLError('Syntax Error: the document is nested too deep.', { extensions }));
    };
  },
};
