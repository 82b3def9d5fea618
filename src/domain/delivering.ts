import type { Admin } from '../db/database.js';
import type { WebhookStatus } from '../generated/prisma/client.js';
import {
  dueStatement,
  type Held,
  leaseStatement,
  lookStatement,
  releaseStatement,
  type SettledAttempt,
  settleStatement,
  takeStatement,
} from './delivery-statements.js';
import type { Secrets, Told } from './webhook-messages.js';

export type { Held };

/** A delivery that is to be sent now, with what its webhook says at this moment. */
export type DueDelivery = Told & Secrets & { attempts: number; url: string };

/** @returns the tenants for whose webhooks the gateway works that long, each as often as it has one */
export async function leaseWebhooks({ prisma }: Admin, owner: string, seconds: number): Promise<string[]> {
  const leased = await prisma.$queryRaw<{ tenant: string }[]>(leaseStatement(owner, seconds));
  return leased.map(({ tenant }) => tenant);
}

/** Leaves them to others at once. */
export async function releaseWebhooks({ prisma }: Admin, owner: string): Promise<void> {
  await prisma.$executeRaw(releaseStatement(owner));
}

export type Work = Omit<Held, 'owner'> & {
  /** Whether the newest attempt failed. */
  isFailing: boolean;
  hasEvents: boolean;
  hasDue: boolean;
};

/** The webhooks of the gateway for which there is something to do. */
export function lookForWork({ prisma }: Admin, owner: string, now: Date): Promise<Work[]> {
  return prisma.$queryRaw<Work[]>(lookStatement(owner, now));
}

const eventsPerBatch = 500;

/** @returns whether there were so many that there may be more */
export async function takeEvents({ prisma }: Admin, held: Held, now: Date): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ events: bigint }[]>(takeStatement(held, now, eventsPerBatch));
  return Number(row?.events ?? 0) === eventsPerBatch;
}

export type DueQuery = { now: Date; busy: readonly bigint[]; most: number };

/** Each of another service, and the next one of that. */
export function listDue({ prisma }: Admin, held: Held, query: DueQuery): Promise<DueDelivery[]> {
  return prisma.$queryRaw<DueDelivery[]>(dueStatement(held, query));
}

/** What a receiver made of one attempt. */
export type Reply =
  | { state: 'answered'; status: number; retryAfter: string | undefined }
  | { state: 'failed'; reason: string };

export type Outcome = SettledAttempt & {
  /** The receiver asked for so much of a pause, for all of its deliveries. */
  resumeAt: Date | null;
  isGone: boolean;
};

export type Retrying = {
  now: Date;
  /** The waits between attempts, in seconds; a delivery that fails once more is dead. */
  retrySeconds: readonly number[];
  /** 0 to 1, so that what has failed together is not tried again together. */
  random: () => number;
};

/** Longer waits than these are not for a receiver to ask for. */
const longestWaitSeconds = 24 * 60 * 60;
const longestPauseSeconds = 60 * 60;
/** Statuses that are about the receiver and not about what was sent. */
const ofPause: ReadonlySet<number> = new Set([429, 503]);

/** What is to become of a delivery. */
export function outcomeOf(
  delivery: DueDelivery,
  reply: Reply,
  { now, retrySeconds, random }: Retrying,
): Outcome {
  const failure = failureOf(reply);
  const isAnswered = reply.state === 'answered';
  const asked = isAnswered ? secondsAsked(reply.retryAfter, now) : 0;
  const usual = (retrySeconds[delivery.attempts] ?? 0) * (0.8 + 0.4 * random());
  const isLast = delivery.attempts >= retrySeconds.length;
  const after = (seconds: number) => new Date(now.getTime() + Math.round(seconds * 1_000));
  const pause = isAnswered && ofPause.has(reply.status) ? Math.min(asked, longestPauseSeconds) : 0;
  return {
    service_id: String(delivery.serviceId),
    version: delivery.version,
    attempts: delivery.attempts,
    failure,
    next_attempt_at:
      failure === null || isLast ? null : after(Math.max(usual, Math.min(asked, longestWaitSeconds))),
    resumeAt: pause > 0 ? after(pause) : null,
    isGone: isAnswered && reply.status === 410,
  };
}

function failureOf(reply: Reply): string | null {
  if (reply.state === 'failed') return reply.reason;
  const { status } = reply;
  if (status >= 200 && status < 300) return null;
  return `answered ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : ''}`;
}

/** `Retry-After` is a number of seconds or a date; 0 for what is neither. */
function secondsAsked(retryAfter: string | undefined, now: Date): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const seconds = (Date.parse(retryAfter) - now.getTime()) / 1_000;
  return seconds > 0 ? seconds : 0;
}

/** After so long without any success a webhook is given up: what it is to be told of would only pile up. */
const hopelessSeconds = 5 * 24 * 60 * 60;

export type Settled = { status: WebhookStatus; dead: number };

/**
 * Writes down what came of attempts, at most one of each service.
 * @returns undefined when another gateway has the webhook by now, or it is no more: nothing was written
 */
export async function settleAttempts(
  { prisma }: Admin,
  held: Held,
  outcomes: readonly Outcome[],
  now: Date,
): Promise<Settled | undefined> {
  const pauses = outcomes.flatMap(({ resumeAt }) => resumeAt ?? []);
  const statement = settleStatement(held, {
    now,
    attempts: outcomes.map(({ resumeAt: _, isGone: _gone, ...attempt }) => attempt),
    resumeAt: pauses.toSorted((a, b) => b.getTime() - a.getTime())[0] ?? null,
    isGone: outcomes.some(({ isGone }) => isGone),
    failedBefore: new Date(now.getTime() - hopelessSeconds * 1_000),
  });
  const [row] = await prisma.$queryRaw<{ status: WebhookStatus; dead: bigint }[]>(statement);
  return row && { status: row.status, dead: Number(row.dead) };
}
