import type { Command, Extension, Fields, Operation, Refusal } from './acts.js';

/** What the contract says there is after a sequence of acts. */
export type World = {
  /** Each world has one of its own, so that many fit into one database. */
  tenant: string;
  /** Milliseconds, as all times here. */
  now: number;
  /** In the order of their starts, and those that are gone too. */
  services: Service[];
  purges: Purge[];
  /** What came of the calls with idempotency keys. */
  done: Map<string, Done>;
};

export type Done = { at: number; command: Command; outcome: Success | CompositeSuccess | PurgeSuccess };

export type Occasion = { at: number; fields: Fields };

/** A service, a state or a task. What it does not have is absent from its fields. */
export type Item = {
  fields: Fields;
  started: Occasion;
  completed: Occasion | null;
  extensions: Extension[];
};

export type Entry = {
  version: number;
  kind: 'START' | 'ASSOCIATE' | 'UNDO';
  from: string | null;
  to: string | null;
  reason: string | null;
  front: 'REST' | 'GRAPHQL';
  occurredAt: number;
  recordedAt: number;
};

export type Service = Item & {
  /** Empty until the gateway has answered the start. */
  id: string;
  version: number;
  updatedAt: number;
  expiresAt: number | null;
  history: Entry[];
  states: Item[];
  tasks: Item[];
  /** The type of the event that each of its versions came with. */
  events: string[];
  isGone: boolean;
};

export type Purge = {
  /** Empty until the gateway has answered the start. */
  id: string;
  operation: Operation;
  startedTo: number;
  isDryRun: boolean;
  matched: number;
  deleted: number;
  createdAt: number;
  finishedAt: number | null;
  /** How many services there had ever been when it began: those behind them are left alone. */
  most: number;
};

/** Of which service, by its place in the world, and which of its states or tasks was started or ended. */
export type Success = { index: number; version: number; part: number | null; replayed: boolean };

/** What was found or started for one entry. */
export type Started = {
  index: number;
  isServiceCreated: boolean;
  state: number;
  isStateCreated: boolean;
  task: number | null;
  isTaskCreated: boolean;
};

export type CompositeSuccess = { starts: Started[]; replayed: boolean };

/** Which purge, by its place in the world. */
export type PurgeSuccess = { purge: number; replayed: boolean };

/** Refused for one of these reasons; where there are several, the contract does not say for which. */
export type Refused = { refusals: Refusal[] };

export type Outcome = Success | Refused;

export function newService({ now }: Pick<World, 'now'>): Service {
  const started = { at: now, fields: {} };
  const lists = { extensions: [], history: [], states: [], tasks: [], events: [] };
  const times = { updatedAt: now, expiresAt: null, started, completed: null };
  return { id: '', version: 0, fields: {}, isGone: false, ...times, ...lists };
}

export function livingOf({ services }: { services: readonly Service[] }): Service[] {
  return services.filter(({ isGone }) => !isGone);
}

const keyMilliseconds = 24 * 60 * 60 * 1_000;

export function isKept({ now }: World, { at }: Done): boolean {
  return now - at <= keyMilliseconds;
}

/** What came of the call that had the same key, as long as that is known. */
export function findDone(world: World, { idempotencyKey }: Command): Done | undefined {
  const done = idempotencyKey === null ? undefined : world.done.get(idempotencyKey);
  return done && isKept(world, done) ? done : undefined;
}

export function isSameCommand(command: Command, other: Command): boolean {
  const saying = ({ front: _, ...rest }: Command) => JSON.stringify(rest);
  return saying(command) === saying(other);
}

export function ownerOf({ fields }: Item): string | null {
  return (fields['customerId'] ?? null) as string | null;
}
