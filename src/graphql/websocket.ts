import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { type ExecutionArgs, GraphQLError, getOperationAST, OperationTypeNode } from 'graphql';
import { CloseCode, type Context, makeServer, type Server, type SubscribePayload } from 'graphql-ws';
import { type Caller, type Gateway, requestContext } from '../context.js';
import { sqlStateOf } from '../db/failures.js';
import { Faults, isObject, text } from '../domain/rules.js';
import {
  DomainError,
  Forbidden,
  Invalid,
  Overloaded,
  RateLimited,
  Stopping,
  TooSlow,
  Unauthenticated,
  Unavailable,
} from '../errors.js';
import { parseJson } from '../json.js';
import type { Callers } from '../rate-limit.js';
import { stallMilliseconds } from './event-stream.js';
import { asGraphqlError, expectedFailure, presentStreamed } from './failures.js';
import { limits, refusal } from './limits.js';
import { newOutcome } from './outcomes.js';
import { forget, withoutComments } from './subscriptions.js';
import type { GraphqlOptions, GraphqlServer, ServerContext } from './yoga.js';

/** What the connections are served with. */
export type Endpoint = GraphqlServer &
  Pick<GraphqlOptions, 'hasSuggestions'> & { gateway: Gateway; callers: Callers | null };

/** One connection, which has a caller as soon as that has said who it is. */
type Connection = {
  socket: WebSocket;
  request: FastifyRequest;
  caller: Caller;
  isAdmitted: boolean;
  /** How many subscriptions were asked for, and not ended by whoever asked. */
  asked: number;
};

/** Gets what was sent on to the protocol. */
type Take = (message: string) => Promise<void>;

type Init = Record<string, unknown>;

/** So much may wait to be taken when there is more to send. */
const mostWaitingBytes = 4 * 1024 * 1024;
export const mostMessageBytes = 1024 * 1024;
/** From whoever has not said yet who it is. */
const mostUnnamedBytes = 64 * 1024;
const mostIdCharacters = 128;

/** Beside those of the protocol. Clients of it connect again, but for those that it says are final. */
const closeCodes = {
  ...{ goingAway: 1001, tooLarge: 1009 },
  ...{ tooSlow: 4420, tooMany: 1013, unavailable: 4503 },
} as const;

/** SQLSTATE of a statement that took too long. */
const queryCanceled = '57014';

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
      try {
        const result = await endpoint.yoga.getEnveloped(context).subscribe({ ...args });
        forget(args);
        if (Symbol.asyncIterator in result) return result;
        context.onEnd?.(result.errors ?? []);
        return presentStreamed(result, context);
      } catch (error) {
        // Thrown on it would close the connection, and end what else is followed by it.
        return presentStreamed({ errors: [asGraphqlError(error)] }, context);
      }
    },
  });
  return (socket, request) => {
    const connection = { socket, request, caller: request, isAdmitted: false, asked: 0 };
    serve(server, connection, (bytes, take) => receive(endpoint, connection, bytes, take));
  };
}

/** Tells all who are connected that the gateway stops. */
export function closeWebSockets(sockets: Iterable<WebSocket>): void {
  for (const socket of sockets) {
    close(socket, closeCodes.goingAway, 'The gateway stops.', farewellMilliseconds.goingAway);
  }
}

function serve(
  server: Server<Connection>,
  connection: Connection,
  receive: (bytes: Buffer, take: Take) => Promise<void>,
): void {
  const { socket, request } = connection;
  const fail = (error: unknown) => closeFor(connection, error);
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (text) => send(socket, text),
      close: (code, reason) => socket.close(code, reason),
      // A buffer, since it is not asked for anything else.
      onMessage: (take) => socket.on('message', (bytes) => void receive(bytes as Buffer, take).catch(fail)),
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

/** Takes one message, unless it is too large or one too many. @throws Invalid, RateLimited */
async function receive(
  { callers }: Endpoint,
  connection: Connection,
  bytes: Buffer,
  take: Take,
): Promise<void> {
  const { socket, caller, request, isAdmitted } = connection;
  // What was on its way when it was closed.
  if (socket.readyState !== socket.OPEN) return;
  if (!isAdmitted && bytes.length > mostUnnamedBytes) {
    return socket.close(closeCodes.tooLarge, 'So much is taken only after connection_init.');
  }
  const message = readMessage(bytes);
  if (!countsElsewhere(connection, message)) {
    await callers?.count({ headers: caller.headers, ip: request.ip });
  }
  // It takes what is parsed already, too, which its type does not say.
  return take(message as string);
}

/** Numbers are looked at as they are written, as in every other body. @throws Invalid */
function readMessage(bytes: Buffer): unknown {
  const message = parseJson(String(bytes));
  if (!isObject(message)) return message;
  // Without what else is in it: these may be kept for as long as a subscription lasts.
  const { type, id, payload } = message;
  if (typeof id === 'string' && id.length > mostIdCharacters) {
    throw new Invalid([{ path: ['id'], message: `must have at most ${mostIdCharacters} characters` }]);
  }
  return { type, id, payload };
}

/** A subscription does where it is refused as well, and the rest with what it belongs to. */
function countsElsewhere(connection: Connection, message: unknown): boolean {
  switch (isObject(message) && message['type']) {
    case 'connection_init':
      return true;
    case 'subscribe':
      connection.asked += 1;
      return true;
    case 'complete':
      if (connection.asked === 0) return false;
      connection.asked -= 1;
      return true;
    default:
      return false;
  }
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
    forget(connectionParams ?? {});
    await requestContext(gateway, extra.caller, 'GRAPHQL');
    extra.isAdmitted = true;
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
  { extra: connection, subscriptions }: Context<Init, Connection>,
  payload: SubscribePayload,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const { caller, request } = connection;
  const params = { ...payload };
  forget(payload);
  const presentation = { hasSuggestions, log: request.log, outcome: newOutcome() };
  const onEnd = (errors: readonly GraphQLError[]) => closeIfOver(connection, errors);
  const refuse = (errors: readonly GraphQLError[]) => {
    onEnd(errors);
    return presentStreamed({ errors }, presentation).errors ?? [];
  };
  try {
    await callers?.count({ headers: caller.headers, ip: request.ip });
    if (Object.keys(subscriptions).length > limits.subscriptions) return refuse([tooMany()]);
    const renew = () => requestContext(gateway, caller, 'GRAPHQL');
    const context: ServerContext = { ...(await renew()), ...presentation, renew, onEnd, params };
    const { schema, parse, validate, contextFactory } = yoga.getEnveloped(context);
    const document = parse(params.query);
    const errors = validate(schema, document);
    if (errors.length > 0) return refuse(errors);
    const operation = getOperationAST(document, params.operationName);
    if (!operation) return refuse([unresolved()]);
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return refuse([notHere()]);
    const { operationName, variables: variableValues } = params;
    return {
      schema,
      document: withoutComments(document),
      operationName,
      variableValues,
      contextValue: await contextFactory(),
    };
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

/**
 * Clients take an answer with errors for the last word. Closed for what is about all that they follow, they
 * connect again by themselves and go on.
 */
function closeIfOver(connection: Connection, errors: readonly GraphQLError[]): void {
  const failure = errors.map(expectedFailure).find((known) => known instanceof TooSlow || isAway(known));
  if (failure) closeFor(connection, failure);
}

/** That there is no room for one more, or that its statement takes too long, says nothing of the others. */
function isAway(failure: DomainError | undefined): boolean {
  if (!(failure instanceof Unavailable) || failure instanceof Overloaded) return false;
  return sqlStateOf(failure.cause) !== queryCanceled;
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
  if (error instanceof Stopping) return closeCodes.goingAway;
  if (error instanceof TooSlow) return closeCodes.tooSlow;
  if (error instanceof RateLimited) return closeCodes.tooMany;
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
