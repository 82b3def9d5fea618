import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

/** What is logged for a call with the header. */
async function linesOf(traceparent?: string): Promise<Record<string, unknown>[]> {
  const before = app.log.length;
  const headers = { 'x-request-id': 'call-1', ...(traceparent === undefined ? {} : { traceparent }) };
  await app.rest('POST', '/graphql', { body: { query: '{ __typename }' }, headers });
  await app.rest('POST', '/graphql', { body: { query: '{ mapNames }', extensions: {} }, headers });
  const lines = app.log.slice(before).filter(({ reqId }) => reqId === 'call-1');
  expect(lines.length).toBeGreaterThanOrEqual(2);
  return lines;
}

test('every line of a call has the trace that its caller is in, and a span of its own', async () => {
  const lines = await linesOf(`00-${traceId}-${spanId}-01`);

  const spans = lines.map(({ span_id }) => span_id);
  for (const { trace_id } of lines) expect(trace_id).toBe(traceId);
  for (const span of spans) expect(span).toMatch(/^[\da-f]{16}$/);
  expect(new Set([...spans, spanId]).size).toBe(spans.length + 1);
});

test('a call of nobody’s trace begins one', async () => {
  const traces = (await linesOf()).map(({ trace_id }) => trace_id);

  for (const trace of traces) expect(trace).toMatch(/^(?!0+$)[\da-f]{32}$/);
  expect(new Set(traces).size).toBe(traces.length);
});

test('a later version may say more', async () => {
  const lines = await linesOf(`cc-${traceId}-${spanId}-01-what-will-be`);

  for (const { trace_id } of lines) expect(trace_id).toBe(traceId);
});

test.each([
  '',
  'x',
  `00-${traceId}-${spanId}`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`,
  `00-${traceId}"\\n-${spanId}-01`,
])('“%s” is no place in a trace', async (header) => {
  for (const { trace_id } of await linesOf(header)) {
    expect(trace_id).toMatch(/^[\da-f]{32}$/);
    expect(trace_id).not.toBe(traceId);
  }
});
