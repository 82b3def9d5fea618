import { type DomainError, NotFound, type Path } from '../errors.js';
import {
  type Attribute,
  attributeRule,
  type Json,
  type JsonRecord,
  type RecordSchema,
} from './extension-records.js';
import type { Faults } from './rules.js';

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
  UPDATE_RECORD: (revised, faults) => reviseRecord(revised, faults, updateRecord),
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
  return joined(isObject(stored) ? stored : {}, given, schema);
}

/** Names of a schema are told apart without regard to case; what is null and no name of it is left to be refused. */
function joined(stored: Members, given: Members, schema: RecordSchema | undefined): Members {
  const keyOf = (name: string) => (schema ? name.toLowerCase() : name);
  const known = schema && new Set(schema.attributes.map(({ name }) => keyOf(name)));
  const replaced = new Set(Object.keys(given).map(keyOf));
  return Object.fromEntries([
    ...Object.entries(stored).filter(([name]) => !replaced.has(keyOf(name))),
    ...Object.entries(given).filter(([name, value]) => value !== null || (known && !known.has(keyOf(name)))),
  ]);
}

type Members = Readonly<Record<string, unknown>>;

/** The records of an extension with what comes in the place of one of them. */
function reviseRecord(
  { stored, given, schema, path }: Revised,
  faults: Faults,
  replace: (record: JsonRecord, given: Members, schema: RecordSchema) => unknown[],
): unknown {
  // The name is refused as every unknown one is.
  if (!schema) return undefined;
  const selected = isObject(given) ? given : {};
  const selection = readSelection(schema, selected, path, faults);
  if (!isObject(given)) faults.add(path, { message: 'must be an object: the record' });
  if (!selection) return undefined;
  // Only checked records are stored under a schema of many.
  const records = (Array.isArray(stored) ? stored : []) as JsonRecord[];
  const index = records.findIndex((record) => selection.every(([name, value]) => record[name] === value));
  const record = records[index];
  if (!record) throw noSuchRecord(path);
  return [...records.slice(0, index), ...replace(record, selected, schema), ...records.slice(index + 1)];
}

function updateRecord(record: JsonRecord, given: Members, schema: RecordSchema): unknown[] {
  return [joined(record, given, schema)];
}

function noSuchRecord(path: Path): DomainError {
  return new NotFound(`The extension ${path.at(-1)} has no such record.`);
}

/** The values of the first unique list that is given as a whole: by them the record is found. */
function readSelection(
  { type, attributes, unique }: RecordSchema,
  given: Members,
  path: Path,
  faults: Faults,
): [name: string, value: unknown][] | undefined {
  if (type === 'SINGLE_VALUED' || unique.length === 0) {
    faults.add(path, { message: 'has no records that are told apart by unique attributes' });
    return undefined;
  }
  const values = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  const givenFor = (name: string) => values.get(name.toLowerCase()) ?? undefined;
  const names = unique.find((list) => list.every((name) => givenFor(name) !== undefined));
  if (!names) {
    const allowed = unique.map((list) => list.join(', '));
    faults.add(path, { message: 'must have all attributes of a unique list, to tell which record', allowed });
    return undefined;
  }
  const checked = checkGiven(attributes, given, path, faults);
  return checked && names.map((name) => [name, checked.get(name)]);
}

/** The given attributes by their schema's names, as they are stored; undefined where one breaks a rule. */
function checkGiven(
  attributes: readonly Attribute[],
  given: Members,
  path: Path,
  faults: Faults,
): ReadonlyMap<string, unknown> | undefined {
  const before = faults.list.length;
  const checked = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    const attribute = attributes.find((known) => known.name.toLowerCase() === name.toLowerCase());
    if (!attribute) {
      const allowed = attributes.map((known) => known.name);
      faults.add([...path, name], { message: 'is not an attribute of the extension', allowed });
    } else if (value !== null) {
      checked.set(attribute.name, faults.check(attributeRule(attribute), [...path, attribute.name], value));
    }
  }
  return faults.list.length > before ? undefined : checked;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
