import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from '../logger.js';

export type WakeUpOptions = {
  /** Tells the channel of the topics, in a transaction of its own. */
  notify: (channel: string, topics: readonly string[]) => Promise<unknown>;
  /** A connection of its own, yet to be opened. */
  createClient: () => pg.Client;
  logger: Logger;
};

export type Wake = (topic: string) => void;

const channel = 'context_gateway';

/** A notification holds a lock of the whole server while it commits: however much happens, there are few. */
const restMilliseconds = 25;
const firstPauseMilliseconds = 100;
const longestPauseMilliseconds = 10_000;

/**
 * Lets all processes on a database hear at once that there is something new on a topic. It is a hint: one may
 * come late, twice or never, so that who listens has to look by himself now and then.
 */
export class WakeUps implements AsyncDisposable {
  readonly #options: WakeUpOptions;
  readonly #listeners = new Set<Wake>();
  readonly #due = new Set<string>();
  readonly #disposal = new AbortController();
  #isTelling = false;
  /** Hangs up the connection that is kept for the listeners. */
  #line: AbortController | undefined;
  /** Those that were hung up go on until their connection is closed. */
  readonly #lines = new Set<Promise<void>>();

  constructor(options: WakeUpOptions) {
    this.#options = options;
  }

  /** Returns at once; what is rung for meanwhile goes together with the next notification. */
  ring(topic: string): void {
    this.#due.add(topic);
    if (this.#isTelling) return;
    this.#isTelling = true;
    // The caller's own answer goes first.
    setImmediate(() => void this.#tell());
  }

  /** Until it is disposed of. The connection for it is open as long as anybody listens. */
  listen(wake: Wake): Disposable {
    this.#listeners.add(wake);
    if (!this.#disposal.signal.aborted) this.#line ??= this.#open();
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(wake);
        if (this.#listeners.size === 0) this.#hangUp();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    this.#hangUp();
    await Promise.all(this.#lines);
  }

  async #tell(): Promise<void> {
    while (this.#due.size > 0 && !this.#disposal.signal.aborted) {
      const topics = [...this.#due];
      this.#due.clear();
      await this.#options.notify(channel, topics).catch((err) => {
        this.#options.logger.debug({ err }, 'other gateways were not woken up');
      });
      await pause(restMilliseconds, this.#disposal.signal);
    }
    this.#isTelling = false;
  }

  #open(): AbortController {
    const line = new AbortController();
    const kept = this.#keep(line.signal).finally(() => this.#lines.delete(kept));
    this.#lines.add(kept);
    return line;
  }

  #hangUp(): void {
    this.#line?.abort();
    this.#line = undefined;
  }

  async #keep(hungUp: AbortSignal): Promise<void> {
    let wait = firstPauseMilliseconds;
    while (!hungUp.aborted) {
      const begun = performance.now();
      await this.#connect(hungUp).catch((err) => {
        this.#options.logger.debug({ err }, 'this gateway is not woken up');
      });
      if (performance.now() - begun > longestPauseMilliseconds) wait = firstPauseMilliseconds;
      await pause(wait, hungUp);
      wait = Math.min(2 * wait, longestPauseMilliseconds);
    }
  }

  /** As long as the connection lasts. */
  async #connect(hungUp: AbortSignal): Promise<void> {
    const client = this.#options.createClient();
    // Its end tells as much.
    client.on('error', () => {});
    client.on('notification', ({ payload = '' }) => {
      if (hungUp.aborted) return;
      for (const wake of this.#listeners) wake(payload);
    });
    const ended = new Promise((resolve) => client.once('end', resolve));
    // What is not open yet breaks off.
    const end = () => void client.end().catch(() => {});
    hungUp.addEventListener('abort', end, { once: true });
    // One that is hung up before it is open is told of neither by the driver.
    const opened = client.connect().then(() => client.query(`listen ${channel}`));
    try {
      await Promise.race([opened, ended]);
      await ended;
    } finally {
      hungUp.removeEventListener('abort', end);
      end();
    }
  }
}

/** Does not keep the process alive. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
}
