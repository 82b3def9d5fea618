import fc, { type Arbitrary } from 'fast-check';
import type { Extension, Front, Json } from './acts.js';
import { choice, mostly, word } from './values.js';

/** An extension as it is given to replace or to remove one. */
export function replaced(front: Front): Arbitrary<Extension> {
  return fc.oneof(
    { weight: 16, arbitrary: named(['Note', 'NOTE'], mostly(note, noNotes)) },
    { weight: 20, arbitrary: named(['Visits', 'visits'], mostly(visits, noVisits)) },
    { weight: 20, arbitrary: named(['Marks'], mostly(marks, noMarks)) },
    { weight: 1, arbitrary: named(['Loose'], choice<Json>([{ text: 'a' }, { text: 'a' }], [])) },
    { weight: front === '8.5' ? 16 : 1, arbitrary: named(attachedNames, attachedData) },
    { weight: 6, arbitrary: named(['Note', 'Visits', 'Marks', 'Free'], fc.constant(null)) },
  );
}

/** Up to two of them, which hardly ever have the same name. */
export function several(front: Front): Arbitrary<Extension[]> {
  const most = { maxLength: 2, size: 'max' } as const;
  const twice = replaced(front).map((extension) => [extension, extension]);
  const differing = fc.uniqueArray(replaced(front), { ...most, selector: ({ name }) => name.toLowerCase() });
  return fc.oneof({ weight: 60, arbitrary: differing }, { weight: 1, arbitrary: twice });
}

/** An extension as it is given to be merged into one. */
export function merged(front: Front): Arbitrary<[Extension]> {
  const keys = fc.record<{ [name: string]: Json }>(
    { a: json, b: fc.constant(null), ключ: json },
    { requiredKeys: [] },
  );
  return fc.tuple(
    fc.oneof(
      { weight: 16, arbitrary: named(['Note', 'note'], mostly(partOfNote, noNotes)) },
      { weight: 1, arbitrary: named(['Visits', 'Loose'], choice<Json>({ place: 'Rom' }, [])) },
      { weight: front === '8.5' ? 16 : 1, arbitrary: named(attachedNames, mostly(keys, [[], 'x', null])) },
    ),
  );
}

/** A record as it is given to be found, and updated where it has more than it is found by. */
export function record(isWhole: boolean): Arbitrary<[Extension]> {
  const visit = fc.record({ place, day, ...(isWhole ? { score } : {}) }, { requiredKeys: ['place', 'day'] });
  const mark = fc.record({ no: number, ...(isWhole ? { text, tag } : {}) }, { requiredKeys: ['no'] });
  return fc.tuple(
    fc.oneof(
      { weight: 16, arbitrary: named(['Visits'], mostly(visit, [{ place: 'Rom' }, {}, [], 'x'])) },
      { weight: 16, arbitrary: named(['Marks', 'MARKS'], mostly(mark, [{ tag: 'x' }, { no: null }, null])) },
      { weight: 1, arbitrary: named(['Note', 'Loose', 'Free'], fc.constant({ text: 'a' })) },
    ),
  );
}

const attachedNames = ['Free', 'Free', 'Größe ✓'];
const attachedData = choice<Json>(
  {},
  { a: 1, ключ: [1, { b: null }] },
  { a: { b: 1.5e300 } },
  [1, 'x'],
  'text',
  5,
  false,
);
const json = choice<Json>(1, 'größe', [1], { b: {} }, true);

const place = choice('Rom', 'Köln');
const day = choice('2026-01-01', '2026-01-02');
const number = fc.nat(2);
const score = mostly(choice<Json>(0, -7, null), ['seven', 1.5]);
const text = mostly(fc.oneof(word, word), [null, 5]);
const tag = choice<Json>('none', 'x', null);

const note = fc.record<{ [name: string]: Json }>({ text, score, tag }, { requiredKeys: ['text'] });
const noNotes: Json[] = [{ score: 1 }, { text: 'a', colour: 'red' }, [], 'x', [{ text: 'a' }]];
const partOfNote = fc.record<{ [name: string]: Json }>({ text, score, tag }, { requiredKeys: [] });

const visit = fc.record<{ [name: string]: Json }>({ place, day, score }, { requiredKeys: ['place', 'day'] });
const visits = fc.uniqueArray(visit, {
  selector: ({ place: a, day: b }) => `${a} ${b}`,
  minLength: 1,
  maxLength: 3,
  size: 'max',
});
const twice = { place: 'Rom', day: '2026-01-01' };
const noVisits: Json[] = [
  [],
  [{ place: 'Rom' }, { place: 'Rom' }],
  [twice, twice],
  {},
  [5],
  [{ day: 'Monday' }],
  [{ place: 7 }],
];

const mark = fc.record<{ [name: string]: Json }>({ no: number, text, tag }, { requiredKeys: ['no', 'text'] });
const marks = fc.uniqueArray(mark, { selector: ({ no }) => no, minLength: 1, maxLength: 3, size: 'max' });
const noMarks: Json[] = [
  [{ no: 1 }],
  [
    { no: 1, text: 'a' },
    { no: 1, text: 'b' },
  ],
  7,
  [null],
];

function named(names: readonly string[], values: Arbitrary<Json>): Arbitrary<Extension> {
  return fc.record({ name: choice(...names), value: values });
}
