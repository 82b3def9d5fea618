import type { Path } from '../errors.js';
import {
  accept,
  dateTime,
  Faults,
  integer,
  isCalendarDay,
  isObject,
  type Rule,
  refuse,
  text,
} from './rules.js';

export const attributeTypes = [
  'string',
  'integer',
  'long',
  'double',
  'date',
  'datetime',
  'currency',
  'boolean',
] as const;

export type AttributeType = (typeof attributeTypes)[number];

export type Attribute = {
  name: string;
  type: AttributeType;
  /** The most characters that a string may have. */
  length?: number;
  default?: JsonScalar;
  mandatory?: boolean;
  unique?: boolean;
  /** Kept and returned for old clients; it is no encryption at rest. */
  encrypt?: boolean;
};

export type JsonScalar = string | number | boolean | null;
export type Json = JsonScalar | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = { [name: string]: JsonScalar };

/** What the records of one extension must be: the part of a schema that checking needs. */
export type RecordSchema = {
  type: 'SINGLE_VALUED' | 'MULTI_VALUED';
  attributes: readonly Attribute[];
  unique: readonly (readonly string[])[];
};

/**
 * Whether a value has no fault and is kept just as it is given, as most are: what is left needs to be read member
 * by member, to tell what is wrong with it or to fill it in.
 */
export function isKeptAsGiven(schema: RecordSchema, value: unknown): value is Json {
  const checks = checksOf(schema.attributes);
  if (schema.type === 'SINGLE_VALUED') return isRecordAsKept(checks, value);
  return (
    Array.isArray(value) &&
    value.every((record) => isRecordAsKept(checks, record)) &&
    (schema.unique.length === 0 || hasNoRepeats(schema, value))
  );
}

function isRecordAsKept({ byName, needed }: Checks, value: unknown): value is JsonRecord {
  if (!isObject(value)) return false;
  let met = 0;
  for (const name in value) {
    const check = byName.get(name);
    if (!check) return false;
    const given = value[name];
    const isKept = given === null ? !check.attribute.mandatory : isAsKept(check.rule, given);
    if (!isKept) return false;
    if (check.isNeeded) met++;
  }
  return met === needed;
}

function isAsKept(rule: Rule<JsonScalar>, given: unknown): boolean {
  const checked = rule(given);
  return checked.ok && checked.value === given;
}

function hasNoRepeats(schema: RecordSchema, records: readonly JsonRecord[]): boolean {
  const faults = new Faults();
  checkUnique(schema, records, [], faults);
  return faults.list.length === 0;
}

/**
 * Checks the value of an extension and answers it as it is kept: defaults filled in, attributes
 * under their schema's spelling. Every fault goes to `faults`, with the path of its attribute.
 */
export function checkRecords(schema: RecordSchema, value: unknown, path: Path, faults: Faults): Json {
  if (schema.type === 'SINGLE_VALUED') return checkRecord(schema, value, path, faults);
  if (!Array.isArray(value)) {
    faults.add(path, { message: 'must be an array of records, since the extension is multi-valued' });
    return [];
  }
  const records = checkEach(schema, value, path, faults);
  checkUnique(schema, records, path, faults);
  return records;
}

/** As far as the limit goes: with defaults filled in, a small text can become a very large one. */
function checkEach(
  schema: RecordSchema,
  values: readonly unknown[],
  path: Path,
  faults: Faults,
): JsonRecord[] {
  const records: JsonRecord[] = [];
  const fillsIn = schema.attributes.some((attribute) => attribute.default !== undefined);
  let bytes = 0;
  for (const [index, value] of values.entries()) {
    const record = checkRecord(schema, value, [...path, index], faults);
    bytes += fillsIn ? jsonBytes(record) : 0;
    records.push(record);
    if (bytes > maxExtensionBytes) break;
  }
  return records;
}

/** Limit of ours, in bytes of UTF-8 JSON (legacy contract, values). */
export const maxExtensionBytes = 32 * 1024;

/** As PostgreSQL keeps and answers it: numbers with all their digits. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  return Buffer.byteLength(text) + digitsBeyond(text);
}

/** How many digits exponents stand for: 300 for `1e+300`. */
function digitsBeyond(json: string): number {
  if (!/\de[+-]\d/.test(json)) return 0;
  const numbers = json.replace(/"(?:[^"\\]|\\.)*"/g, '');
  return [...numbers.matchAll(/e[+-](\d+)/g)].reduce((sum, [, exponent]) => sum + Number(exponent), 0);
}

function checkRecord(schema: RecordSchema, value: unknown, path: Path, faults: Faults): JsonRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.add(path, { message: 'must be an object: one record of the extension' });
    return {};
  }
  const { byKey } = checksOf(schema.attributes);
  const given = givenByKey(byKey, value, path, faults);
  const record: JsonRecord = {};
  for (const [key, check] of byKey) {
    const kept = checkAttribute(check, given.get(key), path, faults);
    if (kept !== undefined) record[check.attribute.name] = kept;
  }
  return record;
}

type Check = {
  attribute: Attribute;
  rule: Rule<JsonScalar>;
  /** A record without it is refused or filled in. */
  isNeeded: boolean;
};

/** What the attributes of a schema were made into, once. */
type Checks = {
  byName: ReadonlyMap<string, Check>;
  /** By the names in lower case. */
  byKey: ReadonlyMap<string, Check>;
  /** How many of them are needed. */
  needed: number;
};

/** The same lists come again with every call. */
function checksOf(attributes: readonly Attribute[]): Checks {
  const known = knownChecks.get(attributes);
  if (known) return known;
  const list = attributes.map((attribute) => ({
    attribute,
    rule: attributeRule(attribute),
    isNeeded: Boolean(attribute.mandatory) || attribute.default !== undefined,
  }));
  const checks = {
    byName: new Map(list.map((check) => [check.attribute.name, check])),
    byKey: new Map(list.map((check) => [check.attribute.name.toLowerCase(), check])),
    needed: list.filter(({ isNeeded }) => isNeeded).length,
  };
  knownChecks.set(attributes, checks);
  return checks;
}

const knownChecks = new WeakMap<readonly Attribute[], Checks>();

/** Names are told apart without regard to case (legacy contract, values). */
function givenByKey(
  checks: ReadonlyMap<string, Check>,
  record: object,
  path: Path,
  faults: Faults,
): Map<string, unknown> {
  const given = new Map<string, unknown>();
  for (const [name, value] of Object.entries(record)) {
    const key = name.toLowerCase();
    if (!checks.has(key)) {
      const allowed = [...checks.values()].map(({ attribute }) => attribute.name);
      faults.add([...path, name], { message: 'is not an attribute of the extension', allowed });
    } else if (given.has(key)) faults.add([...path, name], { message: 'is given twice' });
    else given.set(key, value);
  }
  return given;
}

function checkAttribute(
  { attribute, rule }: Check,
  value: unknown,
  path: Path,
  faults: Faults,
): JsonScalar | undefined {
  if (value === undefined && attribute.default !== undefined) return attribute.default;
  if (value === undefined || value === null) {
    if (attribute.mandatory) faults.add([...path, attribute.name], { message: 'is mandatory' });
    return value;
  }
  return faults.check(rule, [...path, attribute.name], value);
}

/** The rule of an attribute's type (legacy contract, extension schemas). */
export function attributeRule({ type, length }: Pick<Attribute, 'type' | 'length'>): Rule<JsonScalar> {
  return type === 'string' ? text(length ?? Number.MAX_SAFE_INTEGER) : typeRules[type];
}

const day: Rule<string> = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && isCalendarDay(value)
    ? accept(value)
    : refuse('must be a date, like 2009-05-12');

const instant: Rule<string> = (value) => {
  const checked = dateTime(value);
  return checked.ok ? accept(checked.value.toISOString()) : checked;
};

const typeRules: Record<Exclude<AttributeType, 'string'>, Rule<JsonScalar>> = {
  integer: integer(-2_147_483_648, 2_147_483_647),
  long: integer(),
  double: (value) =>
    typeof value === 'number' && Number.isFinite(value) ? accept(value) : refuse('must be a number'),
  date: day,
  datetime: instant,
  // A decimal string keeps amounts exact; a number is taken too, since the contract shows no example.
  currency: (value) =>
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' && /^-?\d{1,15}(\.\d{1,4})?$/.test(value))
      ? accept(value)
      : refuse('must be an amount: a number, or a decimal string like "12.50"'),
  boolean: (value) => (typeof value === 'boolean' ? accept(value) : refuse('must be true or false')),
};

/** No two records of a multi-valued extension may agree in all attributes of a unique list. */
function checkUnique(schema: RecordSchema, records: readonly JsonRecord[], path: Path, faults: Faults): void {
  for (const names of schema.unique) {
    const seen = new Map<string, number>();
    for (const [index, record] of records.entries()) {
      // An attribute may be called as every object's own members are.
      const values = names.map((name) => (Object.hasOwn(record, name) ? record[name] : undefined));
      if (values.some((value) => value === undefined || value === null)) continue;
      const key = JSON.stringify(values);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, index);
      else faults.add([...path, index, ...names.slice(0, 1)], { message: repeats(names, first) });
    }
  }
}

function repeats(names: readonly string[], index: number): string {
  return names.length === 1
    ? `must be unique, repeats record ${index}`
    : `must be unique together with ${names.slice(1).join(', ')}, repeats record ${index}`;
}

/** The value with its attributes in the schema's order, which jsonb does not keep. */
export function inSchemaOrder(attributes: readonly Attribute[], value: Json): Json {
  if (Array.isArray(value)) return value.map((record: Json) => inSchemaOrder(attributes, record));
  if (typeof value !== 'object' || value === null) return value;
  const record = value as { readonly [key: string]: Json };
  const ordered: Record<string, Json> = {};
  for (const { name } of attributes) {
    if (Object.hasOwn(record, name) && record[name] !== undefined) ordered[name] = record[name];
  }
  // What was stored before the schema was made keeps its place behind.
  return Object.assign(ordered, record);
}
