/** So many texts get a name at most: each connection keeps every one that it met. */
const mostNames = 200;
/** As often as a text has to be sent before it gets one. */
const seldom = 3;
const mostCounted = 1_000;

/**
 * Names for the texts of SQL statements that are sent again and again: PostgreSQL parses and plans
 * what has a name once a connection. What is sent seldom stays without.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  /** Of texts without a name, how often each was sent; the one that came first goes first. */
  readonly #counts = new Map<string, number>();

  nameOf(text: string): string | undefined {
    return this.#names.get(text) ?? this.#consider(text);
  }

  #consider(text: string): string | undefined {
    if (this.#names.size >= mostNames) return undefined;
    const count = (this.#counts.get(text) ?? 0) + 1;
    this.#counts.set(text, count);
    if (count <= seldom) {
      this.#forgetOldest();
      return undefined;
    }
    this.#counts.delete(text);
    const name = `s${this.#names.size + 1}`;
    this.#names.set(text, name);
    return name;
  }

  #forgetOldest(): void {
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size > mostCounted) this.#counts.delete(oldest);
  }
}
