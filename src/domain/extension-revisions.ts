import { NotFound, type Path } from '../errors.js';
import { attributeRule, type Json, type JsonRecord, type RecordSchema } from './extension-records.js';
import { type Faults, isObject } from './rules.js';

/** How a new value comes of the stored one. */
export type Revision = 'MERGE' | 'UPDATE_RECORD' | 'DELETE_RECORD';

export type Revised = {
  /** Undefined where there is no extension of that name. */
  stored: Json | undefined;
  given: unknown;
  /** Undefined where the extension is attached data, or an unknown one. */
  schema: RecordSchema | undefined;
  path: Path;
};

/** @returns the value that is to be stored, yet to be checked as any; undefined where that makes no sense */
export type Revise = (revised: Revised, faults: Faults) => unknown;

export const revisions: Readonly<Record<Revision, Revise>> = {
  MERGE: merge,
  UPDATE_RECORD: (revised, faults) =>
    reviseRecord(revised, faults, (record, given) => [joined(record, given)]),
  DELETE_RECORD: (revised, faults) => reviseRecord(revised, faults, () => []),
};

/** Adds keys to a map, or replaces them; a key that is null is taken away (legacy contract, operations). */
function merge({ stored, given, schema, path }: Revised, faults: Faults): unknown {
  if (schema?.type === 'MULTI_VALUED' || (stored !== undefined && !isObject(stored))) {
    faults.add(path, { message: 'cannot be merged into: it is not a map but a list or a single value' });
    return undefined;
  }
  if (!isObject(given)) {
    faults.add(path, { message: 'must be an object: the keys to merge' });
    return undefined;
  }
  const members = schema ? readGiven(schema, given, path, faults) : new Map(Object.entries(given));
  return members && joined(isObject(stored) ? stored : {}, members);
}

/** An object with the members that are given in the place of its own; null takes one away. */
function joined(stored: object, given: ReadonlyMap<string, unknown>): object {
  return Object.fromEntries([
    ...Object.entries(stored).filter(([name]) => !given.has(name)),
    ...[...given].filter(([, value]) => value !== null),
  ]);
}

/** The records of an extension with what comes in the place of one of them. */
function reviseRecord(
  { stored, given, schema, path }: Revised,
  faults: Faults,
  replace: (record: JsonRecord, given: ReadonlyMap<string, unknown>) => unknown[],
): unknown {
  // The name is refused as every unknown one is.
  if (!schema) return undefined;
  if (schema.type === 'SINGLE_VALUED' || schema.unique.length === 0) {
    faults.add(path, { message: 'has no records that are told apart by unique attributes' });
    return undefined;
  }
  if (!isObject(given)) {
    faults.add(path, { message: 'must be an object: the record' });
    return undefined;
  }
  const members = readGiven(schema, given, path, faults);
  const lists = members && completeLists(schema, members, path, faults);
  if (!lists) return undefined;
  // Only checked records are stored under a schema of many.
  const records = (Array.isArray(stored) ? stored : []) as JsonRecord[];
  const index = findRecord(records, lists, members);
  const record = records[index];
  if (!record) throw new NotFound(`The extension ${path.at(-1)} has no such record.`);
  return [...records.slice(0, index), ...replace(record, members), ...records.slice(index + 1)];
}

/** The unique lists that are given as a whole. */
function completeLists(
  { unique }: RecordSchema,
  given: ReadonlyMap<string, unknown>,
  path: Path,
  faults: Faults,
): readonly (readonly string[])[] | undefined {
  const lists = unique.filter((names) => names.every((name) => (given.get(name) ?? null) !== null));
  if (lists.length > 0) return lists;
  const allowed = unique.map((names) => names.join(', '));
  faults.add(path, { message: 'must have all attributes of a unique list, to tell which record', allowed });
  return undefined;
}

/** The record that the first of the lists names which names one at all; -1 for none. */
function findRecord(
  records: readonly JsonRecord[],
  lists: readonly (readonly string[])[],
  given: ReadonlyMap<string, unknown>,
): number {
  const places = lists.map((names) =>
    records.findIndex((record) => names.every((name) => record[name] === given.get(name))),
  );
  return places.find((place) => place >= 0) ?? -1;
}

/** The given attributes by their schema's names, as they are stored; undefined where one breaks a rule. */
function readGiven(
  { attributes }: RecordSchema,
  given: object,
  path: Path,
  faults: Faults,
): ReadonlyMap<string, unknown> | undefined {
  const before = faults.list.length;
  const members = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    const attribute = attributes.find((known) => known.name.toLowerCase() === name.toLowerCase());
    const place = [...path, attribute?.name ?? name];
    if (!attribute) {
      const allowed = attributes.map((known) => known.name);
      faults.add(place, { message: 'is not an attribute of the extension', allowed });
    } else if (members.has(attribute.name)) {
      faults.add(place, { message: 'is given twice' });
    } else {
      members.set(
        attribute.name,
        value === null ? null : faults.check(attributeRule(attribute), place, value),
      );
    }
  }
  return faults.list.length > before ? undefined : members;
}
