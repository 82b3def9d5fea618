import { print } from 'graphql';
import { expect } from 'vitest';
import { type Answer, createTestApp, type TestApp } from '../harness.js';

/** A call of `/graphql` by POST and its answer. */
export type Exchange = {
  body: Record<string, unknown>;
  answer: Answer;
  /** Whether the fast lane took it; undefined where it was refused before that was asked. */
  isFast: boolean | undefined;
};

/** What is done to a gateway. `record` takes down what is sent to another one too. */
export type Script = (app: TestApp, record: (other: TestApp) => TestApp) => Promise<void>;

/** Two gateways with the same data, one of which gets no call that the fast lane takes. */
export type Ways = AsyncDisposable & {
  /**
   * Does the same to both and expects that both answer alike: status, headers but the date, every byte.
   * @returns the calls of the one with the lane
   */
  compare(script: Script): Promise<Exchange[]>;
};

export const now = () => new Date('2026-03-01T09:30:00.000Z');

/** `extensions: {}` asks for nothing, and the lane does not take it. */
const members = { withLane: {}, withoutLane: { extensions: {} } } as const;

export async function openWays(): Promise<Ways> {
  const withLane = await createTestApp({ now });
  const withoutLane = await createTestApp({ now });
  return {
    async compare(script) {
      const [fast, slow] = await Promise.all([
        perform(withLane, 'withLane', script),
        perform(withoutLane, 'withoutLane', script),
      ]);
      expectSameAnswers(fast, slow);
      return fast;
    },
    async [Symbol.asyncDispose]() {
      await withLane[Symbol.asyncDispose]();
      await withoutLane[Symbol.asyncDispose]();
    },
  };
}

async function perform(app: TestApp, way: keyof typeof members, script: Script): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  const record = (other: TestApp) => recorded(other, way, exchanges);
  await script(record(app), record);
  return exchanges;
}

export function expectSameAnswers(withLane: readonly Exchange[], withoutLane: readonly Exchange[]): void {
  expect(withoutLane.filter(({ isFast }) => isFast)).toEqual([]);
  expect(withLane.length).toBe(withoutLane.length);
  for (const [index, { body, answer }] of withLane.entries()) {
    expect(seenIn(answer), JSON.stringify(body)).toEqual(seenIn(withoutLane[index]?.answer));
  }
}

function seenIn(answer: Answer | undefined): object {
  const { date, ...headers } = answer?.headers ?? {};
  expect(date).toBeDefined();
  return { status: answer?.status, headers, text: answer?.text };
}

/** The app with its calls numbered, the same in every run, and those of GraphQL taken down. */
export function recorded(app: TestApp, way: keyof typeof members, exchanges: Exchange[]): TestApp {
  let calls = 0;
  const rest: TestApp['rest'] = async (method, url, { body, headers, ...options } = {}) => {
    const id = `call-${++calls}`;
    const from = app.log.length;
    const send = (sent: unknown) =>
      app.rest(method, url, { ...options, body: sent, headers: { ...headers, 'x-request-id': id } });
    if (method !== 'POST' || !url.startsWith('/graphql') || !isObject(body)) return send(body);
    const answer = await send({ ...body, ...members[way] });
    const line = app.log.slice(from).find(({ reqId, msg }) => reqId === id && msg === 'GraphQL request');
    exchanges.push({ body, answer, isFast: line && Boolean(line['isFast']) });
    return answer;
  };
  const graphql: TestApp['graphql'] = async (document, variables) =>
    (await ask({ rest }, { query: print(document), variables })).json;
  return { ...app, rest, graphql };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function ask(
  { rest }: Pick<TestApp, 'rest'>,
  body: object,
  headers: Record<string, string> = {},
  url = '/graphql',
): Promise<Answer> {
  return rest('POST', url, { body, headers });
}
