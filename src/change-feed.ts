import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Db } from './db/database.js';
import { asUnavailable } from './db/failures.js';
import {
  type ChangeEvent,
  comparePositions,
  currentMoment,
  type EventPosition,
  listEvents,
  listEventsOf,
  type Moment,
  requireNear,
  type Topic,
  topicsOf,
} from './domain/events.js';
import { Gone, Overloaded, Stopping } from './errors.js';
import { type Feed, Follower } from './follower.js';
import type { Logger } from './logger.js';

export type ChangeFeedOptions = {
  database: Pick<Database, 'forTenant' | 'wakeUps'>;
  logger: Logger;
  /** How often is looked for events that nobody was woken up for. */
  pollMilliseconds?: number;
  mostFollowers?: number;
};

export type Following = {
  topic: Topic;
  /** Null for what comes from now on. */
  after: EventPosition | null;
};

/** How many events one statement reads, and how many it looks at for those of one topic. */
const pageSize = 500;
const lookSize = 5_000;

/** Between two looks, however often one is called for. */
const restMilliseconds = 10;

/**
 * Hands the events of each tenant out to all who follow some of them on this gateway: they are read once for all.
 * Who starts from a place in the past reads from there by itself until it has caught up with the others.
 */
export class ChangeFeed {
  readonly #options: Required<ChangeFeedOptions>;
  readonly #readers = new Map<string, Reader>();
  readonly #followers = new Set<Follower>();
  /** What goes on for all is in the context of no call. */
  readonly #outside = AsyncLocalStorage.snapshot();
  /** Of each tenant, the read that those who catch up wait for. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** How many are waiting for theirs. */
  #waiting = 0;
  #isClosed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = { pollMilliseconds: 1_000, mostFollowers: 10_000, ...options };
  }

  /** How many followers there are. */
  get size(): number {
    return this.#followers.size;
  }

  /**
   * The events of a topic in their order, each once. They end with Gone where some were swept meanwhile, with
   * TooSlow where they are not taken as fast as they come, and with Unavailable when the gateway stops.
   * @throws Gone, Overloaded, Unavailable
   */
  async follow(db: Db, { topic, after }: Following): Promise<Follower> {
    this.#requireRoom();
    if (after) await this.#inTurn(db, () => requireNear(db, after));
    const start: Moment = after ? { position: after, isPast: () => false } : await currentMoment(db);
    // Others may have come meanwhile.
    this.#requireRoom();
    const follower = new Follower(this.#feedOf(db, topic), topic, start);
    this.#followers.add(follower);
    try {
      if (after) await follower.readOn();
      else follower.join();
    } catch (error) {
      await follower.return();
      throw error;
    }
    if (this.#isClosed) follower.fail(stopping());
    return follower;
  }

  /** Ends all that follow, and refuses others. */
  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.fail(stopping());
  }

  #requireRoom(): void {
    if (this.#isClosed) throw stopping();
    if (this.#followers.size + this.#waiting >= this.#options.mostFollowers) {
      throw new Overloaded('More follow changes than can be served: try again later.');
    }
  }

  #feedOf(db: Db, topic: Topic): Feed {
    return {
      list: (after) =>
        this.#inTurn(db, async () => {
          const { position = after } = this.#readers.get(db.tenant) ?? {};
          const { events, upTo, hasMore } = await listEventsOf(db, topic, { after, most: lookSize });
          // What was handed out by then would be among the last ones: there is nothing up to there.
          const isFurther = !hasMore && comparePositions(position, upTo) > 0;
          return { events, upTo: isFurther ? position : upTo, hasMore };
        }),
      join: (follower) => this.#join(db.tenant, follower),
      leave: (follower) => this.#leave(db.tenant, follower),
    };
  }

  /** However many of a tenant catch up, they take one connection. */
  async #inTurn<Result>({ tenant }: Db, read: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const before = this.#turns.get(tenant);
    const turn = Promise.resolve(before).then(() => {
      if (this.#isClosed) throw stopping();
      return read();
    });
    const ended = turn.catch(() => {});
    this.#turns.set(tenant, ended);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
      if (this.#turns.get(tenant) === ended) this.#turns.delete(tenant);
    }
  }

  #join(tenant: string, follower: Follower): boolean {
    const reader = this.#readers.get(tenant) ?? this.#open(tenant, follower.position);
    if (comparePositions(reader.position, follower.position) > 0) return false;
    reader.add(follower);
    return true;
  }

  #open(tenant: string, position: EventPosition): Reader {
    const db = this.#options.database.forTenant(tenant);
    const reader = this.#outside(() => new Reader(db, position, this.#options));
    this.#readers.set(tenant, reader);
    return reader;
  }

  #leave(tenant: string, follower: Follower): void {
    this.#followers.delete(follower);
    const reader = this.#readers.get(tenant);
    if (!reader) return;
    reader.remove(follower);
    if (reader.isIdle) {
      this.#readers.delete(tenant);
      reader.stop();
    }
  }
}

function stopping(): Stopping {
  return new Stopping('The gateway stops: go on at another one.');
}

/** Reads the events of one tenant as they come, for all who follow some of them. */
class Reader {
  readonly #db: Db;
  readonly #options: Required<ChangeFeedOptions>;
  readonly #followers = new Map<Topic, Set<Follower>>();
  readonly #listening: Disposable;
  #position: EventPosition;
  #isCalled = false;
  #isStopped = false;
  #isDown = false;
  #wake = () => {};

  constructor(db: Db, position: EventPosition, options: Required<ChangeFeedOptions>) {
    this.#db = db;
    this.#options = options;
    this.#position = position;
    this.#listening = options.database.wakeUps.listen((tenant) => {
      if (tenant === db.tenant) this.#call();
    });
    void this.#run();
  }

  /** How far events were handed out. */
  get position(): EventPosition {
    return this.#position;
  }

  get isIdle(): boolean {
    return this.#followers.size === 0;
  }

  add(follower: Follower): void {
    const others = this.#followers.get(follower.topic);
    if (others) others.add(follower);
    else this.#followers.set(follower.topic, new Set([follower]));
  }

  remove(follower: Follower): void {
    const others = this.#followers.get(follower.topic);
    others?.delete(follower);
    if (others?.size === 0) this.#followers.delete(follower.topic);
  }

  stop(): void {
    this.#isStopped = true;
    this.#listening[Symbol.dispose]();
    this.#call();
  }

  /** A call that comes while events are read may be of some that were not there yet. */
  #call(): void {
    this.#isCalled = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      this.#isCalled = false;
      await this.#read();
      await sleep(restMilliseconds, undefined, { ref: false });
      if (!this.#isCalled) await this.#untilCalled();
    }
  }

  #untilCalled(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.pollMilliseconds).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #read(): Promise<void> {
    try {
      let page: ChangeEvent[];
      do {
        page = await listEvents(this.#db, { after: this.#position, first: pageSize });
        for (const event of page) this.#handOut(event);
      } while (page.length === pageSize && !this.#isStopped);
      this.#isDown = false;
    } catch (error) {
      this.#report(error);
    }
  }

  #handOut(event: ChangeEvent): void {
    this.#position = event;
    for (const topic of topicsOf(event)) {
      for (const follower of this.#followers.get(topic) ?? []) follower.take(event);
    }
  }

  /** Whoever follows waits until the database is back; what is gone by then is gone for all. */
  #report(error: unknown): void {
    if (error instanceof Gone) {
      for (const follower of [...this.#followers.values()].flatMap((some) => [...some])) follower.fail(error);
      return;
    }
    const { logger } = this.#options;
    const known = asUnavailable(error);
    if (!known) logger.error({ err: error }, 'the events could not be read');
    else if (!this.#isDown) logger.warn({ err: known }, 'the events cannot be read');
    this.#isDown = true;
  }
}
