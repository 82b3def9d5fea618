import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../db/database.js';
import { type BusinessAttribute, loadBusinessAttributes } from '../db/registry.js';
import { NotFound, type Path } from '../errors.js';
import { Prisma } from '../generated/prisma/client.js';
import { type AttributeDefinition, readAttribute } from './business-attributes.js';
import { refuseUnknown } from './extension-schemas.js';
import { type MappedField, mappedField } from './field-mappings.js';
import { accept, Faults, isObject, type Rule, refuse } from './rules.js';

/** All business attributes of a tenant and all that is mapped to them: what it does not have is not to be there. */
export type AttributeSet = {
  readonly mapNames: boolean;
  readonly attributes: readonly AttributeDefinition[];
  /** The names of the attributes, in lower case, by the fields. */
  readonly mappings: ReadonlyMap<MappedField, string>;
};

const setMembers = ['mapNames', 'businessAttributes', 'fieldMappings'];

/** @throws Invalid, listing every fault */
export function readAttributeSet(given: unknown): AttributeSet {
  const faults = new Faults();
  const entry = isObject(given) ? given : {};
  if (entry !== given) faults.add([], { message: 'must be a JSON object' });
  faults.throwIfAny();
  refuseUnknown(entry, setMembers, [], faults);
  const attributes = readAttributes(entry['businessAttributes'], faults);
  const mappings = readMappings(entry['fieldMappings'] ?? {}, attributes, faults);
  const mapNames = faults.check(flag, ['mapNames'], entry['mapNames'] ?? undefined) ?? false;
  faults.throwIfAny();
  return { mapNames, attributes, mappings };
}

const flag: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? accept(value) : refuse('must be true or false');

function readAttributes(given: unknown, faults: Faults): AttributeDefinition[] {
  const path = ['businessAttributes'];
  if (!Array.isArray(given)) {
    faults.add(path, { message: 'must be a list of business attributes; an empty one removes them all' });
    return [];
  }
  const seen = new Set<string>();
  return given.flatMap((entry: unknown, index) => {
    const attribute = readEntry(entry, [...path, index], faults);
    const key = attribute?.name.toLowerCase();
    if (key && seen.has(key)) faults.add([...path, index, 'name'], { message: 'is given twice' });
    if (key) seen.add(key);
    return attribute ?? [];
  });
}

function readEntry(entry: unknown, path: Path, faults: Faults): AttributeDefinition | undefined {
  if (isObject(entry)) return readAttribute(entry, path, faults);
  faults.add(path, { message: 'must be an object' });
  return undefined;
}

function readMappings(
  given: unknown,
  attributes: readonly AttributeDefinition[],
  faults: Faults,
): Map<MappedField, string> {
  const mappings = new Map<MappedField, string>();
  if (!isObject(given)) {
    faults.add(['fieldMappings'], { message: 'must be an object of business attributes by their fields' });
    return mappings;
  }
  const target = attributeAmong(attributes.map(({ name }) => name).filter((name) => name !== ''));
  for (const [member, value] of Object.entries(given)) {
    const path = ['fieldMappings', member];
    const field = faults.check(mappedField, path, member);
    const key = faults.check(target, path, value);
    if (field && mappings.has(field)) faults.add(path, { message: `is ${field}, which is given twice` });
    if (field && key) mappings.set(field, key);
  }
  return mappings;
}

function attributeAmong(names: readonly string[]): Rule<string> {
  const keys = new Set(names.map((name) => name.toLowerCase()));
  return (value) => {
    const key = typeof value === 'string' ? value.toLowerCase() : undefined;
    return key !== undefined && keys.has(key)
      ? accept(key)
      : refuse('must be mapped to the name of one of the businessAttributes', names);
  };
}

/** What was done, by names and fields; `mapNames` where it has changed. */
export type AppliedSet = {
  defined: readonly string[];
  removed: readonly string[];
  mapped: readonly MappedField[];
  unmapped: readonly string[];
  mapNames?: boolean;
};

/**
 * Makes what the tenant has the same as the set. The registry's version grows by one, or stays where
 * all is the same already.
 * @param db of a transaction
 * @throws NotFound when there is no such tenant
 */
export async function applyBusinessAttributes(db: Db, set: AttributeSet): Promise<AppliedSet> {
  // First of all, so that nobody else changes what is now compared.
  const [tenant] = await db.prisma.$queryRaw<{ mapNames: boolean }[]>(
    Prisma.sql`select map_names as "mapNames" from tenant where id = ${db.tenant} for update`,
  );
  if (!tenant) throw new NotFound(`There is no tenant ${db.tenant}.`);
  const stored = await loadBusinessAttributes(db.prisma, db.tenant);
  const applied = compare(stored, set);
  const isRenamed = tenant.mapNames !== set.mapNames;
  if (!isRenamed && Object.values(applied).every(({ length }) => length === 0)) return applied;
  await write(db, set, applied);
  return isRenamed ? { ...applied, mapNames: set.mapNames } : applied;
}

function compare(
  stored: readonly BusinessAttribute[],
  { attributes, mappings }: AttributeSet,
): Omit<AppliedSet, 'mapNames'> {
  const definitions = new Map(stored.map(({ fields: _, ...attribute }) => [keyOf(attribute), attribute]));
  const mapped = new Map(
    stored.flatMap((attribute) => attribute.fields.map((field) => [field, keyOf(attribute)])),
  );
  const kept = new Set(attributes.map(keyOf));
  const keptFields = new Set<string>(mappings.keys());
  return {
    defined: attributes
      .filter((attribute) => !isDeepStrictEqual(attribute, definitions.get(keyOf(attribute))))
      .map(({ name }) => name),
    removed: stored.filter((attribute) => !kept.has(keyOf(attribute))).map(({ name }) => name),
    mapped: [...mappings].filter(([field, key]) => mapped.get(field) !== key).map(([field]) => field),
    unmapped: [...mapped.keys()].filter((field) => !keptFields.has(field)),
  };
}

function keyOf({ name }: { name: string }): string {
  return name.toLowerCase();
}

/** No attribute is removed before what was mapped to it is mapped to another. */
async function write({ prisma, tenant }: Db, set: AttributeSet, applied: AppliedSet): Promise<void> {
  await prisma.fieldMapping.deleteMany({ where: { tenant, field: { in: [...applied.unmapped] } } });
  for (const attribute of set.attributes.filter(({ name }) => applied.defined.includes(name))) {
    const nameKey = keyOf(attribute);
    const columns = columnsOf(attribute);
    await prisma.businessAttribute.upsert({
      where: { tenant_nameKey: { tenant, nameKey } },
      create: { tenant, nameKey, ...columns },
      update: columns,
    });
  }
  for (const field of applied.mapped) {
    const attributeKey = set.mappings.get(field) ?? '';
    await prisma.fieldMapping.upsert({
      where: { tenant_field: { tenant, field } },
      create: { tenant, field, attributeKey },
      update: { attributeKey },
    });
  }
  const nameKeys = applied.removed.map((name) => name.toLowerCase());
  await prisma.businessAttribute.deleteMany({ where: { tenant, nameKey: { in: nameKeys } } });
  await prisma.tenant.update({
    where: { id: tenant },
    data: { mapNames: set.mapNames, registryVersion: { increment: 1 } },
  });
}

function columnsOf({ name, dbid, displayName, description, values }: AttributeDefinition) {
  return {
    name,
    dbid: dbid === undefined ? null : BigInt(dbid),
    displayName: displayName ?? null,
    description: description ?? null,
    values: values.map((value) => ({ ...value })),
  };
}
