import type { Fields } from './acts.js';
import type { World } from './world.js';

/** When the worlds begin. */
export const base = Date.parse('2026-03-01T10:00:00.000Z');

export const unknownPart = 99;

/** An expiration that is planned as so many milliseconds from now. */
export function timed({ now }: World, { expirationTime, ...fields }: Fields): Fields {
  // What a null says beside a time is not settled.
  if (expirationTime === undefined || fields['ttl'] === null) return fields;
  const isTime = typeof expirationTime === 'number';
  return {
    ...fields,
    expirationTime: isTime ? new Date(now + expirationTime).toISOString() : expirationTime,
  };
}

export function newKey({ done }: World, { isKeyed }: { isKeyed: boolean }): string | null {
  return isKeyed ? `key ${done.size}` : null;
}

export function at<T>(values: readonly T[], index: number): T | undefined {
  return values[index % values.length];
}
