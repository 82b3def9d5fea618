import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What comes of it, if that comes in time; it goes on in any case.
 * @throws Error when it takes longer
 */
export async function within<T>(milliseconds: number, act: Promise<T>): Promise<T> {
  const impatience = new AbortController();
  const { signal } = impatience;
  // Nobody hears of it any more when it fails too late.
  act.catch(() => {});
  const late = sleep(milliseconds, undefined, { signal, ref: false }).then(() => {
    throw new Error(`It took longer than ${milliseconds} ms.`);
  });
  try {
    return await Promise.race([act, late]);
  } finally {
    late.catch(() => {});
    impatience.abort();
  }
}
