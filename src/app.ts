import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import type { Registry } from 'prom-client';
import { Admission, admit } from './admission.js';
import { type AuthConfig, Authenticator } from './auth/authenticator.js';
import { LookupCache } from './auth/lookup-cache.js';
import { ChangeFeed } from './change-feed.js';
import type { Gateway } from './context.js';
import { Courier, type WebhookOptions } from './courier.js';
import { refuseCrossSite, refuseForeignHosts } from './cross-site.js';
import { openDatabase, type Retention } from './db/database.js';
import { MigrationLevel } from './db/migration-level.js';
import { findTenants } from './domain/tenants.js';
import { drainBeforeClose } from './drain.js';
import { Invalid } from './errors.js';
import { registerGraphql } from './graphql/server.js';
import type { GraphqlOptions } from './graphql/yoga.js';
import { decodeUtf8, parseJson } from './json.js';
import type { Logger } from './logger.js';
import { answerClientError, refuseExpectation } from './malformed.js';
import type { MetricsAccess } from './metrics/metrics.js';
import { type Observation, openObservation } from './observation.js';
import { Destinations, type Resolve } from './outbound/destinations.js';
import { Poster } from './outbound/poster.js';
import { registerProbes } from './probes.js';
import { Callers, limitRate, type RateLimit } from './rate-limit.js';
import { Readiness } from './readiness.js';
import { registerDocument } from './rest/openapi/serving.js';
import { answerError } from './rest/problem.js';
import { registerRest } from './rest/routes.js';
import { securityHeaders } from './security-headers.js';
import { ServerModeFollower } from './server-mode.js';
import { Sweeper, type Sweeping } from './sweeper.js';
import { limitTime, type Timeouts } from './timeouts.js';
import { logTraces } from './trace-context.js';
import type { TracingConfig } from './tracing/export.js';
import { hasLeftHttp, UpgradableRequest } from './upgrades.js';
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
  slowStatementMilliseconds: number;
  metricsAccess: MetricsAccess;
  /** What is measured of the process, to be told with the rest. */
  processMetrics?: Registry;
  /** Null where nobody takes traces. */
  tracing: TracingConfig | null;
  retention: Retention;
  /** Null for a gateway that leaves it to others. */
  sweeping: Sweeping | null;
  webhooks: WebhookOptions & {
    /** Whether this gateway sends itself what webhooks are to be told; it does unless said otherwise. */
    isSending?: boolean;
    /** How hosts are looked up; as the machine does it, unless said otherwise. */
    resolve?: Resolve;
  };
  logger: Logger;
  clock?: () => Date;
  /** How often it is looked up what the server serves. */
  modePollMilliseconds?: number;
};

/** The gateway without its port: everything is wired here, nothing listens yet. */
export type App = AsyncDisposable & { server: FastifyInstance; gateway: Gateway };

const maxBodyBytes = 1024 * 1024;

/** How long calls in flight may take to finish when the gateway stops, and to be told that they did not. */
const drainMilliseconds = 7_000;
const lastWordsMilliseconds = 500;

export async function createApp({
  clock = () => new Date(),
  modePollMilliseconds: pollMilliseconds = 500,
  logger,
  ...options
}: AppOptions): Promise<App> {
  const version = await readVersion();
  const observation = await openObservation({ ...options, version, logger });
  const database = openDatabase({ ...options, logger, observer: observation.database });
  const { admin } = database;
  const sweeper = new Sweeper({ database, logger, clock, observer: observation.sweeps });
  const changes = new ChangeFeed({ database, logger });
  const { isSending = true, internalHosts, resolve, timeoutSeconds, retrySeconds } = options.webhooks;
  const destinations = new Destinations(internalHosts, resolve);
  const poster = new Poster({ destinations, timeoutSeconds });
  const courier = new Courier({ database, destinations, poster, retrySeconds, version, logger, clock });
  const gateway: Gateway = {
    database,
    authenticator: new Authenticator({ auth: options.auth, admin, clock, logger }),
    tenants: new LookupCache((ids) => findTenants(admin, ids), clock),
    server: new ServerModeFollower({ admin, logger, pollMilliseconds }),
    sweeper,
    courier,
    destinations,
    changes,
    version,
    logger,
    clock,
  };
  const admission = new Admission(logger);
  const server = createServer(logger, { ...options, observation, admission });
  const readiness = new Readiness({ level: new MigrationLevel(admin), server: gateway.server, logger });
  drainBeforeClose(server, readiness);
  if (options.corsOrigins.length > 0) {
    const settings = {
      origin: [...options.corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: [...exposedHeaders],
    };
    // Other calls of OPTIONS are refused like any method that a path does not take.
    await server.register(cors, {
      delegator: async (request: FastifyRequest) => ({ ...settings, preflight: asksForCors(request) }),
    });
  }
  const callers = options.rateLimit ? new Callers(gateway.authenticator, options.rateLimit) : null;
  if (callers) await limitRate(server, callers);
  server.addHook(
    'onRequest',
    refuseForeignHosts(() => gateway.authenticator.isForLoopbackAlone()),
  );
  server.addHook('onRequest', refuseCrossSite(options.corsOrigins));
  registerProbes(server, readiness);
  observation.serveMetrics(server, gateway.authenticator, { ...gateway, admission });
  registerGraphql(server, gateway, { ...options.graphql, onOperation: observation.onOperation, callers });
  registerRest(server, gateway);
  registerDocument(server, gateway.version, options.graphql);
  await gateway.server.start();
  if (options.sweeping) sweeper.start(options.sweeping);
  if (isSending) courier.start();
  return {
    server,
    gateway,
    async [Symbol.asyncDispose]() {
      readiness.stop();
      const impatience = setTimeout(() => database.abandon(), drainMilliseconds);
      const end = drainMilliseconds + lastWordsMilliseconds;
      const force = setTimeout(() => server.server.closeAllConnections(), end);
      changes.close();
      await Promise.all([server.close(), sweeper[Symbol.asyncDispose](), courier[Symbol.asyncDispose]()]);
      clearTimeout(impatience);
      clearTimeout(force);
      await gateway.server[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await observation[Symbol.asyncDispose]();
    },
  };
}

const exposedHeaders = [
  ...['ETag', 'Idempotency-Replayed', 'Link', 'Location', 'Retry-After', 'X-Request-Id'],
  ...['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
];

/** A browser's question ahead of a call of a page of another origin; it always names both. */
function asksForCors({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** For the answer to a call whose time is over, on its way. */
const graceMilliseconds = 5_000;

type ServerOptions = { timeouts: Timeouts; observation: Observation; admission: Admission };

function createServer(logger: Logger, { timeouts, observation, admission }: ServerOptions): FastifyInstance {
  const { requestSeconds } = timeouts;
  // Named so, or the server would be of a type of its own.
  const loggerInstance: FastifyBaseLogger = logger;
  const server = fastify({
    loggerInstance,
    childLoggerFactory: logTraces(observation.beginTrace),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    // Until it is there, and without a byte either way. What does not come is refused before its time is over:
    // nothing of it was done, and that is what its caller is told.
    requestTimeout: requestSeconds * 900,
    connectionTimeout: requestSeconds * 1000 + graceMilliseconds,
    clientErrorHandler: answerClientError,
    http: {
      IncomingMessage: UpgradableRequest,
      connectionsCheckingInterval: requestSeconds * 50,
      // Where this is the longer one, Node.js takes each for the other.
      headersTimeout: Math.min(requestSeconds * 900, 60_000),
      // One without is told in the shape of all faults.
      requireHostHeader: false,
    },
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
    if (hasLeftHttp(request.raw)) reply.header('connection', 'close');
    done(hasHost(request) ? undefined : new Invalid([{ path: ['Host'], message: 'is required' }]));
  });
  server.server.on('checkExpectation', refuseExpectation);
  observation.observeRequests(server);
  server.addHook('onRoute', limitTime(timeouts));
  server.addHook('onRoute', admit(admission));
  // Who calls, from before the body is read; set by the routes that need to know.
  server.decorateRequest('caller');
  takeJsonAlone(server);
  return server;
}

/** HTTP/1.0 knows no hosts; an empty one is one. */
function hasHost({ raw }: FastifyRequest): boolean {
  return raw.headers.host !== undefined || raw.httpVersion === '1.0';
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
