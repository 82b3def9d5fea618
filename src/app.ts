import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  fastify,
  LogController,
} from 'fastify';
import { Admission, admit } from './admission.js';
import { type AuthConfig, Authenticator } from './auth/authenticator.js';
import { LookupCache } from './auth/lookup-cache.js';
import type { Gateway } from './context.js';
import { refuseCrossSite, refuseForeignHosts } from './cross-site.js';
import { openDatabase, type Retention } from './db/database.js';
import { findTenants } from './domain/tenants.js';
import { registerGraphql } from './graphql/server.js';
import type { GraphqlOptions } from './graphql/yoga.js';
import { decodeUtf8, parseJson } from './json.js';
import type { Logger } from './logger.js';
import { answerClientError } from './malformed.js';
import { limitRate, type RateLimit } from './rate-limit.js';
import { answerError } from './rest/problem.js';
import { registerRest } from './rest/routes.js';
import { securityHeaders } from './security-headers.js';
import { ServerModeFollower } from './server-mode.js';
import { Sweeper, type Sweeping } from './sweeper.js';
import type { Timeouts } from './timeouts.js';
import { readVersion } from './version.js';

export type AppOptions = {
  connectionString: string;
  poolSize: number;
  corsOrigins: readonly string[];
  auth: AuthConfig;
  graphql: GraphqlOptions;
  timeouts: Timeouts;
  /** Null for as often as anybody likes. */
  rateLimit: RateLimit | null;
  retention: Retention;
  /** Null for a gateway that leaves it to others. */
  sweeping: Sweeping | null;
  logger: Logger;
  clock?: () => Date;
  /** How often it is looked up what the server serves. */
  modePollMilliseconds?: number;
};

/** The gateway without its port: everything is wired here, nothing listens yet. */
export type App = AsyncDisposable & { server: FastifyInstance; gateway: Gateway };

const maxBodyBytes = 1024 * 1024;

/** How long calls in flight may take to finish when the gateway stops. */
const drainMilliseconds = 5_000;

export async function createApp({
  clock = () => new Date(),
  modePollMilliseconds: pollMilliseconds = 500,
  logger,
  ...options
}: AppOptions): Promise<App> {
  const database = openDatabase({ ...options, logger });
  const { admin } = database;
  const sweeper = new Sweeper({ database, logger, clock });
  const gateway: Gateway = {
    database,
    authenticator: new Authenticator({ auth: options.auth, admin, clock, logger }),
    tenants: new LookupCache((ids) => findTenants(admin, ids), clock),
    server: new ServerModeFollower({ admin, logger, pollMilliseconds }),
    sweeper,
    version: await readVersion(),
    logger,
    clock,
  };
  const server = createServer(logger, options.timeouts);
  if (options.corsOrigins.length > 0) {
    // Other calls of OPTIONS are refused like any method that a path does not take.
    await server.register(cors, {
      origin: [...options.corsOrigins],
      strictPreflight: false,
      exposedHeaders: [...exposedHeaders],
    });
  }
  if (options.rateLimit) await limitRate(server, gateway.authenticator, options.rateLimit);
  server.addHook(
    'onRequest',
    refuseForeignHosts(() => gateway.authenticator.isForLoopbackAlone()),
  );
  server.addHook('onRequest', refuseCrossSite(options.corsOrigins));
  registerGraphql(server, gateway, options.graphql);
  registerRest(server, gateway);
  await gateway.server.start();
  if (options.sweeping) sweeper.start(options.sweeping);
  return {
    server,
    gateway,
    async [Symbol.asyncDispose]() {
      const impatience = setTimeout(() => server.server.closeAllConnections(), drainMilliseconds);
      await Promise.all([server.close(), sweeper[Symbol.asyncDispose]()]);
      clearTimeout(impatience);
      await gateway.server[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const exposedHeaders = [
  ...['ETag', 'Idempotency-Replayed', 'Link', 'Location', 'Retry-After', 'X-Request-Id'],
  ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
];

/** For the answer to a call whose time is over, on its way. */
const graceMilliseconds = 5_000;

function createServer(logger: Logger, { requestSeconds }: Timeouts): FastifyInstance {
  // Named so, or the server would be of a type of its own.
  const loggerInstance: FastifyBaseLogger = logger;
  const server = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    // Until it is there, until it is answered, and without a byte either way.
    requestTimeout: requestSeconds * 1000,
    handlerTimeout: requestSeconds * 1000,
    connectionTimeout: requestSeconds * 1000 + graceMilliseconds,
    clientErrorHandler: answerClientError,
    // Longer than any id that is accepted: what is too long gets a fault, not a 404.
    routerOptions: { maxParamLength: 4096 },
    // What comes while the gateway stops is still served: its own answers would have another shape.
    return503OnClosing: false,
    // Of requests that reach no route; hooks do not see them.
    frameworkErrors: (error, request, reply) => answerError(error, request, prepared(reply, request.id)),
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
  });
  server.addHook('onRequest', (request, reply, done) => {
    prepared(reply, request.id);
    done();
  });
  server.addHook('preHandler', admit(new Admission(logger)));
  // Who calls, from before the body is read; set by the routes that need to know.
  server.decorateRequest('caller');
  takeJsonAlone(server);
  return server;
}

function prepared(reply: FastifyReply, requestId: string): FastifyReply {
  return reply.headers(securityHeaders).header('x-request-id', requestId);
}

/** A caller may name its request; a name that does not fit is replaced. */
function requestId(given: unknown): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/**
 * Bodies are JSON whatever their type says by being absent; any other type is refused. An empty
 * body is undefined, like one that is absent, whatever its type: the operations say whether they take that.
 */
function takeJsonAlone(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type && !/^application\/([\w.+-]+\+)?json$/.test(type)) return done(unsupportedType());
    try {
      done(null, parseJson(decodeUtf8(body)));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Fastify's own form of an HTTP error. */
function unsupportedType(): Error {
  return Object.assign(new Error('The body must be application/json.'), { statusCode: 415 });
}
