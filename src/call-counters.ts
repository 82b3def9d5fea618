/** So many of each kind are remembered: what came newest. */
const most = 10_000;

/** What is known by names, as long as not too many others came since it was last kept. */
export class Newest<Value> {
  readonly #values = new Map<string, Value>();

  find(name: string): Value | undefined {
    return this.#values.get(name);
  }

  /** A map keeps its keys in the order of their coming. */
  keep(name: string, value: Value): void {
    this.#values.delete(name);
    this.#values.set(name, value);
    if (this.#values.size > most)
      for (const [oldest] of this.#values) return void this.#values.delete(oldest);
  }
}

type Window = { count: number; endsAt: number };

/** How often callers came within windows of time that begin with the first call. */
export class CallCounters {
  readonly #windows = new Newest<Window>();
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** One call more. */
  add(caller: string): { count: number; millisecondsLeft: number } {
    const now = performance.now();
    const known = this.#windows.find(caller);
    const window = known && now < known.endsAt ? known : { count: 0, endsAt: now + this.#milliseconds };
    window.count += 1;
    this.#windows.keep(caller, window);
    return { count: window.count, millisecondsLeft: Math.max(1, window.endsAt - now) };
  }

  count(caller: string): number {
    const window = this.#windows.find(caller);
    return window && performance.now() < window.endsAt ? window.count : 0;
  }
}
