import { randomUUID } from 'node:crypto';
import type { Database, Db } from './db/database.js';
import { asUnavailable } from './db/failures.js';
import {
  type DueDelivery,
  type Held,
  leaseWebhooks,
  listDue,
  lookForWork,
  type Outcome,
  outcomeOf,
  type Reply,
  releaseWebhooks,
  settleAttempts,
  takeEvents,
  type Work,
} from './domain/delivering.js';
import { type Message, messageOf, pingOf, type Secrets, signedHeaders } from './domain/webhook-messages.js';
import { getEndpoint } from './domain/webhooks.js';
import { DomainError } from './errors.js';
import type { Logger } from './logger.js';
import type { Destinations } from './outbound/destinations.js';
import type { InternalHosts } from './outbound/internal-hosts.js';
import type { Poster } from './outbound/poster.js';

/** What of webhooks is for the one to say who runs the gateway. */
export type WebhookOptions = {
  internalHosts: InternalHosts;
  /** For a whole answer. */
  timeoutSeconds: number;
  /** The waits between the attempts of a delivery. */
  retrySeconds: readonly number[];
};

export type CourierOptions = {
  database: Database;
  destinations: Destinations;
  poster: Poster;
  retrySeconds: WebhookOptions['retrySeconds'];
  /** Of the package, for receivers. */
  version: string;
  logger: Logger;
  clock: () => Date;
  random?: () => number;
};

/** A gateway that was killed leaves its webhooks to the others after so long. */
const leaseSeconds = 15;
const renewMilliseconds = 5_000;
/** What is on its way ends before another gateway can begin with the same. */
const leaseMarginMilliseconds = 1_000;
/** How many deliveries are on their way at a time: one receiver that does not answer takes no more. */
const mostOfWebhook = 10;
const mostOfFailing = 2;
const mostOfAll = 250;
const pollMilliseconds = 1_000;
/** How long what is on its way may take when the gateway stops. */
const farewellMilliseconds = 3_000;

/** What is going on for one webhook. */
type Desk = {
  held: Held;
  /** Services of which a delivery is on its way, or is not settled yet; each with what cuts it off. */
  busy: Map<bigint, AbortController>;
  outcomes: Outcome[];
};

/**
 * Sends what webhooks are to be told, from its start until it is disposed of. Each webhook is served by one
 * gateway at a time, under a lease that lapses when that is killed.
 */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions;
  readonly #owner = randomUUID();
  readonly #desks = new Map<string, Desk>();
  readonly #sending = new Set<Promise<void>>();
  #loop: Promise<void> = Promise.resolve();
  #isStopping = false;
  #isCalled = false;
  #endRest: () => void = () => {};
  /** Whose webhooks this gateway serves. */
  #served: ReadonlySet<string> = new Set();
  #listening: Disposable | undefined;
  #renewAt = 0;
  #lapse: NodeJS.Timeout | undefined;
  #isFailing = false;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Lets the next pass begin at once, since something has happened. Without a start nothing happens. */
  wake(): void {
    this.#isCalled = true;
    this.#endRest();
  }

  /** The same, where there may be a webhook that nobody serves yet. */
  wakeForNew(): void {
    this.#renewAt = 0;
    this.wake();
  }

  /** Sends a webhook something at once that is no event, whatever else it has to be told. @throws NotFound */
  async ping(db: Db, id: bigint): Promise<Reply> {
    const endpoint = await getEndpoint(db, id);
    return this.#post(pingOf(db.tenant, id, this.#options.clock()), endpoint);
  }

  /**
   * Settles what has come back, and sends what is due.
   * @returns whether there is more to do at once
   */
  async pass(): Promise<boolean> {
    await this.#renew();
    // One that cannot be served keeps no other waiting.
    for (const desk of [...this.#desks.values()]) await this.#attempt(() => this.#settle(desk));
    if (this.#served.size === 0) return false;
    const { database, clock } = this.#options;
    let hasMore = false;
    const works = await lookForWork(database.admin, this.#owner, clock());
    // Of what is left for all, those come first who answer, then who have least on its way.
    const rank = (work: Work) => Number(work.isFailing) * mostOfAll + this.#busyOf(work);
    works.sort((a, b) => rank(a) - rank(b));
    for (const work of works) {
      hasMore = (await this.#attempt(() => this.#serve(work))) || hasMore;
    }
    return hasMore;
  }

  /** Resolves when nothing is on its way. What came of it is settled by the next pass. */
  async idle(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.wake();
    await this.#loop;
    this.#listen();
    const impatience = setTimeout(() => this.#cutAll(), farewellMilliseconds);
    await this.idle();
    clearTimeout(impatience);
    clearTimeout(this.#lapse);
    await this.#attempt(async () => {
      for (const desk of [...this.#desks.values()]) await this.#settle(desk);
      if (this.#served.size > 0) await releaseWebhooks(this.#options.database.admin, this.#owner);
    });
    this.#options.poster[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const hasMore = await this.#attempt(() => this.pass());
      if (!hasMore) await this.#rest();
    }
  }

  /** Until it is called, or for a while; a call that came meanwhile counts. Keeps no process running. */
  async #rest(): Promise<void> {
    if (!this.#isCalled) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMilliseconds).unref();
        this.#endRest = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isCalled = false;
  }

  /** What the database does not let be done now is tried again, and logged when that begins; all else is a bug. */
  async #attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    const { logger } = this.#options;
    try {
      const result = await act();
      this.#isFailing = false;
      return result;
    } catch (error) {
      const known = error instanceof DomainError ? error : asUnavailable(error);
      if (!known) logger.error({ err: error }, 'serving webhooks failed');
      else if (!this.#isFailing) logger.warn({ err: known }, 'webhooks cannot be served');
      this.#isFailing = true;
      return undefined;
    }
  }

  async #renew(): Promise<void> {
    const now = performance.now();
    if (now < this.#renewAt) return;
    const { admin } = this.#options.database;
    // Beforehand: a webhook that is made meanwhile makes it due again.
    this.#renewAt = now + renewMilliseconds;
    try {
      this.#served = new Set(await leaseWebhooks(admin, this.#owner, leaseSeconds));
    } catch (error) {
      this.#renewAt = 0;
      throw error;
    }
    clearTimeout(this.#lapse);
    this.#listen();
    if (this.#served.size === 0) return;
    const left = now + leaseSeconds * 1_000 - leaseMarginMilliseconds - performance.now();
    this.#lapse = setTimeout(() => this.#lose(), left).unref();
  }

  /** Only while there is somebody to be told. */
  #listen(): void {
    const isWanted = this.#served.size > 0 && !this.#isStopping;
    if (isWanted) {
      this.#listening ??= this.#options.database.wakeUps.listen((tenant) => {
        if (this.#served.has(tenant)) this.wake();
      });
    } else {
      this.#listening?.[Symbol.dispose]();
      this.#listening = undefined;
    }
  }

  /** The lease was not renewed in time: others may have it now. */
  #lose(): void {
    this.#served = new Set();
    this.#renewAt = 0;
    this.#cutAll();
  }

  #cutAll(): void {
    for (const { busy } of this.#desks.values()) for (const cut of busy.values()) cut.abort();
  }

  /** @returns whether there are more events to take */
  async #serve({ tenant, id, isFailing, hasEvents, hasDue }: Work): Promise<boolean> {
    const { database, clock } = this.#options;
    const held = { tenant, id, owner: this.#owner };
    const hasMore = hasEvents && (await takeEvents(database.admin, held, clock()));
    const desk = this.#deskOf(held);
    const mostOfThis = isFailing ? mostOfFailing : mostOfWebhook;
    const most = Math.min(mostOfThis - desk.busy.size, mostOfAll - this.#sending.size);
    if (most > 0 && (hasEvents || hasDue)) {
      const query = { now: clock(), busy: [...desk.busy.keys()], most };
      const due = await listDue(database.admin, held, query);
      // The lease may have lapsed meanwhile.
      for (const delivery of this.#served.has(tenant) ? due : []) this.#send(desk, delivery);
    }
    return hasMore;
  }

  #busyOf(webhook: Work): number {
    return this.#desks.get(keyOf(webhook))?.busy.size ?? 0;
  }

  #deskOf(held: Held): Desk {
    const desk = this.#desks.get(keyOf(held)) ?? { held, busy: new Map(), outcomes: [] };
    this.#desks.set(keyOf(held), desk);
    return desk;
  }

  #send(desk: Desk, delivery: DueDelivery): void {
    const { clock, retrySeconds, random = Math.random } = this.#options;
    const cut = new AbortController();
    desk.busy.set(delivery.serviceId, cut);
    const sending = this.#post(messageOf(delivery), delivery, cut.signal).then((reply) => {
      this.#sending.delete(sending);
      // What was cut off came to nothing that anybody knows of: it is sent again, by this gateway or another one.
      if (cut.signal.aborted) desk.busy.delete(delivery.serviceId);
      else desk.outcomes.push(outcomeOf(delivery, reply, { now: clock(), retrySeconds, random }));
      this.wake();
    });
    this.#sending.add(sending);
  }

  /** The settings may have changed since the URL was given: it is looked at anew. */
  async #post(message: Message, endpoint: Secrets & { url: string }, signal?: AbortSignal): Promise<Reply> {
    const { destinations, poster, version, clock } = this.#options;
    const url = destinations.url(endpoint.url);
    if (!url.ok) return { state: 'failed', reason: `its URL ${url.fault.message}` };
    const headers = {
      ...signedHeaders(message, endpoint, clock()),
      'user-agent': `context-gateway/${version}`,
    };
    return poster.post({ url: url.value, headers, body: message.body }, signal);
  }

  async #settle(desk: Desk): Promise<void> {
    const { database, clock, logger } = this.#options;
    const { held, busy, outcomes } = desk;
    const { tenant, id } = held;
    if (outcomes.length > 0) {
      const settling = [...outcomes];
      // When this throws they stay, to be settled by the next pass.
      const settled = await settleAttempts(database.admin, held, settling, clock());
      desk.outcomes.splice(0, settling.length);
      for (const { service_id } of settling) busy.delete(BigInt(service_id));
      const webhook = { tenant, webhook: String(id) };
      if (settled && settled.dead > 0) logger.warn({ ...webhook, dead: settled.dead }, 'deliveries are dead');
      const isEnded = settled && (settled.status === 'GONE' || settled.status === 'FAILED');
      if (isEnded) logger.warn({ ...webhook, status: settled.status }, 'a webhook is told nothing any more');
    }
    if (busy.size === 0) this.#desks.delete(keyOf(held));
  }
}

function keyOf({ tenant, id }: Pick<Held, 'tenant' | 'id'>): string {
  return `${tenant}/${id}`;
}
