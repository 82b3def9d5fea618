import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { type Gateway, type RequestContext, requestContext } from '../context.js';
import type { Path } from '../errors.js';
import { MalformedBody, parseJson } from '../json.js';
import { asTimedOut } from '../timeouts.js';
import { presentError } from './failures.js';
import { answerKnownOperation, findKnownOperation } from './fast-lane.js';
import { prefersPage, sendPage } from './graphiql.js';
import { requireAcceptable } from './media-types.js';
import { createGraphqlServer, type GraphqlOptions, type GraphqlServer, type ServerContext } from './yoga.js';

/** Serves `/graphql`: GraphiQL to browsers, queries by GET, queries and mutations by POST. */
export function registerGraphql(server: FastifyInstance, gateway: Gateway, options: GraphqlOptions): void {
  const graphql = createGraphqlServer(gateway.logger, options);
  const asksForPage = (request: FastifyRequest) =>
    options.hasGraphiql && request.method !== 'POST' && prefersPage(request);
  const refuse = (reply: FastifyReply) => {
    const methods = options.hasGet ? ['GET', 'POST'] : ['POST'];
    reply.header('allow', methods.join(', '));
    const message = `GraphQL only supports ${methods.join(' and ')} requests.`;
    return Object.assign(new Error(message), { statusCode: 405 });
  };
  server.register(async (scope) => {
    scope.setErrorHandler(sendError);
    scope.route({
      method: ['GET', 'POST'],
      url: '/graphql',
      // The page is for everybody; what it sends needs credentials like any other call.
      onRequest: async (request, reply) => {
        if (asksForPage(request)) return;
        if (request.method !== 'POST' && !options.hasGet) throw refuse(reply);
        request.setDecorator('caller', await requestContext(gateway, request, 'GRAPHQL'));
      },
      handler: (request, reply) =>
        asksForPage(request) ? sendPage(request, reply) : handle(graphql, request, reply, options),
    });
    scope.route({
      method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: '/graphql',
      handler: (_, reply) => {
        throw refuse(reply);
      },
    });
  });
}

async function handle(
  { yoga, documents }: GraphqlServer,
  request: FastifyRequest,
  reply: FastifyReply,
  { hasSuggestions }: GraphqlOptions,
): Promise<string> {
  const context: ServerContext = {
    ...request.getDecorator<RequestContext>('caller'),
    params: readParams(request),
    log: request.log,
    hasSuggestions,
  };
  const operation = findKnownOperation(documents, request);
  request.log.debug({ isFast: operation !== undefined }, 'GraphQL request');
  if (operation) return answerKnownOperation(yoga, operation, context, reply);

  requireAcceptable(request);
  const response = await yoga.handleNodeRequestAndResponse(request, reply, context);
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  return response.text();
}

/** The body as Fastify parsed it, or the query string's members with their JSON parsed alike. */
function readParams({ method, body, query }: FastifyRequest): unknown {
  if (method === 'POST') return body;
  const params: Record<string, unknown> = { ...(query as Record<string, unknown>) };
  for (const name of ['variables', 'extensions']) {
    const text = params[name];
    if (typeof text === 'string') params[name] = text === '' ? undefined : parseMember(name, text);
  }
  return params;
}

function parseMember(name: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw error;
    const inside = (path: Path) => (path[0] === 'body' ? [name] : [name, ...path]);
    throw new MalformedBody(error.faults.map((fault) => ({ ...fault, path: inside(fault.path) })));
  }
}

/** What fails before Yoga has the request, in the form of Yoga's answers. */
function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const isRefusal = error.statusCode !== undefined && error.statusCode < 500;
  const expected = isRefusal ? asRefusal(error) : asTimedOut(error, request);
  const presented = presentError(expected ?? error, request.log);
  const { http, ...extensions } = presented.extensions as { http?: HttpExtensions; code: string };
  reply
    .code(http?.status ?? statuses[extensions.code] ?? 400)
    .headers(http?.headers ?? {})
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [{ message: presented.message, extensions }] }));
}

type HttpExtensions = { status?: number; headers?: Record<string, string> };

const statuses: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  INTERNAL: 500,
};
const codes: Readonly<Record<number, string>> = {
  406: 'NOT_ACCEPTABLE',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/** What Fastify finds wrong with a request. */
function asRefusal({ message, statusCode = 400 }: FastifyError): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: codes[statusCode] ?? 'BAD_REQUEST', http: { status: statusCode } },
  });
}
