/** Finds those of the keys that there are. */
export type LookUp<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;

/** How long something that has changed may still be taken for what it was. */
const lifeMilliseconds = 5_000;

const mostEntries = 10_000;

type Entry<Value> = { value: Value | undefined; readAt: number };

type Batch<Value> = { keys: Set<string>; found: Promise<ReadonlyMap<string, Value>> };

/**
 * What a lookup found at most 5 s ago, and what it did not find. Keys that are not known travel
 * together, one lookup at a time: who makes keys up keeps no more than one connection busy.
 */
export class LookupCache<Value> {
  readonly #lookUp: LookUp<Value>;
  readonly #clock: () => Date;
  readonly #entries = new Map<string, Entry<Value>>();
  #next: Batch<Value> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(lookUp: LookUp<Value>, clock: () => Date) {
    this.#lookUp = lookUp;
    this.#clock = clock;
  }

  /** At once where it is known. */
  find(key: string): Value | undefined | Promise<Value | undefined> {
    const entry = this.#entries.get(key);
    return entry && this.#isFresh(entry) ? entry.value : this.#ask(key);
  }

  /** A clock that was set back makes nothing fresh. */
  #isFresh({ readAt }: Entry<Value>): boolean {
    const age = this.#clock().getTime() - readAt;
    return age >= 0 && age < lifeMilliseconds;
  }

  async #ask(key: string): Promise<Value | undefined> {
    this.#next ??= this.#schedule();
    this.#next.keys.add(key);
    return (await this.#next.found).get(key);
  }

  /** Behind the lookup that is under way. */
  #schedule(): Batch<Value> {
    const keys = new Set<string>();
    const found = this.#last.then(() => {
      this.#next = undefined;
      return this.#read([...keys]);
    });
    this.#last = found.catch(() => {});
    return { keys, found };
  }

  async #read(keys: readonly string[]): Promise<ReadonlyMap<string, Value>> {
    const readAt = this.#clock().getTime();
    const found = await this.#lookUp(keys);
    for (const key of keys) this.#keep(key, { value: found.get(key), readAt });
    return found;
  }

  /** The entry that was read first makes room. */
  #keep(key: string, entry: Entry<Value>): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.size < mostEntries ? [] : this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, entry);
  }
}
