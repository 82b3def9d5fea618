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
  lateAt: number;
  resolve: (answer: Answer) => void;
};

/** What waits for the one before it with the same key. */
type Turn = { key: string | null; take: () => void; reject: (error: unknown) => void };

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
  readonly #aside: (() => void)[] = [];
  readonly #waiting = { count: 0, size: 0 };
  readonly #inFlight = { batches: 0, aside: 0 };
  #whenIdle: (() => void)[] = [];
  #isClosed = false;

  constructor(options: GroupCommitOptions<Job, Answer>) {
    this.#options = {
      sizeOf: () => 0,
      mostInBatch: 64,
      largestBatch: 2 ** 20,
      mostInFlight: 2,
      mostAside: 4,
      mostWaiting: 10_000,
      largestWaiting: 2 ** 26,
      longestWaitMilliseconds: 10_000,
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
      const lateAt = performance.now() + this.#options.longestWaitMilliseconds;
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
    this.#waiting.count += 1;
    try {
      await new Promise<void>((take, reject) => this.#queue({ key, take, reject }));
    } finally {
      this.#waiting.count -= 1;
    }
    try {
      return await this.#stepAside(act);
    } finally {
      this.#pass(key);
      this.#dispatch();
      this.#tellIdle();
    }
  }

  /** Refuses what is not under way yet, and what comes from now on; resolves when the rest has its answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const waiting = [...[...this.#ready.values()].flat(), ...[...this.#behind.values()].flat()];
    this.#ready.clear();
    for (const turns of this.#behind.values()) turns.length = 0;
    for (const turn of waiting) {
      if ('job' in turn) this.#count(turn as Entry<Job, Answer>, -1);
      turn.reject(this.#options.unavailable('closed'));
    }
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
      if (batch.length > 1 && isRefusal(error)) for (const entry of batch) await this.#carry([entry]);
      else if (batch.length === 1 && isLocked(error))
        void this.#stepAside(() => this.#waitForLock(batch)).then(() => this.#dispatch());
      else for (const entry of batch) this.#settle(entry, () => entry.reject(error));
    }
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
      if (performance.now() >= entry.lateAt) throw this.#options.unavailable('late');
      await this.#sendAll([entry], true);
    } catch (error) {
      this.#settle(entry, () => entry.reject(error));
    }
  }

  /** Beside the batches, a few at a time. */
  async #stepAside<T>(act: () => Promise<T>): Promise<T> {
    if (this.#inFlight.aside >= this.#options.mostAside) {
      await new Promise<void>((resolve) => this.#aside.push(resolve));
    }
    this.#inFlight.aside += 1;
    try {
      return await act();
    } finally {
      this.#inFlight.aside -= 1;
      this.#aside.shift()?.();
      this.#tellIdle();
    }
  }

  #settle({ key }: Entry<Job, Answer>, answer: () => void): void {
    this.#pass(key);
    answer();
  }
}
