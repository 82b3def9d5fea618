import { type Act, type Extension, type Front, type Json, type Refusal, type Scope, theOne } from './acts.js';

type Record = { [name: string]: Json };
type Attribute = { name: string; type: 'string' | 'integer' | 'date'; default?: string; mandatory?: boolean };

export type Schema = {
  name: string;
  type: 'single-valued' | 'multi-valued';
  scopes: Scope[];
  attributes: Attribute[];
  unique?: (string | string[])[];
};

const everywhere: Scope[] = ['SERVICE', 'STATE', 'TASK'];

/** The extension schemas that are defined before the acts. */
export const schemas: Schema[] = [
  {
    name: 'Note',
    type: 'single-valued',
    scopes: everywhere,
    attributes: [
      { name: 'text', type: 'string', mandatory: true },
      { name: 'score', type: 'integer' },
      { name: 'tag', type: 'string', default: 'none' },
    ],
  },
  {
    name: 'Visits',
    type: 'multi-valued',
    scopes: everywhere,
    attributes: [
      { name: 'place', type: 'string' },
      { name: 'day', type: 'date' },
      { name: 'score', type: 'integer' },
    ],
    unique: [['place', 'day']],
  },
  {
    name: 'Marks',
    type: 'multi-valued',
    scopes: everywhere,
    attributes: [
      { name: 'no', type: 'integer' },
      { name: 'text', type: 'string', mandatory: true },
      { name: 'tag', type: 'string', default: 'none' },
    ],
    unique: ['no'],
  },
  {
    name: 'Loose',
    type: 'multi-valued',
    scopes: ['SERVICE'],
    attributes: [{ name: 'text', type: 'string' }],
  },
];

export function schemaOf(scope: Scope, name: string): Schema | undefined {
  return schemas.find((schema) => schema.scopes.includes(scope) && isSame(schema.name, name));
}

/** Replaces the stored extensions that are given, and removes those that are given as null. */
export function replaceExtensions(stored: Extension[], { scope, front, extensions }: Act): Refusal[] {
  const names = new Set(extensions.map(({ name }) => name.toLowerCase()));
  const refusals = extensions.flatMap(({ name, value }): Refusal[] => {
    if (!mayWrite(scope, front, name)) return ['INVALID'];
    const kept = value === null ? null : checkValue(schemaOf(scope, name), value);
    if (kept === undefined) return ['INVALID'];
    store(stored, scope, name, kept);
    return [];
  });
  return names.size === extensions.length ? refusals : ['INVALID'];
}

/** Adds or replaces the top-level keys of an object. */
export function mergeExtension(stored: Extension[], act: Act): Refusal[] {
  const { name, value } = theOne(act);
  const schema = schemaOf(act.scope, name);
  const before = find(stored, name)?.value ?? {};
  if (!mayWrite(act.scope, act.front, name)) return ['INVALID'];
  if (schema?.type === 'multi-valued' || !isRecord(value) || !isRecord(before)) return ['INVALID'];
  const kept = checkValue(schema, joined(before, value));
  if (kept === undefined) return ['INVALID'];
  store(stored, act.scope, name, kept);
  return [];
}

/** Updates the record that has the same unique attributes as the given one. */
export function updateRecord(stored: Extension[], act: Act): Refusal[] {
  return changeRecord(stored, act, (record) => {
    const { value } = theOne(act);
    return [joined(record, isRecord(value) ? value : {})];
  });
}

export function deleteRecord(stored: Extension[], act: Act): Refusal[] {
  return changeRecord(stored, act, () => []);
}

function changeRecord(stored: Extension[], act: Act, change: (record: Record) => Record[]): Refusal[] {
  const { name, value } = theOne(act);
  const schema = schemaOf(act.scope, name);
  const unique = uniqueOf(schema).find(
    (names) => isRecord(value) && names.every((one) => value[one] != null),
  );
  if (schema?.type !== 'multi-valued' || !isRecord(value) || !unique) return ['INVALID'];
  // What is wrong with the given attributes can be told of a record that is not there, too.
  const refusals: Refusal[] = fitsAttributes(schema, value) ? [] : ['INVALID'];
  const records = (find(stored, name)?.value ?? []) as Record[];
  const index = records.findIndex((record) => unique.every((one) => record[one] === value[one]));
  const found = records[index];
  if (!found) return ['NOT_FOUND', ...refusals];
  const kept = checkValue(schema, records.toSpliced(index, 1, ...change(found)));
  if (kept === undefined) return ['INVALID'];
  store(stored, act.scope, name, kept);
  return [];
}

/** What is given as null is taken away. */
function joined(stored: Record, given: Record): Record {
  const kept = Object.entries(stored).filter(([name]) => !(name in given));
  return Object.fromEntries([...kept, ...Object.entries(given).filter(([, value]) => value !== null)]);
}

/** A name needs a schema but under 8.5, where any other is attached data. */
function mayWrite(scope: Scope, front: Front, name: string): boolean {
  return front === '8.5' || schemaOf(scope, name) !== undefined;
}

/** The value as it is kept, or undefined where the schema refuses it. */
function checkValue(schema: Schema | undefined, value: Json): Json | undefined {
  if (!schema) return value;
  if (schema.type === 'single-valued') return checkRecord(schema, value);
  if (!Array.isArray(value)) return undefined;
  const records = value.map((record) => checkRecord(schema, record));
  if (!records.every((record) => record !== undefined)) return undefined;
  return uniqueOf(schema).some((names) => hasRepeat(records, names)) ? undefined : records;
}

function checkRecord(schema: Schema, value: Json): Record | undefined {
  if (!isRecord(value) || !Object.keys(value).every((name) => hasAttribute(schema, name))) return undefined;
  const record: Record = {};
  for (const attribute of schema.attributes) {
    const given = value[attribute.name] ?? (attribute.name in value ? null : attribute.default);
    if ((given === undefined || given === null) && attribute.mandatory) return undefined;
    if (given !== undefined && given !== null && !fits(attribute, given)) return undefined;
    if (given !== undefined) record[attribute.name] = given;
  }
  return record;
}

function fits({ type }: Attribute, value: Json): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value);
  return typeof value === 'string' && (type === 'string' || /^\d{4}-\d\d-\d\d$/.test(value));
}

function fitsAttributes(schema: Schema, record: Record): boolean {
  const fitting = schema.attributes.filter(({ name }) => name in record);
  const isSound = fitting.every((one) => record[one.name] === null || fits(one, record[one.name] ?? null));
  return isSound && fitting.length === Object.keys(record).length;
}

function hasRepeat(records: readonly Record[], names: readonly string[]): boolean {
  const keys = records
    .map((record) => names.map((name) => record[name] ?? null))
    .filter((key) => !key.includes(null))
    .map((key) => JSON.stringify(key));
  return new Set(keys).size < keys.length;
}

/** Case makes no difference; the schema's spelling is kept, else that of the newest write. */
function store(stored: Extension[], scope: Scope, name: string, value: Json): void {
  const index = stored.findIndex((extension) => isSame(extension.name, name));
  if (index >= 0) stored.splice(index, 1);
  if (value !== null) stored.push({ name: schemaOf(scope, name)?.name ?? name, value });
}

function find(stored: readonly Extension[], name: string): Extension | undefined {
  return stored.find((extension) => isSame(extension.name, name));
}

function uniqueOf(schema: Schema | undefined): string[][] {
  return (schema?.unique ?? []).map((names) => [names].flat());
}

function hasAttribute(schema: Schema, name: string): boolean {
  return schema.attributes.some((attribute) => attribute.name === name);
}

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

function isRecord(value: Json): value is Record {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
