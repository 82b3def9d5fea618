import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../random.js';
import { type Act, newAct, requestFor, type Verdict, verdictOn } from './acts.js';
import { type Exchange, exchange, type Line } from './exchange.js';

/** An act and what its caller knows of it in the end. */
export type Entry = { act: Act; verdict: Verdict };

export type TrafficOptions = {
  url: string;
  callers: number;
  /** Bounds, whatever happens: no more acts than these. */
  mostActs?: number;
  /** Of ten calls so many are reads. */
  reads?: number;
};

export type Outcome = number | Exclude<Exchange['state'], 'answered'>;

/** What happened so far, and the end of it. */
export type Traffic = {
  entries: readonly Entry[];
  /** How many requests were answered with the status, or `broken` or `unsent`, by now. */
  count(outcome: Outcome): number;
  /** Until one more is. */
  another(outcome: Outcome): Promise<void>;
  /** How many acts have been acknowledged. */
  acknowledged(): number;
  /** Until so many more have been. */
  acknowledges(more: number): Promise<void>;
  /** No new acts; keyed ones are sent again until they are acknowledged. */
  stop(): Promise<readonly Entry[]>;
};

/** Between two tries, so that callers of what does not answer leave the machine some time. */
const pauseMilliseconds = 50;
const longestRetryMilliseconds = 60_000;
/** So few that acts meet on them. */
const mostTargets = 200;

/**
 * Callers that start, associate, update and read services without a pause, over both fronts, half of the
 * acts with an idempotency key. Those are sent again until they are acknowledged, others never.
 */
export function startTraffic({ url, callers, mostActs = 100_000, reads = 1 }: TrafficOptions): Traffic {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const random = randomFrom(callers);
  const entries: Entry[] = [];
  const targets: string[] = [];
  const outcomes = new Map<Outcome, number>();
  let acknowledged = 0;
  let begun = 0;
  let isStopping = false;

  const count = (outcome: Outcome) => outcomes.get(outcome) ?? 0;
  const send: Send = async (request) => {
    const answer = await exchange({ url, agent }, request);
    const outcome = answer.state === 'answered' ? answer.status : answer.state;
    outcomes.set(outcome, count(outcome) + 1);
    return answer;
  };
  const take = (entry: Entry) => {
    entries.push(entry);
    if (entry.verdict.state !== 'acknowledged') return;
    acknowledged += 1;
    if (entry.act.kind === 'start') targets.push(entry.verdict.serviceId);
    if (targets.length > mostTargets) targets.shift();
  };
  const caller = async () => {
    while (!isStopping && begun < mostActs) {
      begun += 1;
      const target = targets[Math.floor(random() * targets.length)];
      if (target && random() * 10 < reads) await read(send, target);
      take(await perform(send, chooseAct(random, target)));
    }
  };
  const running = Array.from({ length: callers }, caller);
  return {
    entries,
    count,
    async another(outcome) {
      const before = count(outcome);
      await until(() => count(outcome) > before, 60, `another answer of ${outcome}`);
    },
    acknowledged: () => acknowledged,
    async acknowledges(more) {
      const goal = acknowledged + more;
      await until(() => acknowledged >= goal, 60 + more / 100, `${more} more acknowledged acts`);
    },
    async stop() {
      isStopping = true;
      await Promise.all(running);
      agent.destroy();
      return entries;
    },
  };
}

async function until(hasCome: () => boolean, seconds: number, what: string): Promise<void> {
  const deadline = performance.now() + seconds * 1_000;
  while (!hasCome()) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(5);
  }
}

type Send = (request: Parameters<typeof exchange>[1]) => ReturnType<typeof exchange>;

function chooseAct(random: () => number, target: string | undefined): Act {
  const dice = random();
  const kind = target === undefined || dice < 0.3 ? 'start' : dice < 0.75 ? 'associate' : 'update';
  return newAct(kind, random() < 0.5 ? 'REST' : 'GRAPHQL', target ?? '', random() < 0.5);
}

/** Sends an act; one with a key again and again, until it is known to be done. */
async function perform(send: Send, act: Act): Promise<Entry> {
  const deadline = performance.now() + longestRetryMilliseconds;
  const request = requestFor(act);
  for (;;) {
    const verdict = verdictOn(act, await send(request));
    const isSettled = verdict.state === 'acknowledged' || verdict.state === 'wrong';
    if (isSettled) return { act, verdict };
    await sleep(pauseMilliseconds);
    if (act.key === null || performance.now() > deadline) return { act, verdict };
  }
}

async function read(send: Send, serviceId: string): Promise<void> {
  await send({ method: 'GET', path: `/genesys/1/cs/services/${serviceId}` });
}

/** A line of its own to the gateway, with no connection of former calls. */
export function newLine(url: string): Line {
  return { url, agent: new Agent({ keepAlive: false }) };
}
