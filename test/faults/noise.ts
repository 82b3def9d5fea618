/** What the machine keeps from those who work on it, as one sees it who asks for next to nothing. */
export type NoiseMeter = Disposable & {
  /** How many milliseconds this process was kept waiting since then. */
  lostSince(start: number): number;
  /** The longest time at once. */
  longestSince(start: number): number;
};

const tickMilliseconds = 10;

/** A control for times that are measured meanwhile: what it lost, they have lost as well. */
export function measureNoise(): NoiseMeter {
  const losses: { at: number; milliseconds: number }[] = [];
  let dueAt = performance.now() + tickMilliseconds;
  const ticking = setInterval(() => {
    const at = performance.now();
    if (at > dueAt) losses.push({ at, milliseconds: at - dueAt });
    dueAt = at + tickMilliseconds;
  }, tickMilliseconds);
  const since = (start: number) =>
    losses.filter(({ at }) => at > start).map(({ milliseconds }) => milliseconds);
  return {
    lostSince: (start) => since(start).reduce((sum, milliseconds) => sum + milliseconds, 0),
    longestSince: (start) => Math.max(0, ...since(start)),
    [Symbol.dispose]: () => clearInterval(ticking),
  };
}
