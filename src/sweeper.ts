import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './db/database.js';
import { type Counts, logFailure, type Pass, sweepRecords, sweepServices } from './domain/sweeping.js';
import type { Logger } from './logger.js';

/** How often a gateway sweeps, and how long events are kept. */
export type Sweeping = { intervalSeconds: number; eventSeconds: number };

/** Is told what the passes do. */
export type SweepObserver = {
  onSwept(counts: Counts): void;
  onFailure(): void;
  onPass(): void;
};

export type SweeperOptions = {
  database: Database;
  logger: Logger;
  clock: () => Date;
  observer?: SweepObserver;
};

/** The first pass comes soon, but behind what a start has to do. */
const firstSeconds = 3;
/** How soon a gateway looks again at a purge that another one is at, which may have crashed by then. */
const awaitingSeconds = 2;
/** Rows that are only kept for a time are small, and nobody waits for them to go. */
const recordSeconds = 10 * 60;
const longestRestMilliseconds = 5_000;

/** Sweeps from its start until it is disposed of. All gateways on one database do, and share the work. */
export class Sweeper implements AsyncDisposable {
  readonly #options: SweeperOptions;
  readonly #stopping = new AbortController();
  #call = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #recordsDue = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(sweeping: Sweeping): void {
    this.#loop = this.#run(sweeping);
  }

  /** Lets the next pass begin at once, since there is something to do. Without a start nothing happens. */
  wake(): void {
    this.#call.abort();
  }

  /** Waits for the batch in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run({ intervalSeconds, eventSeconds }: Sweeping): Promise<void> {
    let seconds = Math.min(firstSeconds, intervalSeconds);
    while (!this.#stopping.signal.aborted) {
      await this.#sleepUntilCalled(seconds);
      const next = this.#stopping.signal.aborted ? null : await this.#sweep(eventSeconds);
      seconds =
        next === 'at once'
          ? 0
          : Math.min(next === 'soon' ? awaitingSeconds : intervalSeconds, intervalSeconds);
    }
  }

  /** A call that came during a pass may be of what that pass saw no more. */
  async #sleepUntilCalled(seconds: number): Promise<void> {
    // Gateways that were started together drift apart.
    const jittered = seconds * 1_000 * (0.8 + 0.4 * Math.random());
    await pause(jittered, AbortSignal.any([this.#stopping.signal, this.#call.signal]));
    this.#call = new AbortController();
  }

  /** @returns when there is more to do, if that is known; a pass that fails is logged */
  async #sweep(eventSeconds: number): Promise<'at once' | 'soon' | null> {
    const { database, logger, clock, observer } = this.#options;
    const { signal } = this.#stopping;
    const pass: Pass = {
      ...{ now: clock(), eventSeconds, logger, signal },
      // As long as the batch took: half of the time is left to the callers.
      rest: (milliseconds) => pause(Math.min(milliseconds, longestRestMilliseconds), signal),
      onFailure: () => observer?.onFailure(),
    };
    try {
      const services = await sweepServices(database, pass);
      observer?.onSwept(services);
      const hasMoreRecords = await this.#sweepRecords(pass);
      if (services.hasMore || hasMoreRecords) return 'at once';
      return services.isAwaiting ? 'soon' : null;
    } catch (error) {
      logFailure(logger, error);
      observer?.onFailure();
      return null;
    } finally {
      observer?.onPass();
    }
  }

  /** @returns whether there are more */
  async #sweepRecords(pass: Pass): Promise<boolean> {
    if (performance.now() < this.#recordsDue) return false;
    const { hasMore, isAwaiting, ...counts } = await sweepRecords(this.#options.database, pass);
    this.#options.observer?.onSwept(counts);
    // What could not be done is tried again by the next pass.
    if (!hasMore && !isAwaiting) this.#recordsDue = performance.now() + recordSeconds * 1_000;
    return hasMore;
  }
}

/** Does not keep the process alive. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // It rejects when it is cut short, which is no failure.
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}
