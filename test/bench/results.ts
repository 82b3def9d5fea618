/** What one round of a candidate came to. */
export type Round = {
  perSecond: number;
  /** Null for what has no requests of its own. */
  p50Milliseconds: number | null;
  p99Milliseconds: number | null;
  /** CPU time that a request took; null where the machine does not tell. */
  serverMicroseconds: number | null;
  databaseMicroseconds: number | null;
};

export type Measurement = {
  work: 'associate' | 'screen pop';
  connections: number;
  services: number;
  title: string;
};

/** All rounds, by what was measured. */
export class Results {
  readonly #rounds = new Map<string, { measurement: Measurement; rounds: Round[] }>();

  add(measurement: Measurement, round: Round): void {
    const key = keyOf(measurement);
    const known = this.#rounds.get(key);
    if (known) known.rounds.push(round);
    else this.#rounds.set(key, { measurement, rounds: [round] });
  }

  measurements(): Measurement[] {
    return [...this.#rounds.values()].map(({ measurement }) => measurement);
  }

  /** Undefined for what was not measured. */
  median(measurement: Measurement): Round | undefined {
    const rounds = this.#roundsOf(measurement);
    if (rounds.length === 0) return undefined;
    return {
      perSecond: median(rounds.map(({ perSecond }) => perSecond)) ?? 0,
      p50Milliseconds: median(rounds.map((round) => round.p50Milliseconds)),
      p99Milliseconds: median(rounds.map((round) => round.p99Milliseconds)),
      serverMicroseconds: median(rounds.map((round) => round.serverMicroseconds)),
      databaseMicroseconds: median(rounds.map((round) => round.databaseMicroseconds)),
    };
  }

  /**
   * How two compare in the same round: what comes over the machine meanwhile comes over both.
   * Null where there is nothing to compare.
   */
  ratio(one: Measurement, other: Measurement, of: (round: Round) => number | null): number | null {
    const [ones, others] = [this.#roundsOf(one), this.#roundsOf(other)];
    return median(
      ones.map((round, place) => {
        const theirs = others[place];
        const [dividend, divisor] = [of(round), theirs ? of(theirs) : null];
        return dividend !== null && divisor ? dividend / divisor : null;
      }),
    );
  }

  /** The requests a second of the slowest and of the fastest round. */
  range(measurement: Measurement): readonly [number, number] {
    const rates = this.#roundsOf(measurement).map(({ perSecond }) => perSecond);
    return [Math.min(...rates), Math.max(...rates)];
  }

  #roundsOf(measurement: Measurement): readonly Round[] {
    return this.#rounds.get(keyOf(measurement))?.rounds ?? [];
  }
}

function keyOf({ work, connections, services, title }: Measurement): string {
  return [work, connections, services, title].join('|');
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((one, other) => one - other);
  const middle = known.length / 2;
  const [below, above] = [known[Math.ceil(middle) - 1], known[Math.floor(middle)]];
  return below === undefined || above === undefined ? null : (below + above) / 2;
}
