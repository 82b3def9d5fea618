import fc from 'fast-check';
import { expect } from 'vitest';
import type { Role } from '../../src/generated/prisma/client.js';
import { bearer, makeKey } from '../auth/makers.js';
import { type Estate, makeEstate, renew } from '../auth/operations.js';
import { type Answer, createTestApp, type TestApp } from '../harness.js';
import { judge } from './answers.js';
import { graphqlRequest } from './graphql-requests.js';
import { heapAfterCollection } from './heap.js';
import { restRequest } from './rest-requests.js';
import type { Plan, Wire } from './wire.js';

export type Siege = {
  seed: number;
  profile: 'development' | 'production';
  /** Whose credentials the requests have that bring none of their own. */
  caller: Role | 'stranger';
  requests: number;
  limitSeconds: number;
  /** Where a failure that is to be had again was found. */
  path?: string | undefined;
};

/** How much of the heap may be taken by what is kept on purpose: documents, statements, code. */
const mostGrowthBytes = 48 * 1024 * 1024;
const slowestMilliseconds = 10_000;

/** A gateway that is asked, and what is known of it. */
type Besieged = {
  app: TestApp;
  headers: Record<string, string>;
  estate: Estate;
  /** Of the database since what changed it last, if it is known. */
  hash: string | undefined;
  /** What was done to the estate since it was made. */
  acts: number;
  /** How many requests it was asked, and after how many its memory is looked at for the first time. */
  asked: number;
  settledAt: number;
  /** What it had in use when most of what is kept on purpose was there. */
  heapBytes: number | undefined;
};

/**
 * Sends random requests until one is answered as none may be, which fails with the smallest like it
 * that was found.
 */
export async function besiege({ profile, caller, ...siege }: Siege): Promise<void> {
  await using app = await createTestApp({ settings: { PROFILE: profile } });
  const besieged = await settle(app, caller, Math.min(siege.requests / 5, requestsToSettle));
  const prototype = Reflect.ownKeys(Object.prototype).length;

  await run(besieged, siege);

  expect(await app.hash()).toBe(besieged.hash ?? (await app.hash()));
  await renew(app, besieged.estate);
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(prototype);
  // Unless one failure alone was to be had again.
  const { heapBytes = Infinity } = besieged;
  expect(heapAfterCollection() - heapBytes).toBeLessThan(mostGrowthBytes);
}

/** By then what is kept on purpose is there: the caches of documents, plans and lookups are full. */
const requestsToSettle = 2_500;

async function settle(app: TestApp, caller: Siege['caller'], settledAt: number): Promise<Besieged> {
  const { key } = await makeKey(app);
  return {
    app,
    headers: bearer(caller === 'stranger' ? `${key}x` : (await makeKey(app, { role: caller })).key),
    estate: await makeEstate(app, key, 'default'),
    hash: undefined,
    acts: 0,
    asked: 0,
    settledAt,
    heapBytes: undefined,
  };
}

type Run = Omit<Siege, 'profile' | 'caller'>;

async function run(besieged: Besieged, { seed, requests, limitSeconds, path }: Run): Promise<void> {
  const plans = fc.oneof(restRequest, graphqlRequest).map(readable);
  await fc.assert(
    fc.asyncProperty(plans, (plan) => ask(besieged, plan)),
    {
      seed,
      numRuns: requests,
      ...(path === undefined ? {} : { path }),
      interruptAfterTimeLimit: limitSeconds * 1_000,
      markInterruptAsFailure: true,
    },
  );
}

/** A failure tells what was sent, which the plan does not. */
function readable(plan: Plan): Plan {
  return Object.defineProperty(plan, fc.toStringMethod, { value: () => 'the request that is told below' });
}

async function ask(besieged: Besieged, plan: Plan): Promise<void> {
  const { app, estate } = besieged;
  const wire = plan(estate);
  if (besieged.asked++ === besieged.settledAt) besieged.heapBytes = heapAfterCollection();
  besieged.hash ??= await app.hash();
  app.log.length = 0;
  let answer: Answer | undefined;
  const statements = await app.countStatements(async () => {
    answer = await send(besieged, wire);
  });
  if (!answer) throw new Error(`is not answered within ${slowestMilliseconds} ms: ${shown(wire)}`);
  const { isRefused, wrongs } = judge(wire, answer);
  const isHarmless = isRefused || isRead(wire);
  const changes = await changesBy(besieged, { statements, isHarmless });
  const all = [...wrongs, ...mishaps(app), ...changes];
  if (all.length > 0) {
    const said = `was answered ${answer.status} ${answer.text.slice(0, 2_000)}`;
    throw new Error([...all, shown(wire), said].join('\n'));
  }
  if (!isHarmless) await restore(besieged, wire);
}

/** What the gateway itself takes for its own fault. */
function mishaps({ log }: TestApp): string[] {
  return log.filter(({ level }) => Number(level) >= 50).map((line) => `logs ${JSON.stringify(line)}`);
}

/** What sends no statement changes nothing; all the rest is looked at. */
async function changesBy(
  besieged: Besieged,
  { statements, isHarmless }: { statements: number; isHarmless: boolean },
): Promise<string[]> {
  if (statements === 0) return [];
  const before = besieged.hash;
  besieged.hash = isHarmless ? await besieged.app.hash() : undefined;
  return isHarmless && before !== besieged.hash
    ? ['changes the database, though it was refused or read only']
    : [];
}

function isRead({ method, url, body }: Wire): boolean {
  return (
    ['GET', 'HEAD'].includes(method) || (url.startsWith('/graphql') && !String(body).includes('mutation'))
  );
}

/** How much is left of an estate: what ends one of its parts counts for ten, what deletes it for all. */
const mostActs = 40;

/** What most acts need is there again when it is used up. */
async function restore(besieged: Besieged, { method, url, body }: Wire): Promise<void> {
  const said = `${method} ${url} ${body}`;
  const isDeletion = /DELETE|delete(Service|Business)/.test(said);
  const isEnd = /end|complete|transition/.test(said);
  besieged.acts += isDeletion ? mostActs : isEnd ? 10 : 1;
  if (besieged.acts < mostActs) return;
  besieged.acts = 0;
  besieged.estate = await renew(besieged.app, besieged.estate);
  besieged.hash = undefined;
}

async function send(
  { app, headers: usual }: Besieged,
  { method, url, headers, body }: Wire,
): Promise<Answer | undefined> {
  const typed = body && !('content-type' in headers) ? { 'content-type': 'application/json' } : {};
  const sent = app.server
    .inject({
      // Methods that the framework does not support are sent on purpose.
      method: method as 'GET',
      url,
      headers: { ...usual, ...typed, ...headers },
      ...(body ? { payload: body } : {}),
    })
    .then(
      (answer): Answer => ({
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        json: jsonOf(answer.body),
      }),
    );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, slowestMilliseconds, undefined);
  });
  try {
    return await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown({ name, method, url, headers, body }: Wire): string {
  return [
    name,
    `${method} ${url.slice(0, 2_000)}`,
    JSON.stringify(headers).slice(0, 2_000),
    String(body ?? '').slice(0, 4_000),
  ].join('\n');
}
