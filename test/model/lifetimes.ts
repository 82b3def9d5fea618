import type { Fields, Operation, PurgeStart, Refusal } from './acts.js';
import { endParts } from './changes.js';
import { hasOperation } from './inputs.js';
import {
  findDone,
  isSameCommand,
  livingOf,
  ownerOf,
  type Purge,
  type PurgeSuccess,
  type Refused,
  type Service,
  type World,
} from './world.js';

const day = 24 * 60 * 60;
const usualSeconds = 5 * 365 * day;

/** How long services of these types are kept, by the type's digits or its string. */
export const secondsByType: ReadonlyMap<string, number> = new Map([
  ['claim', 3 * 60 * 60],
  ['7', day],
]);

/** When a service expires that says so itself: null for never, undefined where it says nothing. */
export function givenExpiry({ ttl, expirationTime }: Fields, now: number): number | null | undefined {
  if (typeof ttl === 'number') return now + ttl * 1_000;
  if (typeof expirationTime === 'string') return Date.parse(expirationTime);
  return ttl === null || expirationTime === null ? null : undefined;
}

export function usualExpiry({ serviceType }: Fields, now: number): number {
  return now + (secondsByType.get(String(serviceType)) ?? usualSeconds) * 1_000;
}

/** When the service is completed unless something of it changes. */
export function idleAt({ fields, completed, updatedAt }: Service): number | null {
  const { autoCompleteAfter } = fields;
  return completed || typeof autoCompleteAfter !== 'number' ? null : updatedAt + autoCompleteAfter * 1_000;
}

/** Whether a purge takes a service that was started early enough. */
export type IsPurged = (service: Service, operation: Operation) => boolean;

export const isPurged: IsPurged = (service, operation) => {
  if (operation === 'ALL') return true;
  const isRight = /^COMPLETED/.test(operation) === (service.completed !== null);
  return isRight && (!/ANONYMOUS/.test(operation) || ownerOf(service) === null);
};

/** Begins a purge, or nothing where it is refused. */
export function performPurge(world: World, start: PurgeStart, rules: Rules): PurgeSuccess | Refused {
  const done = findDone(world, start);
  if (done && 'purge' in done.outcome && isSameCommand(done.command, start)) {
    return { ...done.outcome, replayed: true };
  }
  const { operation, startedTo, isDryRun, idempotencyKey } = start;
  const refusals: Refusal[] = [
    ...(hasOperation(start) ? [] : ['NOT_FOUND' as const]),
    ...(Date.parse(startedTo) <= world.now ? [] : ['INVALID' as const]),
    ...(done ? ['IDEMPOTENCY_KEY_REUSED' as const] : []),
  ];
  if (refusals.length > 0) return { refusals };

  const purge: Purge = {
    ...{ id: '', operation, startedTo: Date.parse(startedTo), isDryRun, matched: 0, deleted: 0 },
    ...{ createdAt: world.now, finishedAt: isDryRun ? world.now : null, most: world.services.length },
  };
  purge.matched = matchesOf(world, purge, rules).length;
  const outcome = { purge: world.purges.push(purge) - 1, replayed: false };
  if (idempotencyKey !== null) world.done.set(idempotencyKey, { at: world.now, command: start, outcome });
  return outcome;
}

type Rules = { isPurged: IsPurged };

function matchesOf(world: World, { operation, startedTo, most }: Purge, rules: Rules): Service[] {
  return livingOf({ services: world.services.slice(0, most) }).filter(
    (service) => service.started.at < startedTo && rules.isPurged(service, operation),
  );
}

/** Brings a purge to its end, and answers how many services it deletes. */
export function finishPurge(world: World, purge: Purge, rules: Rules): number {
  const matches = matchesOf(world, purge, rules);
  for (const service of matches) leave(service, 'SERVICE_DELETED');
  purge.deleted += matches.length;
  purge.finishedAt = world.now;
  return matches.length;
}

/** Does what is due: what is idle is completed, then what has expired and what is purged goes. */
export function performSweep(world: World, rules: Rules) {
  const { now } = world;
  const idle = livingOf(world).filter((service) => isDue(idleAt(service), now));
  for (const service of idle) {
    service.completed = { at: Math.max(now, service.started.at), fields: {} };
    service.updatedAt = now;
    service.version += 1;
    service.events.push('SERVICE_COMPLETED');
    endParts(service);
  }
  const expired = livingOf(world).filter(({ expiresAt }) => isDue(expiresAt, now));
  for (const service of expired) leave(service, 'SERVICE_EXPIRED');
  const running = world.purges.filter(({ finishedAt }) => finishedAt === null);
  const purged = running.reduce((sum, purge) => sum + finishPurge(world, purge, rules), 0);
  return { completed: idle.length, expired: expired.length, purged };
}

function isDue(at: number | null, now: number): boolean {
  return at !== null && at <= now;
}

function leave(service: Service, event: string): void {
  service.isGone = true;
  service.version += 1;
  service.events.push(event);
}
