import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { type ReceivedSpan, type Receiver, startReceiver } from './receiver.js';
import { startService } from './seeds.js';
import { subscribeBySse } from './streams.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentSpanId = '00f067aa0ba902b7';
const [server, client] = [2, 3];

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver[Symbol.asyncDispose]());

/**
 * Does it with a gateway whose end sends what is not sent yet, which may come later than that.
 * @param calls how many are recorded
 */
async function spansOf(
  calls: number,
  act: (app: TestApp) => Promise<unknown>,
  settings = {},
): Promise<ReceivedSpan[]> {
  const app = await createTestApp({
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...settings },
  });
  try {
    await act(app);
  } finally {
    await app[Symbol.asyncDispose]();
  }
  await expect.poll(() => receiver.spans.filter(({ kind }) => kind === server).length).toBe(calls);
  return receiver.spans;
}

const headers = { traceparent: `00-${traceId}-${parentSpanId}-01` };

test('a call, its operation and what it asks of the database stand in its caller’s trace', async () => {
  const customer = 'customer-4711';
  let log: TestApp['log'] = [];
  const spans = await spansOf(3, async (app) => {
    const id = await startService(app, { customer_id: customer });
    const query = `query Secret4712 { mine: service(id: "${id}") { customerId associations { nodes { reason } } } }`;
    await app.rest('POST', '/graphql', { body: { query }, headers });
    await app.rest('GET', `/customers/${customer}/services?x=value-4713`);
    log = app.log;
  });

  const own = spans.filter((span) => span.traceId === traceId);
  const call = own.find(({ kind }) => kind === server);
  expect(call).toMatchObject({
    ...{ name: 'POST /graphql', parentSpanId, statusCode: 0 },
    attributes: { 'http.request.method': 'POST', 'http.route': '/graphql', 'http.response.status_code': 200 },
    resource: { 'service.name': 'context-gateway', 'service.version': '0.1.0' },
  });
  const below = own.filter((span) => span !== call);
  for (const span of below) expect(span.parentSpanId).toBe(call?.spanId);
  expect(below.find(({ name }) => name === 'query service')?.attributes).toEqual({
    'graphql.operation.type': 'query',
    'graphql.field.name': 'service',
  });
  const statements = below.filter(({ kind }) => kind === client);
  // One of those reads services, the other one is Prisma's.
  expect(statements.map(({ name }) => name)).toContain('SELECT');
  expect(
    statements.filter(({ attributes }) => /"association"/.test(String(attributes['db.query.text']))),
  ).toHaveLength(1);
  expect(log).toContainEqual(expect.objectContaining({ trace_id: traceId, span_id: call?.spanId }));
  for (const secret of [customer, 'Secret4712', 'value-4713']) {
    expect(receiver.texts.join()).not.toContain(secret);
  }
});

test('a batch stands in the trace of its first call, and those of the others lead to it', async () => {
  const spans = await spansOf(24, async (app) => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => startService(app)));
    await Promise.all(ids.map((id) => app.rest('POST', `/customers/bert/services/${id}`)));
  });

  const associates = spans.filter(({ name }) => name.startsWith('POST /customers/'));
  const traces = new Set(associates.map((span) => span.traceId));
  const batches = spans.filter((span) => span.name === 'commit batch' && traces.has(span.traceId));
  const travelled = spans.filter((span) => span.name === 'commit with others' && traces.has(span.traceId));
  expect(traces.size).toBe(12);
  expect(travelled.length).toBeGreaterThan(0);
  expect(batches.length + travelled.length).toBe(12);
  expect(batches.reduce((sum, batch) => sum + batch.links.length, 0)).toBe(travelled.length);
  for (const { traceId: from, parentSpanId: call, links } of travelled) {
    const batch = batches.find(({ spanId }) => spanId === links[0]?.spanId);
    expect(batch?.links).toContainEqual(expect.objectContaining({ traceId: from, spanId: call }));
  }
  const sizes = batches.map(({ attributes }) => Number(attributes['db.operation.batch.size']));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12);
});

test('a call that fails says with what, and one that the gateway is to blame for is an error', async () => {
  const spans = await spansOf(3, async (app) => {
    await app.rest('GET', '/services/999999');
    await app.sql('alter table service rename to elsewhere');
    await app.rest('GET', '/services/1');
    await app.rest('GET', '/nowhere/4711');
  });

  const told = spans
    .filter(({ kind }) => kind === server)
    .map(({ name, statusCode, attributes }) => [name, statusCode, attributes['error.type']]);
  expect(told.sort()).toEqual([
    ['GET /services/:service_id', 0, 'NOT_FOUND'],
    ['GET /services/:service_id', 2, 'INTERNAL'],
    ['GET', 0, 'NOT_FOUND'],
  ]);
});

test('what the caller does not record is not recorded', async () => {
  const spans = await spansOf(0, (app) =>
    app.rest('POST', '/graphql', {
      body: { query: '{ services { nodes { id } } }' },
      headers: { traceparent: `00-${traceId}-${parentSpanId}-00` },
    }),
  );

  expect(spans).toEqual([]);
});

test('of traces that begin here the share is recorded that is asked for, of others all', async () => {
  const spans = await spansOf(
    1,
    async (app) => {
      await app.rest('GET', '/server/status');
      await app.rest('GET', '/server/status', { headers });
    },
    { OTEL_TRACES_SAMPLER_ARG: '0' },
  );

  expect(spans.map((span) => span.traceId)).toEqual([traceId]);
});

test('where nobody takes traces calls are served all the same, and it is said once', async () => {
  const { endpoint } = receiver;
  await receiver[Symbol.asyncDispose]();
  const app = await createTestApp({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });

  const { status } = await app.rest('GET', '/server/status');
  await app[Symbol.asyncDispose]();

  receiver = await startReceiver();
  expect(status).toBe(200);
  expect(app.log.filter(({ msg }) => /^(the last )?traces /.test(String(msg))).length).toBe(1);
});

test('what is read for all who follow changes stands in the trace of none of them', async () => {
  const query = 'subscription { customerServices(customerId: "fritz") { event { type } } }';
  const spans = await spansOf(2, async (app) => {
    const address = await app.server.listen({ port: 0 });
    const answers = await subscribeBySse(address, { query, headers });
    await startService(app, { customer_id: 'fritz' });
    await answers.next();
    answers.leave();
  });

  const statements = spans.filter((span) => span.traceId === traceId && span.kind === client);
  const texts = statements.map(({ attributes }) => String(attributes['db.query.text']));
  // Its own beginning; what an event is about it asked for with others.
  expect(texts.filter((text) => text.includes('snapshot'))).toEqual([
    expect.stringContaining('pg_current_snapshot()::text'),
  ]);
});
