import { expect, test } from 'vitest';
import { LookupCache } from '../../src/auth/lookup-cache.js';

/** A lookup that knows the keys with an even number, and keeps what it was asked. */
function createLookUp() {
  const asked: (readonly string[])[] = [];
  let running = 0;
  let mostAtOnce = 0;
  const lookUp = async (keys: readonly string[]) => {
    asked.push(keys);
    mostAtOnce = Math.max(mostAtOnce, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return new Map(keys.filter((key) => Number(key) % 2 === 0).map((key) => [key, `value ${key}`]));
  };
  return { asked, lookUp, mostAtOnce: () => mostAtOnce };
}

const clock = () => new Date(0);

test('what was found and what was not is known for 5 s, without a lookup and without waiting', async () => {
  let now = 0;
  const { asked, lookUp } = createLookUp();
  const cache = new LookupCache(lookUp, () => new Date(now));

  expect([await cache.find('2'), await cache.find('3')]).toEqual(['value 2', undefined]);
  now = 4_999;
  expect([cache.find('2'), cache.find('3')]).toEqual(['value 2', undefined]);
  expect(asked).toEqual([['2'], ['3']]);
  now = 5_000;
  expect([await cache.find('2'), await cache.find('3')]).toEqual(['value 2', undefined]);
  expect(asked).toHaveLength(4);
});

test('keys that are not known travel together, one lookup at a time', async () => {
  const { asked, lookUp, mostAtOnce } = createLookUp();
  const cache = new LookupCache(lookUp, clock);

  const first = cache.find('0');
  await Promise.resolve();
  const others = Array.from({ length: 1_000 }, (_, key) => cache.find(String(key % 500)));
  await Promise.all([first, ...others]);

  expect(asked.length).toBeLessThanOrEqual(2);
  expect(mostAtOnce()).toBe(1);
});

test('it keeps 10,000 entries, the newest', async () => {
  const { asked, lookUp } = createLookUp();
  const cache = new LookupCache(lookUp, clock);
  await cache.find('0');
  await Promise.all(Array.from({ length: 10_000 }, (_, key) => cache.find(String(key + 1))));

  expect(cache.find('10000')).toBe('value 10000');
  expect(await cache.find('0')).toBe('value 0');
  expect(asked.at(-1)).toEqual(['0']);
});

test('a lookup that fails fails its callers and is not kept', async () => {
  const { lookUp } = createLookUp();
  let isDown = true;
  const cache = new LookupCache(async (keys) => {
    if (isDown) throw new Error('down');
    return lookUp(keys);
  }, clock);

  await expect(Promise.all([cache.find('2'), cache.find('4')])).rejects.toThrow('down');
  isDown = false;

  expect(await cache.find('2')).toBe('value 2');
});
