/** How much is done: all of it, or with `FAULTS=short` so much that every fault has been met. */
export const isShort = process.env['FAULTS'] === 'short';

export function rounds({ long, short }: { long: number; short: number }): number {
  return isShort ? short : long;
}

/** One line of what was counted, for people. */
export function report(fault: string, counts: Readonly<Record<string, number | string>>): void {
  const listed = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`${fault}: ${listed.join(', ')}`);
}

/** The one in the middle, whole; Infinity of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY);
}

/** What all but one of a hundred do not exceed; Infinity of none. */
export function ninetyNinth(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

/** For people. */
export function milliseconds(numbers: readonly number[]): string {
  return `${median(numbers)} ms (slowest ${Math.round(Math.max(...numbers))} ms)`;
}
