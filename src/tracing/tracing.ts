import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SentStatement } from '../db/observer.js';
import type { Operation } from '../graphql/outcomes.js';
import { type BeginTrace, type Trace, traceOf } from '../trace-context.js';
import { contextOf, contextOfCaller, linkTo } from './contexts.js';
import { type ExportOptions, openExport } from './export.js';

/** Records what calls are made of, and sends it away. */
export type Tracing = AsyncDisposable & {
  begin: BeginTrace;
  traceRequests(server: FastifyInstance): void;
  onOperation(operation: Operation): void;
  onStatement(statement: SentStatement): void;
};

/**
 * Spans of calls, of their GraphQL operations and of the statements that they wait for, by OpenTelemetry's
 * conventions. None has what callers send in it: no address of a call but its route's template, no name of an
 * operation, no parameter.
 */
export function startTracing(options: ExportOptions): Tracing {
  const { tracer, [Symbol.asyncDispose]: dispose } = openExport(options);
  const spans = new WeakMap<IncomingMessage, Span>();
  /** What is asked by Prisma's client says no other way whom it is for. */
  const current = new AsyncLocalStorage<Trace>();
  return {
    begin(parent, request) {
      const attributes = { 'http.request.method': request.method ?? 'GET', 'url.scheme': 'http' };
      const span = tracer.startSpan(
        String(request.method),
        { kind: SpanKind.SERVER, attributes },
        contextOfCaller(parent),
      );
      spans.set(request, span);
      const { traceId, spanId } = span.spanContext();
      return { traceId, spanId, isSampled: span.isRecording() };
    },
    traceRequests(server) {
      server.addHook('onRequest', (request, reply, done) => {
        // Of a caller who goes away nothing is answered.
        reply.raw.once('close', () => end(spans.get(request.raw), request, null));
        done();
      });
      server.addHook('preHandler', (request, _reply, done) => current.run(traceOf(request.raw), done));
      server.addHook('onResponse', (request, reply, done) => {
        end(spans.get(request.raw), request, reply.statusCode);
        done();
      });
    },
    onOperation({ type, field, code, startedAt, milliseconds, trace }) {
      if (!trace.isSampled) return;
      const attributes = { 'graphql.operation.type': type, 'graphql.field.name': field };
      const span = tracer.startSpan(
        `${type} ${field}`,
        { attributes, startTime: startedAt },
        contextOf(trace),
      );
      if (code !== null) span.setAttribute('error.type', code);
      span.end(startedAt + milliseconds);
    },
    onStatement(statement) {
      const known = current.getStore();
      const traces = statement.traces.length > 0 || !known ? statement.traces : [known];
      recordStatement(
        tracer,
        statement,
        traces.filter(({ isSampled }) => isSampled),
      );
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/**
 * The second time nothing happens.
 * @param status null for a call whose caller has gone
 */
function end(
  span: Span | undefined,
  { routeOptions, method, failure }: FastifyRequest,
  status: number | null,
): void {
  if (!span?.isRecording()) return;
  const route = routeOptions.url;
  span.updateName(route === undefined ? method : `${method} ${route}`);
  if (route !== undefined) span.setAttribute('http.route', route);
  if (status !== null) span.setAttribute('http.response.status_code', status);
  const error = status === null ? 'aborted' : failure;
  if (error) span.setAttribute('error.type', error);
  if (status !== null && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/**
 * In the trace of the first call that a statement was for, with links to the others; in each of theirs a span
 * of the same time leads there. What is for no call is not recorded.
 */
function recordStatement(
  tracer: Tracer,
  { text, startedAt: startTime, milliseconds, rows, commands, error }: SentStatement,
  [first, ...others]: readonly Trace[],
): void {
  if (!first) return;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': text,
    ...(rows === null ? {} : { 'db.response.returned_rows': rows }),
    ...(commands === null ? {} : { 'db.operation.batch.size': commands }),
  };
  const kind = SpanKind.CLIENT;
  const name = commands === null ? operationIn(text) : 'commit batch';
  const links = others.map(linkTo);
  const span = tracer.startSpan(name, { kind, startTime, attributes, links }, contextOf(first));
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(startTime + milliseconds);
  for (const other of others) {
    const toBatch = { startTime, links: [{ context: span.spanContext() }] };
    tracer.startSpan('commit with others', toBatch, contextOf(other)).end(startTime + milliseconds);
  }
}

/** Behind the comment that marks what is prepared. */
function operationIn(text: string): string {
  return /^\s*(?:\/\*.*?\*\/\s*)*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'statement';
}
