import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What is in use when all that is not has been thrown away. */
export function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  // What one collection lets go of, the next one can free.
  for (let turn = 0; turn < 4; turn++) collect();
  return process.memoryUsage().heapUsed;
}
