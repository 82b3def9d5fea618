import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { TestApp } from './harness.js';

/** The answers of one subscription, as the caller has them. */
export type Answers = AsyncIterable<StreamedAnswer> & {
  /** The next one; undefined when there are no more. */
  next: () => Promise<StreamedAnswer | undefined>;
  /** Goes away without a word. */
  leave: () => void;
};

export type StreamedAnswer = {
  // biome-ignore lint/suspicious/noExplicitAny: the answers of a JSON API, looked into by assertions
  data?: any;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
};

export type Asked = { query: string; variables?: Record<string, unknown>; headers?: Record<string, string> };

/** Subscribes by server-sent events. @throws what is no stream of events, as its status and its text */
export async function subscribeBySse(address: string, { headers, ...body }: Asked): Promise<Answers> {
  const leaving = new AbortController();
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify(body),
    signal: leaving.signal,
  });
  const type = response.headers.get('content-type');
  if (type !== 'text/event-stream' || !response.body) {
    throw new Error(`${response.status} ${await response.text()}`);
  }
  // Read from now on: a body that nobody reads ends with its response, as soon as that is collected.
  const answers = answersIn(response.body.values());
  return {
    next: async () => (await answers.next()).value,
    leave: () => leaving.abort(),
    [Symbol.asyncIterator]: () => answers,
  };
}

async function* answersIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedAnswer, undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split('\n');
      if (lines.includes('event: complete')) return undefined;
      const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length);
      if (data) yield JSON.parse(data);
    }
  }
  throw new Error('The stream broke off.');
}

/** The same by a WebSocket. Headers go as members of its first message. */
export async function subscribeByWebSocket(
  address: string,
  { headers, ...payload }: Asked,
): Promise<Answers> {
  const client = createClient({
    url: webSocketAddress(address),
    webSocketImpl: WebSocket,
    connectionParams: headers ?? {},
    lazy: true,
    retryAttempts: 0,
  });
  const iterator = client.iterate(payload);
  const answers = {
    async next(): Promise<StreamedAnswer | undefined> {
      try {
        const { value, done } = await iterator.next();
        return done ? undefined : (value as StreamedAnswer);
      } catch (errors) {
        // What is refused before it runs comes as a message of errors, which is the last one.
        if (Array.isArray(errors)) return { errors };
        throw errors;
      }
    },
    leave: () => void client.dispose(),
    async *[Symbol.asyncIterator]() {
      for (let answer = await answers.next(); answer; answer = await answers.next()) yield answer;
    },
  };
  return answers;
}

export type OpenedWebSocket = {
  socket: WebSocket;
  closed: Promise<{ code: number; reason: string }>;
  acknowledged: Promise<boolean>;
};

/** @param init what the first message says; null for none */
export async function openWebSocket(
  address: string,
  init: object | null,
  options: { headers?: Record<string, string> } = {},
): Promise<OpenedWebSocket> {
  const socket = new WebSocket(webSocketAddress(address), 'graphql-transport-ws', options);
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  const acknowledged = new Promise<boolean>((resolve) => {
    socket.once('message', (message) => resolve(String(message).includes('connection_ack')));
    socket.once('close', () => resolve(false));
  });
  await once(socket, 'open');
  if (init) {
    socket.send(JSON.stringify({ type: 'connection_init', payload: init }));
    await acknowledged;
  }
  return { socket, closed, acknowledged };
}

function webSocketAddress(address: string): string {
  return `${address.replace('http', 'ws')}/graphql`;
}

/** Sessions of PostgreSQL by which gateways hear of writes. */
export const isListening = `datname = current_database() and query like 'listen %'`;

export async function countListening({ sql }: Pick<TestApp, 'sql'>): Promise<number> {
  const [row] = await sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where ${isListening}`,
  );
  return row?.count ?? 0;
}
