import type { Json } from '../openapi/document.js';

export type Break = { at: string; message: string };

/** Callers have to send what is taken, and to read what is answered. */
type Way = 'taken' | 'answered';

/** What of a schema breaks callers. References are compared by their names: what they lead to is compared once. */
export function schemaBreaks(way: Way, at: string, released: Json, present: Json): Break[] {
  if (released['$ref'] !== present['$ref']) return [{ at, message: `is another schema now` }];
  return [
    ...typeBreaks(way, at, released, present),
    ...(way === 'taken' ? limitBreaks(at, released, present) : []),
    ...memberBreaks(way, at, released, present),
    ...itemBreaks(way, at, released, present),
    ...choiceBreaks(way, at, released, present),
  ];
}

function typeBreaks(way: Way, at: string, released: Json, present: Json): Break[] {
  const [before, after] = [valuesOf(released['type']), valuesOf(present['type'])];
  const [enumBefore, enumAfter] = [valuesOf(released['enum']), valuesOf(present['enum'])];
  const missing = (some: readonly unknown[], others: readonly unknown[]) =>
    some.filter((one) => !others.includes(one));
  if (way === 'answered') {
    // Without a type it can be any.
    const more = after.length === 0 ? before : before.length === 0 ? [] : missing(after, before);
    return more.length > 0 ? [{ at, message: `can be ${after.join(' or ') || 'anything'} now` }] : [];
  }
  const fewer = after.length === 0 ? [] : before.length === 0 ? ['anything'] : missing(before, after);
  const gone =
    enumAfter.length === 0
      ? []
      : enumBefore.length === 0
        ? ['anything else']
        : missing(enumBefore, enumAfter);
  return [...fewer, ...gone].map((value) => ({ at, message: `cannot be ${value} any more` }));
}

function valuesOf(value: unknown): unknown[] {
  return value === undefined ? [] : [value].flat();
}

const limits = [
  ...['maxLength', 'maximum', 'maxItems', 'maxProperties'].map((name) => [name, 1] as const),
  ...['minLength', 'minimum', 'minItems', 'minProperties'].map((name) => [name, -1] as const),
];

function limitBreaks(at: string, released: Json, present: Json): Break[] {
  const narrower = limits.filter(([name, sign]) => {
    const [before, after] = [released[name], present[name]];
    return after !== undefined && (before === undefined || sign * (Number(after) - Number(before)) < 0);
  });
  const isOther = present['pattern'] !== undefined && present['pattern'] !== released['pattern'];
  const names = [...narrower.map(([name]) => name), ...(isOther ? ['pattern'] : [])];
  return names.map((name) => ({ at, message: `has ${name} ${present[name]} now` }));
}

type Members = Record<string, Json>;

function memberBreaks(way: Way, at: string, released: Json, present: Json): Break[] {
  const before = (released['properties'] ?? {}) as Members;
  const after = (present['properties'] ?? {}) as Members;
  const [needed, neededNow] = [valuesOf(released['required']), valuesOf(present['required'])];
  const members = Object.entries(before).flatMap(([name, schema]) => {
    const now = after[name];
    if (!now) return [{ at: `${at}.${name}`, message: 'is gone' }];
    const isMissing = way === 'answered' && needed.includes(name) && !neededNow.includes(name);
    return [
      ...(isMissing ? [{ at: `${at}.${name}`, message: 'can be absent now' }] : []),
      ...schemaBreaks(way, `${at}.${name}`, schema, now),
    ];
  });
  const required = way === 'taken' ? neededNow.filter((name) => !needed.includes(name)) : [];
  const isClosed =
    way === 'taken' &&
    present['additionalProperties'] === false &&
    released['additionalProperties'] !== false;
  return [
    ...members,
    ...required.map((name) => ({ at: `${at}.${name}`, message: 'is required now' })),
    ...(isClosed ? [{ at, message: 'takes no other members any more' }] : []),
  ];
}

function itemBreaks(way: Way, at: string, { items: before }: Json, { items: after }: Json): Break[] {
  return isSchema(before) && isSchema(after) ? schemaBreaks(way, `${at}[]`, before, after) : [];
}

/** Of those between which there is a choice, one at the same place is taken for the same one. */
function choiceBreaks(way: Way, at: string, released: Json, present: Json): Break[] {
  return ['anyOf', 'allOf'].flatMap((name) => {
    const [before, after] = [valuesOf(released[name]), valuesOf(present[name])];
    if (before.length > after.length && way === 'taken') return [{ at, message: `has fewer ${name}` }];
    if (before.length < after.length && way === 'answered') return [{ at, message: `has more ${name}` }];
    return before.flatMap((one, index) => {
      const other = after[index];
      return isSchema(one) && isSchema(other) ? schemaBreaks(way, at, one, other) : [];
    });
  });
}

function isSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
