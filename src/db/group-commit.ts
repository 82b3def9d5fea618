/** What a group commit is made of. */
export type GroupCommitOptions<Job, Answer> = {
  /**
   * Carries jobs of one kind out in one transaction, and answers each at its place.
   * @param isPatient whether it may wait for what somebody else has locked
   */
  send: (kind: unknown, jobs: readonly Job[], isPatient: boolean) => Promise<readonly Answer[]>;
  /** Whether an error of `send` says for certain that nothing was done. */
  isRefusal: (error: unknown) => boolean;
  /** Whether such a refusal is for what somebody else has locked. */
  isLocked: (error: unknown) => boolean;
  /** What a job is answered that finds the queue full, waits in it too long, or is there when it closes. */
  unavailable: (reason: 'full' | 'late' | 'closed') => Error;
  /** Bytes, or whatever the limits below are in. */
  sizeOf?: (job: Job) => number;
  mostInBatch?: number;
  largestBatch?: number;
  mostInFlight?: number;
  /** Jobs that wait for a lock, and acts that have a key's turn, at the same time. */
  mostAside?: number;
  mostWaiting?: number;
  largestWaiting?: number;
  longestWaitMilliseconds?: number;
};

type Entry<Job, Answer> = Turn & {
  kind: unknown;
  job: Job;
  size: number;
  resolve: (answer: Answer) => void;
};

/** What waits until it is let go on, or for too long. */
type Wait = { take: () => void; reject: (error: unknown) => void; lateAt: number };

/** What waits for the one before it with the same key. */
type Turn = Wait & { key: string | null };

type Batch<Job, Answer> = readonly [Entry<Job, Answer>, ...Entry<Job, Answer>[]];

/**
 * Lets jobs that arrive while others are under way travel together: one transaction for many. An
 * idle one sends at once. Jobs with one key never travel together nor at the same time, and keep
 * their order. Every job is answered exactly once, after its transaction.
 *
 * One bad job harms nobody else: a batch that was refused as a whole is sent again job by job, and
 * who meets a lock waits for it aside. A batch whose outcome is unknown is never sent again: all its
 * jobs are told so.
 */
export class GroupCommit<Job, Answer> {
  readonly #options: Required<GroupCommitOptions<Job, Answer>>;
  /** Jobs that may go, by their kind, in the order of their coming. */
  readonly #ready = new Map<unknown, Entry<Job, Answer>[]>();
  /** What waits for its turn; a key that is here is under way or ready. */
  readonly #behind = new Map<string, Turn[]>();
  #aside: Wait[] = [];
  readonly #waiting = { count: 0, size: 0 };
  readonly #inFlight = { batches: 0, aside: 0 };
  #whenIdle: (() => void)[] = [];
  #isClosed = false;
  /** While anything may wait: where nothing comes back, nothing else would tell those who do. */
  #watch: NodeJS.Timeout | undefined;

  constructor(options: GroupCommitOptions<Job, Answer>) {
    this.#options = {
      sizeOf: () => 0,
      mostInBatch: 64,
      largestBatch: 2 ** 20,
      mostInFlight: 2,
      mostAside: 4,
      mostWaiting: 10_000,
      largestWaiting: 2 ** 26,
      longestWaitMilliseconds: 8_000,
      ...options,
    };
  }

  /**
   * @param kind jobs of one kind can travel together
   * @param key what jobs exclude each other by; null for none
   */
  submit(kind: unknown, key: string | null, job: Job): Promise<Answer> {
    const size = this.#options.sizeOf(job);
    if (!this.#hasRoom(size)) return Promise.reject(this.#refusal());
    return new Promise((resolve, reject) => {
      const lateAt = this.#latest();
      const take = () => this.#makeReady(entry);
      const entry: Entry<Job, Answer> = { kind, key, job, size, lateAt, resolve, reject, take };
      this.#count(entry, 1);
      this.#queue(entry);
      this.#dispatch();
    });
  }

  /** Lets an act that is no job of a batch have the key's turn: no other job of the key is under way meanwhile. */
  async hold<T>(key: string | null, act: () => Promise<T>): Promise<T> {
    if (!this.#hasRoom(0)) throw this.#refusal();
    const lateAt = this.#latest();
    this.#waiting.count += 1;
    try {
      await new Promise<void>((take, reject) => this.#queue({ key, take, reject, lateAt }));
    } finally {
      this.#waiting.count -= 1;
    }
    try {
      return await this.#stepAside(act, lateAt);
    } finally {
      this.#pass(key);
      this.#dispatch();
      this.#tellIdle();
    }
  }

  /** What waits, with its size, and how many transactions are under way. */
  get load(): { waiting: number; size: number; inFlight: number } {
    const { batches, aside } = this.#inFlight;
    const waiting = this.#waiting.count + this.#aside.length;
    return { waiting, size: this.#waiting.size, inFlight: batches + aside };
  }

  /** Refuses what is not under way yet, and what comes from now on; resolves when the rest has its answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#watch);
    this.#refuse('closed', () => true);
    if (!this.#isIdle()) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #hasRoom(size: number): boolean {
    const { mostWaiting, largestWaiting } = this.#options;
    const fits = this.#waiting.size === 0 || this.#waiting.size + size <= largestWaiting;
    return !this.#isClosed && this.#waiting.count + this.#aside.length < mostWaiting && fits;
  }

  #refusal(): Error {
    return this.#options.unavailable(this.#isClosed ? 'closed' : 'full');
  }

  #count({ size }: Entry<Job, Answer>, by: 1 | -1): void {
    this.#waiting.count += by;
    this.#waiting.size += by * size;
  }

  /** When what comes now has waited for too long; there is a watch by then. */
  #latest(): number {
    const { longestWaitMilliseconds } = this.#options;
    this.#watch ??= this.#watchAfter(longestWaitMilliseconds);
    return performance.now() + longestWaitMilliseconds;
  }

  #watchAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const now = performance.now();
      this.#refuse('late', ({ lateAt }) => now >= lateAt);
      const next = Math.min(...this.#waits().map(({ lateAt }) => lateAt));
      this.#watch = Number.isFinite(next) ? this.#watchAfter(Math.ceil(next - now)) : undefined;
      this.#dispatch();
      this.#tellIdle();
    }, milliseconds).unref();
  }

  #waits(): Wait[] {
    return [...this.#aside, ...[...this.#behind.values()].flat(), ...[...this.#ready.values()].flat()];
  }

  /** Whoever waits behind somebody is told first, and so never comes to be next. */
  #refuse(reason: 'late' | 'closed', isMeant: (wait: Wait) => boolean): void {
    const others = (wait: Wait) => !isMeant(wait);
    const behind = [...this.#behind.values()].flat().filter(isMeant);
    for (const [key, turns] of this.#behind) this.#behind.set(key, turns.filter(others));
    const ready = [...this.#ready.values()].flat().filter(isMeant);
    for (const [kind, entries] of this.#ready) this.#ready.set(kind, entries.filter(others));
    const aside = this.#aside.filter(isMeant);
    this.#aside = this.#aside.filter(others);

    for (const { reject } of aside) reject(this.#options.unavailable(reason));
    for (const turn of behind) {
      if ('job' in turn) this.#count(turn as Entry<Job, Answer>, -1);
      turn.reject(this.#options.unavailable(reason));
    }
    for (const entry of ready) {
      this.#count(entry, -1);
      this.#settle(entry, () => entry.reject(this.#options.unavailable(reason)));
    }
  }

  #queue(turn: Turn): void {
    const behind = turn.key === null ? undefined : this.#behind.get(turn.key);
    if (behind) {
      behind.push(turn);
      return;
    }
    if (turn.key !== null) this.#behind.set(turn.key, []);
    turn.take();
  }

  /** Lets the next one of the key have its turn. */
  #pass(key: string | null): void {
    if (key === null) return;
    const next = this.#behind.get(key)?.shift();
    if (next) next.take();
    else this.#behind.delete(key);
  }

  #makeReady(entry: Entry<Job, Answer>): void {
    const ready = this.#ready.get(entry.kind);
    if (ready) ready.push(entry);
    else this.#ready.set(entry.kind, [entry]);
  }

  #dispatch(): void {
    while (this.#inFlight.batches < this.#options.mostInFlight) {
      const batch = this.#takeBatch();
      if (!batch) return;
      this.#inFlight.batches += 1;
      void this.#carry(batch).then(() => {
        this.#inFlight.batches -= 1;
        this.#dispatch();
        this.#tellIdle();
      });
    }
  }

  #isIdle(): boolean {
    return this.#waiting.count + this.#inFlight.batches + this.#inFlight.aside + this.#aside.length === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Of the kind that was served longest ago: a map keeps its keys in the order of their coming. */
  #takeBatch(): Batch<Job, Answer> | undefined {
    for (const [kind, ready] of [...this.#ready]) {
      const taken = ready.splice(0, this.#countThatFit(ready));
      this.#ready.delete(kind);
      if (ready.length > 0) this.#ready.set(kind, ready);
      const [first, ...others] = this.#withoutLate(taken);
      if (first) return [first, ...others];
    }
    return undefined;
  }

  #countThatFit(ready: readonly Entry<Job, Answer>[]): number {
    const { mostInBatch, largestBatch } = this.#options;
    let size = 0;
    const place = ready.findIndex((entry, index) => {
      size += entry.size;
      return index >= mostInBatch || (index > 0 && size > largestBatch);
    });
    return place < 0 ? ready.length : place;
  }

  /** Whoever has waited too long has most likely given up. */
  #withoutLate(taken: readonly Entry<Job, Answer>[]): Entry<Job, Answer>[] {
    const now = performance.now();
    return taken.filter((entry) => {
      this.#count(entry, -1);
      if (now < entry.lateAt) return true;
      this.#settle(entry, () => entry.reject(this.#options.unavailable('late')));
      return false;
    });
  }

  async #carry(batch: Batch<Job, Answer>): Promise<void> {
    try {
      await this.#sendAll(batch, false);
    } catch (error) {
      const { isRefusal, isLocked } = this.#options;
      if (batch.length > 1 && isRefusal(error)) for (const entry of batch) await this.#carryAlone(entry);
      else if (batch.length === 1 && isLocked(error))
        void this.#waitForLock(batch).then(() => this.#dispatch());
      else for (const entry of batch) this.#settle(entry, () => entry.reject(error));
    }
  }

  /** Those before it may have taken long. */
  async #carryAlone(entry: Entry<Job, Answer>): Promise<void> {
    if (performance.now() < entry.lateAt) return this.#carry([entry]);
    this.#settle(entry, () => entry.reject(this.#options.unavailable('late')));
  }

  async #sendAll(batch: Batch<Job, Answer>, isPatient: boolean): Promise<void> {
    const [{ kind }] = batch;
    const jobs = batch.map(({ job }) => job);
    const answers = await this.#options.send(kind, jobs, isPatient);
    // The contract of send.
    for (const [place, entry] of batch.entries()) {
      this.#settle(entry, () => entry.resolve(answers[place] as Answer));
    }
  }

  async #waitForLock([entry]: Batch<Job, Answer>): Promise<void> {
    try {
      await this.#stepAside(() => this.#sendAll([entry], true), entry.lateAt);
    } catch (error) {
      this.#settle(entry, () => entry.reject(error));
    }
  }

  /** Beside the batches, a few at a time. */
  async #stepAside<T>(act: () => Promise<T>, lateAt: number): Promise<T> {
    if (this.#inFlight.aside >= this.#options.mostAside) {
      await new Promise<void>((take, reject) => this.#aside.push({ take, reject, lateAt }));
    }
    this.#inFlight.aside += 1;
    try {
      return await act();
    } finally {
      this.#inFlight.aside -= 1;
      this.#aside.shift()?.take();
      this.#tellIdle();
    }
  }

  #settle({ key }: Entry<Job, Answer>, answer: () => void): void {
    this.#pass(key);
    answer();
  }
}
