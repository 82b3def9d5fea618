import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Authenticator } from './auth/authenticator.js';
import type { DatabaseObserver } from './db/observer.js';
import type { OperationObserver } from './graphql/outcomes.js';
import type { Logger } from './logger.js';
import { type MetricsAccess, measureSources, type Sources } from './metrics/metrics.js';
import { measureOperations } from './metrics/operations.js';
import { measureRequests } from './metrics/requests.js';
import { registerMetrics } from './metrics/route.js';
import { measureStatements } from './metrics/statements.js';
import { measureSweeps } from './metrics/sweeps.js';
import { logSlowStatements } from './slow-statements.js';
import type { SweepObserver } from './sweeper.js';
import { type BeginTrace, beginTrace } from './trace-context.js';
import type { TracingConfig } from './tracing/export.js';
import type { Tracing } from './tracing/tracing.js';

export type ObservationOptions = {
  metricsAccess: MetricsAccess;
  processMetrics?: Registry;
  /** Null where nobody takes traces. */
  tracing: TracingConfig | null;
  slowStatementMilliseconds: number;
  version: string;
  logger: Logger;
};

/** What all parts of the gateway tell of themselves, and where it goes: the log, the metrics, the traces. */
export type Observation = AsyncDisposable & {
  beginTrace: BeginTrace;
  database: DatabaseObserver;
  sweeps: SweepObserver;
  onOperation: OperationObserver;
  /** Has to come before the routes. */
  observeRequests(server: FastifyInstance): void;
  serveMetrics(server: FastifyInstance, authenticator: Authenticator, sources: Sources): void;
};

export async function openObservation({
  metricsAccess: access,
  processMetrics,
  tracing: config,
  slowStatementMilliseconds,
  version,
  logger,
}: ObservationOptions): Promise<Observation> {
  const registry = new Registry();
  const tracing = config && (await loadTracing({ ...config, version, logger }));
  const logSlow = logSlowStatements(logger, slowStatementMilliseconds);
  const statements = measureStatements(registry, slowStatementMilliseconds);
  const measureOperation = measureOperations(registry);
  return {
    beginTrace: tracing?.begin ?? beginTrace,
    database: {
      ...statements,
      onStatement(statement) {
        statements.onStatement(statement);
        logSlow(statement);
        tracing?.onStatement(statement);
      },
    },
    sweeps: measureSweeps(registry),
    onOperation(operation) {
      measureOperation(operation);
      tracing?.onOperation(operation);
    },
    observeRequests(server) {
      server.decorateRequest('failure', null);
      server.addHook('onResponse', measureRequests(registry));
      tracing?.traceRequests(server);
    },
    serveMetrics(server, authenticator, sources) {
      measureSources(registry, sources);
      const registries = processMetrics ? [registry, processMetrics] : [registry];
      registerMetrics(server, { access, registries, authenticator });
    },
    async [Symbol.asyncDispose]() {
      await tracing?.[Symbol.asyncDispose]();
    },
  };
}

/** What it takes is loaded by those alone who want traces. */
async function loadTracing(
  options: Parameters<typeof import('./tracing/tracing.js').startTracing>[0],
): Promise<Tracing> {
  const { startTracing } = await import('./tracing/tracing.js');
  return startTracing(options);
}
