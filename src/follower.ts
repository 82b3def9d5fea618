import {
  type ChangeEvent,
  comparePositions,
  type EventPosition,
  type Moment,
  type Topic,
} from './domain/events.js';
import { TooSlow } from './errors.js';

/** Where a follower has its events from. */
export type Feed = {
  /** Events of its topic behind a position, up to where all are among them, and whether there may be more. */
  list: (
    after: EventPosition,
  ) => Promise<{ events: readonly ChangeEvent[]; upTo: EventPosition; hasMore: boolean }>;
  /** Lets events be handed to it from now on, unless those behind its position were handed out by now. */
  join: (follower: Follower) => boolean;
  leave: (follower: Follower) => void;
};

/** So many may wait to be taken: all who follow them share them, so that they take little room. */
const mostWaiting = 1_000;

type Taking = {
  resolve: (result: IteratorResult<ChangeEvent, undefined>) => void;
  reject: (error: Error) => void;
};

/**
 * The events of one topic from a moment on, in their order, each once. What is in the past is read page by page,
 * as fast as it is taken; from where it meets those who read for all, they hand events on.
 */
export class Follower implements AsyncIterableIterator<ChangeEvent, undefined> {
  readonly topic: Topic;
  readonly #feed: Feed;
  #position: EventPosition;
  #waiting: ChangeEvent[] = [];
  #taking: Taking | undefined;
  #hasJoined = false;
  #end: { error: Error | null } | undefined;
  readonly #isPast: Moment['isPast'];

  constructor(feed: Feed, topic: Topic, { position, isPast }: Moment) {
    this.#feed = feed;
    this.topic = topic;
    this.#position = position;
    this.#isPast = isPast;
  }

  /** Up to where it has looked at all events. */
  get position(): EventPosition {
    return this.#position;
  }

  /** Joins those that are as far, or else reads on. */
  join(): void {
    this.#hasJoined = this.#feed.join(this);
  }

  /** Reads a page, and joins where that is the last one. */
  async readOn(): Promise<void> {
    const { events, upTo, hasMore } = await this.#feed.list(this.#position);
    if (this.#end) return;
    this.#position = upTo;
    for (const event of events) {
      if (!this.#isPast(event)) this.#waiting.push(event);
    }
    // Who has much to take first would be too slow for what comes meanwhile.
    if (!hasMore && this.#waiting.length < mostWaiting / 2) this.join();
  }

  /** What it has read by itself comes no second time. */
  take(event: ChangeEvent): void {
    if (this.#end || comparePositions(event, this.#position) <= 0) return;
    this.#position = event;
    if (this.#isPast(event)) return;
    const taking = this.#taking;
    this.#taking = undefined;
    if (taking) taking.resolve({ value: event, done: false });
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(event);
    else this.fail(new TooSlow('The changes came faster than they were taken: go on behind the last one.'));
  }

  async next(): Promise<IteratorResult<ChangeEvent, undefined>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value) return { value, done: false };
      if (this.#end) return this.#finish(this.#end);
      if (this.#hasJoined) return new Promise((resolve, reject) => (this.#taking = { resolve, reject }));
      await this.readOn().catch((error) => this.fail(error));
    }
  }

  async return(): Promise<IteratorResult<ChangeEvent, undefined>> {
    this.#leave(null);
    this.#taking?.resolve({ value: undefined, done: true });
    return { value: undefined, done: true };
  }

  /** What waits is not handed over any more: it is read again by who goes on. */
  fail(error: Error): void {
    if (this.#end) return;
    const taking = this.#taking;
    this.#leave(taking ? null : error);
    taking?.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #leave(error: Error | null): void {
    this.#end = { error };
    this.#waiting = [];
    this.#feed.leave(this);
  }

  /** The error is told once. */
  #finish({ error }: { error: Error | null }): IteratorResult<ChangeEvent, undefined> {
    this.#end = { error: null };
    if (error) throw error;
    return { value: undefined, done: true };
  }
}
