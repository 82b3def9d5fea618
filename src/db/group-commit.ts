/** What a group commit is made of. */
export type GroupCommitOptions<Job, Answer> = {
  /** Carries jobs of one kind out in one transaction, and answers each at its place. */
  send: (kind: unknown, jobs: readonly Job[]) => Promise<readonly Answer[]>;
  /** Whether an error of `send` says for certain that nothing was done. */
  isRefusal: (error: unknown) => boolean;
  /** What a job is answered that finds the queue full. */
  overload: () => Error;
  mostInBatch?: number;
  mostInFlight?: number;
  mostWaiting?: number;
};

type Entry<Job, Answer> = Turn & {
  kind: unknown;
  job: Job;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
};

/** What waits for the one before it with the same key. */
type Turn = { key: string | null; take: () => void };

/**
 * Lets jobs that arrive while others are under way travel together: one transaction for many. An
 * idle one sends at once. Jobs with one key never travel together nor at the same time, and keep
 * their order. Every job is answered exactly once, after its transaction.
 *
 * One bad job harms nobody else: a batch that was refused as a whole is sent again job by job. A
 * batch whose outcome is unknown is never sent again: all its jobs are told so.
 */
export class GroupCommit<Job, Answer> {
  readonly #options: Required<GroupCommitOptions<Job, Answer>>;
  /** Jobs that may go, by their kind, in the order of their coming. */
  readonly #ready = new Map<unknown, Entry<Job, Answer>[]>();
  /** What waits for its turn; a key that is here is under way or ready. */
  readonly #behind = new Map<string, Turn[]>();
  #waiting = 0;
  readonly #inFlight = { batches: 0, held: 0 };
  #whenIdle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<Job, Answer>) {
    this.#options = { mostInBatch: 64, mostInFlight: 2, mostWaiting: 10_000, ...options };
  }

  /**
   * @param kind jobs of one kind can travel together
   * @param key what jobs exclude each other by; null for none
   */
  submit(kind: unknown, key: string | null, job: Job): Promise<Answer> {
    if (this.#waiting >= this.#options.mostWaiting) return Promise.reject(this.#options.overload());
    return new Promise((resolve, reject) => {
      this.#waiting += 1;
      const entry = { kind, key, job, resolve, reject, take: () => this.#makeReady(entry) };
      this.#queue(entry);
      this.#dispatch();
    });
  }

  /** Lets an act that is no job of a batch have the key's turn: no other job of the key is under way meanwhile. */
  async hold<T>(key: string | null, act: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#options.mostWaiting) throw this.#options.overload();
    this.#waiting += 1;
    await new Promise<void>((take) => this.#queue({ key, take }));
    this.#waiting -= 1;
    this.#inFlight.held += 1;
    try {
      return await act();
    } finally {
      this.#inFlight.held -= 1;
      this.#pass(key);
      this.#dispatch();
      this.#tellIdle();
    }
  }

  /** Resolves when every job that was submitted so far has its answer. */
  async drain(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
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
    return this.#waiting + this.#inFlight.batches + this.#inFlight.held === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Of the kind that was served longest ago: a map keeps its keys in the order of their coming. */
  #takeBatch(): [Entry<Job, Answer>, ...Entry<Job, Answer>[]] | undefined {
    const next = this.#ready.entries().next();
    if (next.done) return undefined;
    const [kind, ready] = next.value;
    const [first, ...others] = ready.splice(0, this.#options.mostInBatch);
    this.#ready.delete(kind);
    if (ready.length > 0) this.#ready.set(kind, ready);
    if (!first) return undefined;
    this.#waiting -= 1 + others.length;
    return [first, ...others];
  }

  async #carry(batch: readonly [Entry<Job, Answer>, ...Entry<Job, Answer>[]]): Promise<void> {
    const [{ kind }] = batch;
    try {
      const answers = await this.#options.send(
        kind,
        batch.map(({ job }) => job),
      );
      for (const [place, entry] of batch.entries()) {
        // The contract of send.
        this.#settle(entry, () => entry.resolve(answers[place] as Answer));
      }
    } catch (error) {
      const isWorthEach = batch.length > 1 && this.#options.isRefusal(error);
      for (const entry of batch) {
        if (isWorthEach) await this.#carry([entry]);
        else this.#settle(entry, () => entry.reject(error));
      }
    }
  }

  #settle({ key }: Entry<Job, Answer>, answer: () => void): void {
    this.#pass(key);
    answer();
  }
}
