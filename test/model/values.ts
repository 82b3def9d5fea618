import fc, { type Arbitrary } from 'fast-check';

/** One of a few. It does not shrink, since each attempt at that is a sequence of calls. */
export function choice<T>(...values: T[]): Arbitrary<T> {
  return fc.noShrink(fc.constantFrom(...values));
}

/** One value in two hundred is none that the contract allows. */
export function mostly<T, U>(sound: Arbitrary<T>, wrong: readonly U[]): Arbitrary<T | U> {
  return fc.oneof<fc.WeightedArbitrary<T | U>[]>(
    { weight: 200, arbitrary: sound },
    { weight: 1, arbitrary: choice(...wrong) },
  );
}

export function clearable<T>(sound: Arbitrary<T>): Arbitrary<T | null> {
  return fc.option(sound, { nil: null, freq: 8 });
}

export const word = fc.oneof(
  fc.noShrink(fc.string({ unit: 'grapheme', maxLength: 5 })),
  choice('😀'.repeat(32), 'größe ✓', '"; --'),
);

export const typeCode = mostly(choice<string | number>(7, '7', 'claim', 0, -3, 'größe ✓', 2 ** 53 - 1), [
  'x'.repeat(65),
  0.5,
]);

export const integer = mostly(choice(0, 5005, -5, 2 ** 53 - 1), [1.5, 2 ** 53]);

/** The worlds' clocks begin on 2026-03-01 at 10:00Z: noon of the next day is too far ahead at first. */
export const timestamp = mostly(
  choice(
    '2026-02-28T10:00:00.000Z',
    '2026-03-01T10:00:00Z',
    '2026-03-01T10:00:00.000Z',
    '2026-03-01T12:30:00.25+02:00',
    '2026-03-01T11:00:00.250Z',
    '2026-03-01T13:00Z',
    '2026-03-02T02:00:00.00Z',
  ),
  ['2026-03-02T12:00:00.000Z', 'tomorrow'],
);

export const customers = ['anna', 'ßerta/%2'] as const;
export const contactKeys = ['+49 1', 'ключ'] as const;

/** The one that all services are started in. */
export const businessUnit = 'claims';
