import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { TraceParent } from '../trace-context.js';

/** That of a span which is to be below the call's. */
export function contextOf(parent: TraceParent): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}

/** That of the call's own span; without a caller's it begins a trace. */
export function contextOfCaller(parent: TraceParent | undefined): Context {
  if (!parent) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...spanContextOf(parent), isRemote: true });
}

export function linkTo(call: TraceParent): Link {
  return { context: spanContextOf(call) };
}

function spanContextOf({ traceId, spanId, isSampled }: TraceParent): SpanContext {
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}
