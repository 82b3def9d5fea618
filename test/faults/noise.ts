/** What the machine keeps from those who work on it, as one sees it who asks for next to nothing. */
export type NoiseMeter = Disposable & {
  /** How many milliseconds this process was kept waiting since then. */
  lostSince(start: number): number;
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
  return {
    lostSince: (start) =>
      losses.filter(({ at }) => at > start).reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    [Symbol.dispose]: () => clearInterval(ticking),
  };
}
