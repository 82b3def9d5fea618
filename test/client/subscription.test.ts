import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CallRefused,
  createClient,
  type Fetch,
  NoAnswer,
  type SubscriptionOptions,
  type TypedDocument,
} from 'context-gateway/client';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readEventStream } from '../../src/client/event-stream.js';

// Subscriptions by the client, of a server that counts up from the cursor, in the form that the gateway's have.

type Counted = { count: { cursor: string } };
const counting = 'subscription ($after: String) { count(after: $after) { cursor } }' as TypedDocument<
  Counted,
  { after?: string | null }
>;

/** What ends lines to JavaScript's patterns, and neither in JSON nor in a stream of events. */
const note = 'a\u2028event: complete\u2028data: b\u2029c';

/** What ends the streams that are opened, after how many answers; those behind them go on. */
let ends: { answers: number; how: 'complete' | 'break' | Error }[];
/** What is answered instead of opening a stream. */
let refusals: Response[];
/** Where each stream began. */
let opened: (string | null | undefined)[];
let interruptions: unknown[];
/** How many of the streams are read by somebody. */
let open = 0;

beforeEach(() => {
  ends = [];
  refusals = [];
  opened = [];
  interruptions = [];
});
afterEach(() => expect.poll(() => open).toBe(0));

async function* count(after: string | null | undefined) {
  opened.push(after);
  open++;
  try {
    const { answers = Number.POSITIVE_INFINITY, how } = ends.shift() ?? {};
    for (let next = Number(after ?? 0) + 1, left = answers; ; next++, left--) {
      if (left === 0 && how instanceof Error) throw how;
      if (left === 0) return;
      yield { count: { cursor: String(next) } };
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    open--;
  }
}

const yoga = createYoga({
  schema: createSchema({
    typeDefs: `
      type Query { a: Int }
      type Counted { cursor: String! note: String! }
      type Subscription { count(after: String): Counted! }
    `,
    resolvers: {
      Counted: { note: () => note },
      Subscription: { count: { subscribe: (_, { after }) => count(after) } },
    },
  }),
  logging: false,
  maskedErrors: false,
});

const server = createServer(yoga);
let url: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Without the word that a stream is complete, where it is to break off. */
const cutting: Fetch = async (url, init) => {
  const refusal = refusals.shift();
  if (refusal) return refusal;
  const breaks = ends[0]?.how === 'break';
  const response = await fetch(url, init);
  if (!breaks || !response.body) return response;
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      if (!new TextDecoder().decode(chunk).includes('event: complete')) controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(cut), response);
};

function openClient() {
  return createClient({ url, fetch: cutting });
}

async function take(answers: number, options: SubscriptionOptions = {}, after?: string): Promise<string[]> {
  const taken: string[] = [];
  const onInterruption = (reason: unknown) => interruptions.push(reason);
  const variables = after === undefined ? {} : { after };
  for await (const { count } of openClient().subscribe(counting, variables, { onInterruption, ...options })) {
    taken.push(count.cursor);
    if (taken.length === answers) break;
  }
  return taken;
}

const failing = (code: string) => new GraphQLError('That is it.', { extensions: { code } });

test('answers come one after the other, from a place on, until nobody takes them', async () => {
  const taken = await take(3, {}, '7');

  expect(taken).toEqual(['8', '9', '10']);
  expect(opened).toEqual(['7']);
  await expect.poll(() => open).toBe(0);
});

test.each([
  ['the connection breaks', 'break'],
  ['the gateway ends it', 'complete'],
  ['the gateway stops', failing('UNAVAILABLE')],
  ['the gateway says that answers are not taken fast enough', failing('TOO_SLOW')],
  ['the credentials have expired', failing('UNAUTHENTICATED')],
] as const)('it goes on where it was when %s', async (_, how) => {
  ends = [{ answers: 2, how }];

  const taken = await take(4);

  expect(taken).toEqual(['1', '2', '3', '4']);
  expect(opened).toEqual([undefined, '2']);
  expect(interruptions).toHaveLength(1);
});

test('it is opened again for as long as that may help', async () => {
  refusals = Array.from(
    { length: 5 },
    () => new Response('', { status: 503, headers: { 'retry-after': '0' } }),
  );

  const taken = await take(1);

  expect(taken).toEqual(['1']);
  expect(interruptions).toHaveLength(5);
});

test.each([
  [401, 'UNAUTHENTICATED'],
  [410, 'GONE'],
])('it is given up when opening it answers %i', async (status, code) => {
  refusals = [Response.json({ errors: [{ message: 'No.', extensions: { code } }] }, { status })];

  const error = await take(1).catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(CallRefused);
  expect(error).toMatchObject({ code, status });
});

test('it is given up for what does not pass, also while it is open', async () => {
  ends = [{ answers: 1, how: failing('INTERNAL') }];

  await expect(take(2)).rejects.toMatchObject({ code: 'INTERNAL' });
});

test.each([
  ['a page', new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['a single answer', Response.json({ data: { count: { cursor: '1' } } })],
])('%s is no stream of events', async (_, refusal) => {
  refusals = [refusal];

  await expect(take(1)).rejects.toBeInstanceOf(NoAnswer);
});

test('what was told may have line ends of other kinds in it', async () => {
  const noting = 'subscription { count { cursor note } }' as TypedDocument<
    { count: { cursor: string; note: string } },
    { after?: string }
  >;

  let told: { cursor: string; note: string } | undefined;
  for await (const { count } of openClient().subscribe(noting, {}, { signal: AbortSignal.timeout(5_000) })) {
    told = count;
    break;
  }

  expect(told).toEqual({ cursor: '1', note });
});

test('however late it may be opened again, it is not before', async () => {
  refusals = [new Response('', { status: 503, headers: { 'retry-after': '3000000' } })];

  await expect(take(1, { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ name: 'TimeoutError' });

  expect(opened).toEqual([]);
  expect(interruptions).toHaveLength(1);
});

test('a signal ends it, with its reason', async () => {
  const controller = new AbortController();
  const reason = new Error('the desk is closed');
  const answers = openClient().subscribe(counting, {}, { signal: controller.signal });
  await answers.next();

  controller.abort(reason);

  await expect(rest(answers)).rejects.toBe(reason);
  await expect.poll(() => open).toBe(0);
});

test('a connection that nothing comes by any more is given up', async () => {
  const silent: Fetch = async (_url, { signal }) => {
    const body = new ReadableStream({
      start: (controller) => signal?.addEventListener('abort', () => controller.error(signal.reason)),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  const call = { url: 'http://gateway.example', headers: {}, body: '', signal: new AbortController().signal };

  const answers = readEventStream(silent, call, 5);

  await expect(answers.next()).rejects.toMatchObject({
    name: 'NoAnswer',
    message: expect.stringContaining('nothing was heard'),
  });
});

async function rest(answers: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of answers);
}
