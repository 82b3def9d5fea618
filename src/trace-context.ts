import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify';

/** A call's place in the trace that its caller is in, or in one of its own (W3C Trace Context). */
export type Trace = TraceParent & { requestId: string };

export type TraceParent = {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 of them: of the caller's span, or of the call itself. */
  spanId: string;
  /** Whether whoever began the trace records it. */
  isSampled: boolean;
};

/** Gives a call its place in a trace. */
export type BeginTrace = (parent: TraceParent | undefined, request: IncomingMessage) => TraceParent;

/** Without anybody who records it: the ids alone, for the log. */
export const beginTrace: BeginTrace = (parent) => {
  const ids = randomIds();
  return {
    traceId: parent?.traceId ?? ids.slice(0, 32),
    spanId: ids.slice(32),
    isSampled: parent?.isSampled ?? false,
  };
};

/** Lets every line that is logged for a call say which call it is, and where in which trace. */
export function logTraces(begin: BeginTrace): NonNullable<FastifyServerOptions['childLoggerFactory']> {
  return (logger, bindings, options, request) => {
    const parent = begin(readTraceParent(request.headers['traceparent']), request);
    const trace = { requestId: String(bindings['reqId']), ...parent };
    // The first thing that is done with a request: there is nothing of Fastify's yet that could hold it.
    (request as Traced)[key] = trace;
    // The type of the logger that it is handed, which is pino's.
    return (logger as FastifyBaseLogger).child(namesOf(trace), options);
  };
}

/** What the log calls them: ids of traces as OpenTelemetry has it for logs of other formats. */
export function namesOf({ requestId, traceId, spanId }: Trace): Record<string, string> {
  return { reqId: requestId, trace_id: traceId, span_id: spanId };
}

/** @throws Error for a request that no logger was made for */
export function traceOf(request: IncomingMessage): Trace {
  const trace = (request as Traced)[key];
  if (!trace) throw new Error('The request has no trace.');
  return trace;
}

const key = Symbol('trace');
type Traced = IncomingMessage & { [key]?: Trace };

const form = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Undefined where there is none that holds: the call begins a trace then. */
export function readTraceParent(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(header) ?? [];
  // Later versions may say more.
  const isKnown = version !== undefined && version !== 'ff' && (version !== '00' || more === undefined);
  if (!isKnown || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

const bytesOfIds = 16 + 8;
const pool = Buffer.alloc(bytesOfIds * 256);
let used = pool.length;

/** Those of a trace and of a span. To ask for randomness each time would take ten times as long. */
function randomIds(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytesOfIds;
  return pool.toString('hex', used - bytesOfIds, used);
}
