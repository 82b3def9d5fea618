import fastifyWebsocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, getOperationAST, OperationTypeNode, parse } from 'graphql';
import { handleProtocols } from 'graphql-ws';
import { type Gateway, type RequestContext, requestContext } from '../context.js';
import { isObject } from '../domain/rules.js';
import { Overloaded, type Path } from '../errors.js';
import { MalformedBody, parseJson } from '../json.js';
import type { Callers } from '../rate-limit.js';
import { asTimedOut } from '../timeouts.js';
import { traceOf } from '../trace-context.js';
import { hasLeftHttp } from '../upgrades.js';
import { isEventStream, sendEventStream } from './event-stream.js';
import { presentError } from './failures.js';
import { answerKnownOperation, findKnownOperation } from './fast-lane.js';
import { sendGraphiql } from './graphiql.js';
import { limits } from './limits.js';
import { jsonTypeOf, prefersPage, requireAcceptable } from './media-types.js';
import { newOutcome, type OperationObserver, type Outcome } from './outcomes.js';
import { forget } from './subscriptions.js';
import { closeWebSockets, createWebSocketServer, mostMessageBytes } from './websocket.js';
import { createGraphqlServer, type GraphqlOptions, type GraphqlServer, type ServerContext } from './yoga.js';

type Options = GraphqlOptions & {
  onOperation: OperationObserver;
  /** Null where they are not limited. */
  callers: Callers | null;
};

/** What the calls are served with. */
type Endpoint = GraphqlServer & Options & { gateway: Gateway };

/** Connections that stay. */
const mostWebSockets = 10_000;

/**
 * Serves `/graphql`: GraphiQL to browsers, queries by GET, queries, mutations and subscriptions by POST, and
 * subscriptions by WebSocket.
 */
export function registerGraphql(server: FastifyInstance, gateway: Gateway, options: Options): void {
  const endpoint: Endpoint = { ...createGraphqlServer(gateway.logger, options), ...options, gateway };
  const asksForPage = (request: FastifyRequest) => options.hasGraphiql && prefersPage(request);
  const refuse = (reply: FastifyReply) => {
    const methods = options.hasGet ? ['GET', 'POST'] : ['POST'];
    reply.header('allow', methods.join(', '));
    const message = `GraphQL only supports ${methods.join(' and ')} requests.`;
    return Object.assign(new Error(message), { statusCode: 405 });
  };
  server.register(async (scope) => {
    scope.setErrorHandler(sendError);
    scope.route({
      method: 'POST',
      url: '/graphql',
      onRequest: async (request) => {
        request.setDecorator('caller', await requestContext(gateway, request, 'GRAPHQL'));
      },
      handler: (request, reply) => answer(endpoint, request, reply),
    });
    // Apart, since what is needed for WebSockets takes its time with every call.
    scope.register(async (upgradable) => {
      await upgradable.register(fastifyWebsocket, webSocketOptions(upgradable));
      // What is refused has left HTTP all the same: nothing else would ever close it.
      upgradable.addHook('onResponse', async ({ raw }) => {
        if (hasLeftHttp(raw)) raw.socket.destroySoon();
      });
      upgradable.route({
        method: 'GET',
        url: '/graphql',
        // The page is for everybody; what it sends needs credentials like any other call. Who opens a
        // WebSocket says so with the first message.
        onRequest: async (request, reply) => {
          if (request.ws) return requireRoom(upgradable);
          if (asksForPage(request)) return;
          if (!options.hasGet) throw refuse(reply);
          request.setDecorator('caller', await requestContext(gateway, request, 'GRAPHQL'));
        },
        handler: (request, reply) =>
          asksForPage(request) ? sendGraphiql(request, reply) : answer(endpoint, request, reply),
        wsHandler: createWebSocketServer(endpoint),
      });
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

/** Answers, and tells what became of the operation, whichever way it goes. What throws has not come to be one. */
async function answer(
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string | undefined> {
  const startedAt = performance.now();
  const outcome = newOutcome();
  const text = await handle(endpoint, request, reply, outcome);
  request.failure = outcome.code;
  const milliseconds = performance.now() - startedAt;
  endpoint.onOperation({ startedAt, milliseconds, trace: traceOf(request.raw), ...outcome });
  return text;
}

function webSocketOptions(scope: FastifyInstance): WebsocketPluginOptions {
  return {
    options: { handleProtocols, maxPayload: mostMessageBytes },
    preClose: (done) => {
      closeWebSockets(scope.websocketServer.clients);
      done();
    },
  };
}

/** @throws Overloaded */
function requireRoom({ websocketServer }: FastifyInstance): void {
  if (websocketServer.clients.size >= mostWebSockets) {
    throw new Overloaded('More follow changes than can be served: try again later.');
  }
}

async function handle(
  { yoga, documents, gateway, hasSuggestions }: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: Outcome,
): Promise<string | undefined> {
  const { id, headers, raw } = request;
  const context: ServerContext = {
    params: readParams(request),
    renew: () => requestContext(gateway, { id, headers, raw }, 'GRAPHQL'),
    log: request.log,
    hasSuggestions,
    outcome,
    ...request.getDecorator<RequestContext>('caller'),
  };
  const operation = findKnownOperation(documents, request);
  request.log.debug({ isFast: operation !== undefined }, 'GraphQL request');
  if (operation) return answerKnownOperation(yoga, operation, context, reply);

  requireAcceptable(request);
  const response = await yoga.handleNodeRequestAndResponse(request, reply, context);
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  if (!isEventStream(response) || !response.body) return response.text();
  if (reply.sent) {
    // It took too long, and has been answered: nobody takes it.
    await response.body.cancel();
    return undefined;
  }
  if (isObject(request.body)) forget(request.body);
  sendEventStream(response.body, reply);
  return undefined;
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
  const expected = isRefusal ? asRefusal(error) : asTimedOut(error, mayHaveChanged(request));
  const presented = presentError(expected ?? error, request.log);
  const { http, ...extensions } = presented.extensions as { http?: HttpExtensions; code: string };
  request.failure = extensions.code;
  reply
    .code(http?.status ?? statuses[extensions.code] ?? 400)
    .headers(http?.headers ?? {})
    .type(`${jsonTypeOf(request.headers.accept)}; charset=utf-8`)
    .send(JSON.stringify({ errors: [{ message: presented.message, extensions }] }));
}

/** Whether the call was a mutation; what cannot be read was not executed. */
function mayHaveChanged({ method, body }: FastifyRequest): boolean {
  if (method !== 'POST' || !isObject(body) || typeof body['query'] !== 'string') return false;
  const { query, operationName } = body;
  try {
    const document = parse(query, { noLocation: true, maxTokens: limits.tokens });
    const name = typeof operationName === 'string' ? operationName : null;
    return getOperationAST(document, name)?.operation === OperationTypeNode.MUTATION;
  } catch {
    return false;
  }
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
