import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import { CloseCode, type Context, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import { type Caller, type Gateway, requestContext } from '../context.js';
import { Faults, text } from '../domain/rules.js';
import { DomainError, Forbidden, Invalid, Unauthenticated, Unavailable } from '../errors.js';
import { parseJson } from '../json.js';
import type { Callers } from '../rate-limit.js';
import { stallMilliseconds } from './event-stream.js';
import { asGraphqlError, presentStreamed } from './failures.js';
import { limits, refusal } from './limits.js';
import { newOutcome } from './outcomes.js';
import type { GraphqlOptions, GraphqlServer, ServerContext } from './yoga.js';

/** What the connections are served with. */
export type Endpoint = GraphqlServer &
  Pick<GraphqlOptions, 'hasSuggestions'> & { gateway: Gateway; callers: Callers | null };

/** One connection, which has a caller as soon as that has said who it is. */
type Connection = { socket: WebSocket; request: FastifyRequest; caller: Caller };

type Init = Record<string, unknown>;

/** So much may wait to be taken when there is more to send. */
const mostWaitingBytes = 4 * 1024 * 1024;
export const mostMessageBytes = 1024 * 1024;

/** Beside those of the protocol. Clients of it connect again, but for those that it says are final. */
const closeCodes = { goingAway: 1001, tooSlow: 4420, unavailable: 4503 } as const;

const initMilliseconds = 10_000;
const pingMilliseconds = 12_000;
/** How long whoever is cut off may take to hear of it. */
const farewellMilliseconds = { tooSlow: 5_000, goingAway: 1_000 } as const;

/** Serves subscriptions over one WebSocket, by the protocol of graphql-ws. */
export type ServeWebSocket = (socket: WebSocket, request: FastifyRequest) => void;

export function createWebSocketServer(endpoint: Endpoint): ServeWebSocket {
  const server = makeServer<Init, Connection>({
    connectionInitWaitTimeout: initMilliseconds,
    onConnect: (context) => admit(endpoint, context),
    onSubscribe: (context, _id, payload) => prepare(endpoint, context, payload),
    async subscribe(args) {
      // As it is made below.
      const context = args.contextValue as ServerContext;
      const result = await endpoint.yoga.getEnveloped(context).subscribe(args);
      return Symbol.asyncIterator in result ? result : presentStreamed(result, context);
    },
  });
  return (socket, request) => serve(server, { socket, request, caller: request });
}

/** Tells all who are connected that the gateway stops. */
export function closeWebSockets(sockets: Iterable<WebSocket>): void {
  for (const socket of sockets) {
    close(socket, closeCodes.goingAway, 'The gateway stops.', farewellMilliseconds.goingAway);
  }
}

function serve(server: Server<Connection>, connection: Connection): void {
  const { socket, request } = connection;
  const fail = (error: unknown) => closeFor(connection, error);
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (text) => send(socket, text),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) => socket.on('message', (bytes) => void receive(String(bytes), take).catch(fail)),
    },
    connection,
  );
  const pinging = keepAlive(socket);
  // Its close tells as much.
  socket.on('error', (err) => request.log.debug({ err }, 'a WebSocket broke'));
  socket.once('close', (code, reason) => {
    clearInterval(pinging);
    closed(code, String(reason)).catch((err) =>
      request.log.error({ err }, 'a WebSocket could not be closed'),
    );
  });
}

/** Numbers are looked at as they are written, as in every other body. @throws Invalid */
async function receive(text: string, take: (message: string) => Promise<void>): Promise<void> {
  // It takes what is parsed already, too, which its type does not say.
  await take(parseJson(text) as string);
}

/** Resolves when the message is on its way: until then its subscription has no other. */
function send(socket: WebSocket, text: string): Promise<void> {
  const cutOff = () =>
    close(socket, closeCodes.tooSlow, 'What is sent is taken too slowly.', farewellMilliseconds.tooSlow);
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    if (socket.bufferedAmount > mostWaitingBytes) return resolve(cutOff());
    const stalled = setTimeout(cutOff, stallMilliseconds);
    socket.send(text, () => {
      clearTimeout(stalled);
      resolve();
    });
  });
}

/** Whoever has gone without a word takes no place for long. */
function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  return setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, pingMilliseconds);
}

/** Who calls is said by the first message, or was by the headers of the connection. */
async function admit({ gateway }: Endpoint, { extra, connectionParams }: Context<Init, Connection>) {
  try {
    extra.caller = callerOf(extra.request, connectionParams ?? {});
    await requestContext(gateway, extra.caller, 'GRAPHQL');
    return true;
  } catch (error) {
    closeFor(extra, error);
    return false;
  }
}

/** Browsers can send no headers with a WebSocket: they come as members of the first message. */
function callerOf({ id, headers, raw }: FastifyRequest, params: Init): Caller {
  const given = Object.entries(params).map(([name, value]) => [name.toLowerCase(), value] as const);
  const said = given.filter(([name]) => ['authorization', 'contactcenterid', 'groupid'].includes(name));
  const faults = new Faults();
  const checked = said.map(([name, value]) => [name, faults.require(text(8_192), [name], value, '')]);
  faults.throwIfAny();
  return { id, raw, headers: { ...headers, ...Object.fromEntries(checked) } };
}

/** All that is asked of a document that comes by POST, as which it counts. */
async function prepare(
  { gateway, yoga, hasSuggestions, callers }: Endpoint,
  { extra: { caller, request }, subscriptions }: Context<Init, Connection>,
  params: SubscribePayload,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const presentation = { hasSuggestions, log: request.log, outcome: newOutcome() };
  const refuse = (errors: readonly GraphQLError[]) => presentStreamed({ errors }, presentation).errors ?? [];
  if (Object.keys(subscriptions).length > limits.subscriptions) return refuse([tooMany()]);
  try {
    await callers?.count({ headers: caller.headers, ip: request.ip });
    const renew = () => requestContext(gateway, caller, 'GRAPHQL');
    const context: ServerContext = { ...(await renew()), ...presentation, renew, params };
    const { schema, parse, validate, contextFactory } = yoga.getEnveloped(context);
    const document = parse(params.query);
    const errors = validate(schema, document);
    if (errors.length > 0) return refuse(errors);
    const operation = getOperationAST(document, params.operationName);
    if (!operation) return refuse([unresolved()]);
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return refuse([notHere()]);
    const { operationName, variables: variableValues } = params;
    return { schema, document, operationName, variableValues, contextValue: await contextFactory() };
  } catch (error) {
    return refuse([asGraphqlError(error)]);
  }
}

function tooMany(): GraphQLError {
  const message = `The connection has ${limits.subscriptions} subscriptions, the most that are allowed.`;
  return refusal('subscriptions', message);
}

/** As by POST. */
function unresolved(): GraphQLError {
  return new GraphQLError('Could not determine what operation to execute.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
}

/** They are measured, limited in time and told apart as requests; a connection is one. */
function notHere(): GraphQLError {
  return new GraphQLError('Queries and mutations are taken by POST: a WebSocket is for subscriptions.', {
    extensions: { code: 'BAD_REQUEST' },
  });
}

function closeFor({ socket, request }: Connection, error: unknown): void {
  const code = error instanceof DomainError ? codeOf(error) : CloseCode.InternalServerError;
  const isKnown = code !== CloseCode.InternalServerError;
  if (!isKnown) request.log.error({ err: error }, 'a WebSocket failed');
  socket.close(code, isKnown && error instanceof DomainError ? shorten(error.message) : 'Unexpected error.');
}

function codeOf(error: DomainError): number {
  if (error instanceof Invalid) return CloseCode.BadRequest;
  if (error instanceof Unauthenticated) return CloseCode.Unauthorized;
  if (error instanceof Forbidden) return CloseCode.Forbidden;
  return error instanceof Unavailable ? closeCodes.unavailable : CloseCode.InternalServerError;
}

/** A reason has at most 123 bytes; the messages are ASCII but for what they quote. */
function shorten(reason: string): string {
  return Buffer.byteLength(reason) > 123 ? `${reason.slice(0, 40)}…` : reason;
}

/** A peer that takes nothing never answers. */
function close(socket: WebSocket, code: number, reason: string, milliseconds: number): void {
  socket.close(code, reason);
  const force = setTimeout(() => socket.terminate(), milliseconds);
  socket.once('close', () => clearTimeout(force));
}
