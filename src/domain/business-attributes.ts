import type { Db } from '../db/database.js';
import { afterAct } from '../db/failures.js';
import type { AttributeValue, BusinessAttribute, Registry } from '../db/registry.js';
import { Conflict, NotFound, type Path, Unavailable } from '../errors.js';
import { Prisma } from '../generated/prisma/client.js';
import { refuseUnknown } from './extension-schemas.js';
import { type MappedField, mappableFields, mappedField } from './field-mappings.js';
import { findOutcome, hashCommand, idempotencyKey } from './idempotency.js';
import { accept, Faults, integer, isObject, nullable, type Rule, refuse, text } from './rules.js';
import type { Origin } from './service-writes.js';
import { parseOrThrow } from './services.js';

const mostValues = 1_000;

/** A business attribute without the fields that are mapped to it. */
export type AttributeDefinition = Omit<BusinessAttribute, 'fields'>;

export type NewBusinessAttribute = {
  /** `name`, `dbid`, `displayName`, `description` and `values`, as they came. */
  fields: Readonly<Record<string, unknown>>;
  idempotencyKey?: unknown;
};

/**
 * Creates a business attribute or replaces the one of its name, which keeps the fields that are mapped to it.
 * @throws Invalid, listing every fault; NotFound for a replay whose attribute is gone
 */
export async function defineBusinessAttribute(
  db: Db,
  { receivedAt }: Origin,
  { fields, idempotencyKey: givenKey }: NewBusinessAttribute,
): Promise<{ businessAttribute: BusinessAttribute; replayed: boolean }> {
  const faults = new Faults();
  const attribute = readAttribute(fields, [], faults);
  const key = faults.check(nullable(idempotencyKey), ['idempotencyKey'], givenKey) ?? null;
  faults.throwIfAny();
  const commandHash = hashCommand({ attribute });
  const statement = upsertAttribute(db.tenant, { attribute, key, commandHash, receivedAt });
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const isDefined = (await db.write(statement)).length > 0;
    const replayed =
      !isDefined && key !== null && Boolean(await findOutcome(db, { key, commandHash, receivedAt }));
    if (isDefined || replayed) {
      const registry = await afterAct(() => reload(db));
      return { businessAttribute: getBusinessAttribute(registry, attribute.name), replayed };
    }
  }
  throw changeTooFast();
}

/** A key may be older than it is kept for, and what a refusal was for may be gone when it is explained. */
const mostAttempts = 3;

function reload({ registry }: Db): Promise<Registry> {
  registry.forget();
  return registry.current();
}

function changeTooFast(): Unavailable {
  return new Unavailable('The business attributes change too fast: try again.');
}

type Definition = {
  attribute: AttributeDefinition;
  key: string | null;
  commandHash: string;
  receivedAt: Date;
};

/** The tenant's row is locked first, so that versions and attributes appear in one order. */
function upsertAttribute(
  tenant: string,
  { attribute, key, commandHash, receivedAt }: Definition,
): Prisma.Sql {
  const { name, dbid, displayName, description, values } = attribute;
  return Prisma.sql`
    with grown as (
      update tenant set registry_version = registry_version + 1
      where id = ${tenant} and not exists (select from idempotency_key where tenant = ${tenant} and key = ${key})
      returning id
    ), defined as (
      insert into business_attribute (tenant, name_key, name, dbid, display_name, description, "values")
      select id, ${name.toLowerCase()}, ${name}, ${dbid ?? null}::bigint, ${displayName ?? null},
        ${description ?? null}, ${JSON.stringify(values)}::jsonb
      from grown
      on conflict (tenant, name_key) do update set name = excluded.name, dbid = excluded.dbid,
        display_name = excluded.display_name, description = excluded.description, "values" = excluded."values"
      returning name
    ), keys_written as (
      insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
      select ${tenant}, ${key}, ${commandHash}, jsonb_build_object('businessAttribute', name), ${receivedAt}
      from defined where ${key}::text is not null
    )
    select name from defined`;
}

/**
 * @returns the name as it was defined
 * @throws Invalid, NotFound; Conflict while a field is mapped to it
 */
export async function deleteBusinessAttribute(db: Db, given: unknown): Promise<string> {
  const wanted = parseOrThrow(attributeName, 'name', given);
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const [deleted] = await db.write<{ name: string }>(deleteAttribute(db.tenant, wanted.toLowerCase()));
    db.registry.forget();
    if (deleted) return deleted.name;
    const { name, fields } = getBusinessAttribute(await db.registry.current(), wanted);
    if (fields.length > 0) throw new Conflict(`${fields.join(', ')} must not be mapped to ${name} any more.`);
  }
  throw changeTooFast();
}

function deleteAttribute(tenant: string, key: string): Prisma.Sql {
  return Prisma.sql`
    with grown as (
      update tenant set registry_version = registry_version + 1
      where id = ${tenant}
        and exists (select from business_attribute where tenant = ${tenant} and name_key = ${key})
        and not exists (select from field_mapping where tenant = ${tenant} and attribute_key = ${key})
      returning id
    )
    delete from business_attribute using grown where tenant = grown.id and name_key = ${key} returning name`;
}

export type FieldMapping = { field: MappedField; attribute: BusinessAttribute };

/**
 * Maps a field to a business attribute, or to none by `null`, whatever it was mapped to.
 * @throws Invalid, listing every fault; NotFound when there is no such attribute
 */
export async function mapField(
  db: Db,
  given: { field?: unknown; businessAttribute?: unknown },
): Promise<FieldMapping | null> {
  const faults = new Faults();
  const field = faults.require(mappedField, ['field'], given.field, 'Service.type');
  const name = faults.require(nullable(attributeName), ['businessAttribute'], given.businessAttribute, null);
  faults.throwIfAny();
  if (name !== null) return mapTo(db, field, name);
  await db.write(deleteMapping(db.tenant, field));
  db.registry.forget();
  return null;
}

async function mapTo(db: Db, field: MappedField, name: string): Promise<FieldMapping> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const isMapped = (await db.write(upsertMapping(db.tenant, field, name.toLowerCase()))).length > 0;
    const attribute = getBusinessAttribute(await afterAct(() => reload(db)), name);
    if (isMapped || attribute.fields.includes(field)) return { field, attribute };
  }
  throw changeTooFast();
}

/** Does nothing where the field is mapped so already, or where there is no such attribute. */
function upsertMapping(tenant: string, field: MappedField, key: string): Prisma.Sql {
  return Prisma.sql`
    with grown as (
      update tenant set registry_version = registry_version + 1
      where id = ${tenant}
        and exists (select from business_attribute where tenant = ${tenant} and name_key = ${key})
        and not exists (
          select from field_mapping where tenant = ${tenant} and field = ${field} and attribute_key = ${key})
      returning id
    )
    insert into field_mapping (tenant, field, attribute_key) select id, ${field}, ${key} from grown
    on conflict (tenant, field) do update set attribute_key = excluded.attribute_key
    returning field`;
}

function deleteMapping(tenant: string, field: MappedField): Prisma.Sql {
  return Prisma.sql`
    with grown as (
      update tenant set registry_version = registry_version + 1
      where id = ${tenant}
        and exists (select from field_mapping where tenant = ${tenant} and field = ${field})
      returning id
    )
    delete from field_mapping using grown where tenant = grown.id and field = ${field} returning field`;
}

/** Says whether mapped fields are answered as names, instead of as dbids. */
export async function setMapNames(db: Db, mapNames: boolean): Promise<void> {
  await db.write(Prisma.sql`
    update tenant set map_names = ${mapNames}, registry_version = registry_version + 1
    where id = ${db.tenant} and map_names <> ${mapNames} returning id`);
  db.registry.forget();
}

/** By the fields. */
export function fieldMappings({ mappings }: Registry): FieldMapping[] {
  return mappableFields.flatMap((field) => {
    const attribute = mappings.get(field)?.attribute;
    return attribute ? [{ field, attribute }] : [];
  });
}

/** Whatever the case of the name. */
export function attributeNamed(
  { businessAttributes }: Registry,
  name: string,
): BusinessAttribute | undefined {
  const key = name.toLowerCase();
  return businessAttributes.find((attribute) => attribute.name.toLowerCase() === key);
}

/** @throws NotFound */
export function getBusinessAttribute(registry: Registry, name: string): BusinessAttribute {
  const attribute = attributeNamed(registry, name);
  if (!attribute) throw new NotFound(`There is no business attribute ${name}.`);
  return attribute;
}

/** @throws NotFound when the field is not mapped */
export function getAttributeOf({ mappings }: Registry, field: MappedField): BusinessAttribute {
  const list = mappings.get(field);
  if (!list) throw new NotFound(`${field} is not mapped to a business attribute.`);
  return list.attribute;
}

/** A letter, then letters, digits, `_`, `-`, `.` and spaces; case makes no difference. */
export const attributeName: Rule<string> = (value) =>
  typeof value === 'string' && /^[a-z][\w .-]{0,63}$/i.test(value) && !value.endsWith(' ')
    ? accept(value)
    : refuse(
        'must be a letter followed by letters, digits, _, -, . and spaces, at most 64 characters, with no space at the end',
      );

const attributeDbid = integer(1);
const label = text(256);

/** What is a name of digits alone and what a dbid nobody could tell. */
const valueName: Rule<string> = (value) => {
  const checked = text(64, 1)(value);
  return checked.ok && /^\d+$/.test(checked.value) ? refuse('must not be digits alone') : checked;
};

const attributeMembers = ['name', 'dbid', 'displayName', 'description', 'values'];
const valueMembers = ['dbid', 'name', 'displayName', 'description'];

/** @param path where in the input the attribute lies */
export function readAttribute(
  entry: Readonly<Record<string, unknown>>,
  path: Path,
  faults: Faults,
): AttributeDefinition {
  refuseUnknown(entry, attributeMembers, path, faults);
  const name = faults.require(attributeName, [...path, 'name'], entry['name'], '');
  const dbid = faults.check(attributeDbid, [...path, 'dbid'], entry['dbid'] ?? undefined);
  return {
    name,
    ...(dbid === undefined ? {} : { dbid }),
    ...readLabels(entry, path, faults),
    values: readValues(entry['values'], [...path, 'values'], faults),
  };
}

function readLabels(
  entry: Readonly<Record<string, unknown>>,
  path: Path,
  faults: Faults,
): { displayName?: string; description?: string } {
  const displayName = faults.check(label, [...path, 'displayName'], entry['displayName'] ?? undefined);
  const description = faults.check(label, [...path, 'description'], entry['description'] ?? undefined);
  return {
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
  };
}

function readValues(given: unknown, path: Path, faults: Faults): AttributeValue[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > mostValues) {
    faults.add(path, { message: `must be a list of 1 to ${mostValues} values` });
    return [];
  }
  const values = given.map((entry: unknown, index) => readValue(entry, [...path, index], faults));
  for (const member of ['dbid', 'name'] as const) checkDiffer(values, member, path, faults);
  return values;
}

function readValue(given: unknown, path: Path, faults: Faults): AttributeValue {
  if (!isObject(given)) {
    faults.add(path, { message: 'must be an object' });
    return { dbid: 0, name: '' };
  }
  refuseUnknown(given, valueMembers, path, faults);
  return {
    dbid: faults.require(attributeDbid, [...path, 'dbid'], given['dbid'], 0),
    name: faults.require(valueName, [...path, 'name'], given['name'], ''),
    ...readLabels(given, path, faults),
  };
}

/** What was at fault itself, and is 0 or empty now, is not compared. */
function checkDiffer(
  values: readonly AttributeValue[],
  member: 'dbid' | 'name',
  path: Path,
  faults: Faults,
): void {
  const seen = new Set<unknown>();
  for (const [index, { [member]: form }] of values.entries()) {
    if (form && seen.has(form)) faults.add([...path, index, member], { message: 'is given twice' });
    seen.add(form);
  }
}
