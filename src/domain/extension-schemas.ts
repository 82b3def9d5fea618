import type { Db } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import { Conflict, NotFound, type Path, Unavailable } from '../errors.js';
import { type ExtensionSchema, type ExtensionScope, Prisma } from '../generated/prisma/client.js';
import {
  type Attribute,
  attributeRule,
  attributeTypes,
  type JsonScalar,
  type RecordSchema,
} from './extension-records.js';
import { findOutcome, hashCommand, idempotencyKey } from './idempotency.js';
import { accept, Faults, integer, oneOf, type Rule, refuse, text } from './rules.js';
import type { Origin } from './service-writes.js';

export const extensionTypes = ['single-valued', 'multi-valued'] as const;

const mostAttributes = 100;
const mostUniqueLists = 100;

/** Names that old clients find beside extensions in one JSON object, so that none may be called so. */
const reservedNames = new Set(
  `service_id state_id task_id customer_id contact_key service_type state_type task_type started completed
   duration est_duration disposition disposition_desc session_id interaction_id application_type application_id resource_type resource_id
   media_type timestamp ttl expiration_time auto_complete_after previous_state_id`.split(/\s+/),
);

export type NewExtensionSchema = {
  scope: ExtensionScope;
  /** `name`, `type`, `attributes` and `unique`, as they came. */
  fields: Readonly<Record<string, unknown>>;
  idempotencyKey?: unknown;
};

/**
 * Defines an extension for good.
 * @throws Invalid, listing every fault; Conflict when the scope has an extension of that name
 */
export async function createExtensionSchema(
  db: Db,
  { receivedAt }: Origin,
  { scope, fields, idempotencyKey: givenKey }: NewExtensionSchema,
): Promise<{ extensionSchema: ExtensionSchema; replayed: boolean }> {
  const faults = new Faults();
  const schema = readSchema(fields, faults);
  const key = faults.check(idempotencyKey, ['idempotencyKey'], givenKey ?? undefined) ?? null;
  faults.throwIfAny();
  const { name } = schema;
  const commandHash = hashCommand({ scope, schema });
  const statement = insertSchema(db.tenant, { scope, schema, key, commandHash, receivedAt });
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const isCreated = (await db.write(statement)).length > 0;
    const replayed =
      !isCreated && key !== null && Boolean(await findOutcome(db, { key, commandHash, receivedAt }));
    // Read back, what was created could look as if it were not.
    const extensionSchema = isCreated
      ? rowOf(db.tenant, { scope, schema, receivedAt })
      : await findExtensionSchema(db, scope, name);
    if (extensionSchema && (isCreated || replayed)) {
      db.registry.forget();
      return { extensionSchema, replayed };
    }
    if (extensionSchema) throw new Conflict(`There is an extension schema ${name} already.`);
  }
  throw new Unavailable('The extension schemas change too fast: try again.');
}

/** The first attempt may meet a key that is older than it is kept for, and takes it away. */
const mostAttempts = 3;

type SchemaCommand = {
  scope: ExtensionScope;
  schema: NewSchema;
  key: string | null;
  commandHash: string;
  receivedAt: Date;
};

/** The tenant's row is locked first, so that versions and schemas appear in one order. */
function insertSchema(
  tenant: string,
  { scope, schema, key, commandHash, receivedAt }: SchemaCommand,
): Prisma.Sql {
  const { name, type, attributes, unique } = schema;
  const nameKey = name.toLowerCase();
  return Prisma.sql`
    with grown as (
      update tenant set registry_version = registry_version + 1
      where id = ${tenant} and not exists (
        select from extension_schema
        where tenant = ${tenant} and scope = ${scope}::extension_scope and name_key = ${nameKey}
      ) and not exists (select from idempotency_key where tenant = ${tenant} and key = ${key})
      returning id
    ), created as (
      insert into extension_schema (tenant, scope, name_key, name, type, attributes, "unique", created_at)
      select id, ${scope}::extension_scope, ${nameKey}, ${name}, ${type}::extension_type,
        ${JSON.stringify(attributes)}::jsonb, ${JSON.stringify(unique)}::jsonb, ${receivedAt}
      from grown
      on conflict do nothing
      returning name
    ), keys_written as (
      insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
      select ${tenant}, ${key}, ${commandHash}, jsonb_build_object('scope', ${scope}::text, 'name', name), ${receivedAt}
      from created where ${key}::text is not null
    )
    select name from created`;
}

/** As it was inserted. */
function rowOf(
  tenant: string,
  { scope, schema, receivedAt }: Pick<SchemaCommand, 'scope' | 'schema' | 'receivedAt'>,
): ExtensionSchema {
  const { name, type, ...lists } = schema;
  // As `recordSchema` has them.
  const { attributes, unique } = lists as unknown as Pick<ExtensionSchema, 'attributes' | 'unique'>;
  return {
    tenant,
    scope,
    nameKey: name.toLowerCase(),
    name,
    type,
    attributes,
    unique,
    createdAt: receivedAt,
  };
}

/** @throws NotFound when there is none of that name, whatever its case. */
export async function getExtensionSchema(
  db: Db,
  scope: ExtensionScope,
  name: string,
): Promise<ExtensionSchema> {
  const schema = await findExtensionSchema(db, scope, name);
  if (!schema) throw new NotFound(`There is no extension schema ${name}.`);
  return schema;
}

export function findExtensionSchema(
  db: Db,
  scope: ExtensionScope,
  name: string,
): Promise<ExtensionSchema | null> {
  const nameKey = name.toLowerCase();
  return db.prisma.extensionSchema.findUnique({
    where: { tenant_scope_nameKey: { tenant: db.tenant, scope, nameKey } },
  });
}

/** In the order of their names. */
export function listExtensionSchemas(db: Db, scope: ExtensionScope): Promise<ExtensionSchema[]> {
  return db.prisma.extensionSchema.findMany({
    where: { tenant: db.tenant, scope },
    orderBy: { nameKey: 'asc' },
  });
}

/** A schema's attributes and unique lists; only `createExtensionSchema` writes them. */
export function recordSchema(schema: ExtensionSchema): RecordSchema {
  return {
    type: schema.type,
    attributes: schema.attributes as unknown as Attribute[],
    unique: schema.unique as unknown as string[][],
  };
}

export function schemaNamed(
  registry: Registry,
  scope: ExtensionScope,
  name: string,
): ExtensionSchema | undefined {
  const nameKey = name.toLowerCase();
  return registry.schemas.find((schema) => schema.scope === scope && schema.nameKey === nameKey);
}

/** A letter, then letters, digits and `_`; at most 26 characters (legacy contract, values). */
export const extensionName: Rule<string> = (value) =>
  typeof value === 'string' && /^[a-z][a-z0-9_]{0,25}$/i.test(value)
    ? accept(value)
    : refuse('must be a letter followed by letters, digits or _, at most 26 characters');

export const schemaName: Rule<string> = (value) => {
  const checked = extensionName(value);
  if (checked.ok && isReservedName(checked.value)) return refuse('is reserved');
  return checked;
};

export function isReservedName(name: string): boolean {
  return reservedNames.has(name.toLowerCase()) || /^(active|completed)_/i.test(name);
}

type NewSchema = RecordSchema & { name: string };

export function readSchema(input: Readonly<Record<string, unknown>>, faults: Faults): NewSchema {
  refuseUnknown(input, schemaMembers, [], faults);
  const name = faults.require(schemaName, ['name'], input['name'], '');
  const type = faults.require(oneOf(extensionTypes), ['type'], input['type'], 'single-valued');
  const attributes = readAttributes(input['attributes'], faults);
  const unique = readUnique(input['unique'], attributes, faults);
  return { name, type: type === 'single-valued' ? 'SINGLE_VALUED' : 'MULTI_VALUED', attributes, unique };
}

function readAttributes(value: unknown, faults: Faults): Attribute[] {
  const path = ['attributes'];
  if (!Array.isArray(value) || value.length === 0) {
    faults.add(path, { message: 'must be an array of at least one attribute' });
    return [];
  }
  if (value.length > mostAttributes) {
    faults.add(path, { message: `must have at most ${mostAttributes} attributes, has ${value.length}` });
    return [];
  }
  const attributes = value.map((entry, index) => readAttribute(entry, index, faults));
  checkNamesDiffer(attributes, faults);
  return attributes;
}

export function refuseUnknown(entry: object, known: readonly string[], path: Path, faults: Faults): void {
  for (const member of Object.keys(entry)) {
    if (!known.includes(member))
      faults.add([...path, member], { message: 'is not known here', allowed: known, isOfName: true });
  }
}

const schemaMembers = ['name', 'type', 'attributes', 'unique'];
const attributeMembers = ['name', 'type', 'length', 'default', 'mandatory', 'unique', 'encrypt'];

function readAttribute(value: unknown, index: number, faults: Faults): Attribute {
  const path = ['attributes', index];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.add(path, { message: 'must be an object' });
    return { name: '', type: 'string' };
  }
  const entry: Record<string, unknown> = { ...value };
  refuseUnknown(entry, attributeMembers, path, faults);
  const faultsBefore = faults.list.length;
  const attribute: Attribute = {
    name: faults.require(extensionName, [...path, 'name'], entry['name'], ''),
    type: faults.require(oneOf(attributeTypes), [...path, 'type'], entry['type'], 'string'),
  };
  const length = faults.check(lengthRule, [...path, 'length'], entry['length'] ?? undefined);
  if (length !== undefined) attribute.length = length;
  if (length !== undefined && attribute.type !== 'string') {
    faults.add([...path, 'length'], { message: 'goes with the type string alone' });
  }
  for (const flag of ['mandatory', 'unique', 'encrypt'] as const) {
    const isSet = faults.check(flagRule, [...path, flag], entry[flag] ?? undefined);
    if (isSet !== undefined) attribute[flag] = isSet;
  }
  // A default is judged by the type and length, so only where those are sound.
  if (faults.list.length > faultsBefore) return attribute;
  const fallback = readDefault(attribute, entry['default'], [...path, 'default'], faults);
  if (fallback !== undefined) attribute.default = fallback;
  return attribute;
}

function readDefault(
  attribute: Attribute,
  value: unknown,
  path: readonly (string | number)[],
  faults: Faults,
): JsonScalar | undefined {
  if (value === undefined || value === null) return undefined;
  const given = attribute.type === 'boolean' ? fromText(value) : value;
  return faults.check(attributeRule(attribute), path, given);
}

function checkNamesDiffer(attributes: readonly Attribute[], faults: Faults): void {
  const seen = new Set<string>();
  for (const [index, { name }] of attributes.entries()) {
    const key = name.toLowerCase();
    if (key !== '' && seen.has(key)) faults.add(['attributes', index, 'name'], { message: 'is given twice' });
    seen.add(key);
  }
}

/** Old clients send booleans and lengths as JSON values or as strings (legacy contract, extension schemas). */
const flagRule: Rule<boolean> = (value) => {
  const given = fromText(value);
  return typeof given === 'boolean' ? accept(given) : refuse('must be true or false');
};

const lengthRule: Rule<number> = (value) =>
  integer(1, 32_768)(typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value);

function fromText(value: unknown): unknown {
  if (value === 'true') return true;
  if (value === 'false') return false;
  return value;
}

/** `["a", ["b", "c"]]`: a is unique, and so are b and c together. An attribute's own flag counts too. */
function readUnique(value: unknown, attributes: readonly Attribute[], faults: Faults): string[][] {
  const flagged = attributes.filter(({ unique }) => unique).map(({ name }) => [name]);
  if (value === undefined || value === null) return flagged;
  if (!Array.isArray(value) || value.length > mostUniqueLists) {
    faults.add(['unique'], { message: `must be an array of at most ${mostUniqueLists} entries` });
    return flagged;
  }
  const lists = value.map((entry: unknown, index) => readUniqueList(entry, index, attributes, faults));
  return [...new Map([...flagged, ...lists].map((list) => [[...list].sort().join(), list])).values()];
}

function readUniqueList(
  value: unknown,
  index: number,
  attributes: readonly Attribute[],
  faults: Faults,
): string[] {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  const allowed = attributes.map(({ name }) => name).filter((name) => name !== '');
  if (names.length === 0 || names.length > attributes.length) {
    faults.add(['unique', index], { message: `must name 1 to ${attributes.length} attributes` });
    return [];
  }
  const keys = names.map((name) => String(name).toLowerCase());
  if (new Set(keys).size < keys.length) faults.add(['unique', index], { message: 'must not name one twice' });
  return names.map((given, place) => {
    const path = Array.isArray(value) ? ['unique', index, place] : ['unique', index];
    const wanted = faults.check(text(26), path, given)?.toLowerCase();
    const found = allowed.find((name) => name.toLowerCase() === wanted);
    if (wanted !== undefined && found === undefined) {
      faults.add(path, { message: 'must name an attribute of the schema', allowed });
    }
    return found ?? '';
  });
}
