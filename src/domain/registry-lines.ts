import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import type { Snapshot } from '../db/snapshot.js';
import type { ExtensionSchema, ExtensionScope, ExtensionType } from '../generated/prisma/client.js';
import { defineBusinessAttribute, mapField, readAttribute, setMapNames } from './business-attributes.js';
import { createExtensionSchema, readSchema, refuseUnknown } from './extension-schemas.js';
import { mappedField } from './field-mappings.js';
import { dateTime, type Faults, isObject, oneOf, text } from './rules.js';
import type { RegistryKind } from './transfer-format.js';

export type RegistryLine = { kind: RegistryKind; value: unknown };

/** What came of a line: null where it is refused, and `faults` says why. */
export type LineOutcome = 'imported' | 'there' | null;

type SchemaRow = {
  scope: ExtensionScope;
  name: string;
  type: ExtensionType;
  attributes: unknown;
  unique: unknown;
  createdAt: Date;
};

/** All that is defined in the tenant, in the order in which it can be defined again. */
export async function registryLines({ tenant, read }: Snapshot): Promise<RegistryLine[]> {
  const values = [tenant];
  const schemas = await read<SchemaRow>({
    text: `select scope, name, type, attributes, "unique", created_at as "createdAt"
      from extension_schema where tenant = $1 order by scope, name_key collate "C"`,
    values,
  });
  const attributes = await read<Record<string, unknown>>({
    text: `select name, dbid::float8 as dbid, display_name as "displayName", description, "values"
      from business_attribute where tenant = $1 order by name_key collate "C"`,
    values,
  });
  const names = await read<{ mapNames: boolean }>({
    text: 'select map_names as "mapNames" from tenant where id = $1',
    values,
  });
  const mappings = await read<{ field: string; businessAttribute: string }>({
    text: `select m.field, a.name as "businessAttribute" from field_mapping m
      join business_attribute a on a.tenant = m.tenant and a.name_key = m.attribute_key
      where m.tenant = $1 order by m.field collate "C"`,
    values,
  });
  return [
    ...schemas.map((schema) => ({ kind: 'extensionSchema' as const, value: shownSchema(schema) })),
    ...attributes.map((attribute) => ({
      kind: 'businessAttribute' as const,
      value: Object.fromEntries(Object.entries(attribute).filter(([, member]) => member !== null)),
    })),
    ...names.map(({ mapNames }) => ({ kind: 'mapNames' as const, value: mapNames })),
    ...mappings.map((mapping) => ({ kind: 'fieldMapping' as const, value: mapping })),
  ];
}

function shownSchema({ scope, name, type, attributes, unique, createdAt }: SchemaRow) {
  const shownType = type === 'SINGLE_VALUED' ? 'single-valued' : 'multi-valued';
  return { scope, name, type: shownType, attributes, unique, createdAt };
}

/** Defines what lines of an export say, where it is not there already; what is there is never changed. */
export class RegistryImport {
  readonly #db: Db;
  readonly #isDryRun: boolean;
  /** Of a dry run: the names of what would be there by now, in lower case. */
  readonly #wouldBe = new Set<string>();

  constructor(db: Db, isDryRun: boolean) {
    this.#db = db;
    this.#isDryRun = isDryRun;
  }

  async take({ kind, value }: RegistryLine, now: Date, faults: Faults): Promise<LineOutcome> {
    const registry = await this.#db.registry.latest();
    if (kind === 'mapNames') return this.#setMapNames(registry, value, faults);
    if (!isObject(value)) {
      faults.add([], { message: 'must be an object' });
      return null;
    }
    if (kind === 'extensionSchema') return this.#createSchema(registry, value, now, faults);
    if (kind === 'businessAttribute') return this.#defineAttribute(registry, value, now, faults);
    return this.#map(registry, value, faults);
  }

  async #createSchema(registry: Registry, given: Given, now: Date, faults: Faults): Promise<LineOutcome> {
    const { scope: givenScope, createdAt, ...fields } = given;
    const scope = faults.require(oneOf(['SERVICE', 'STATE', 'TASK']), ['scope'], givenScope, 'SERVICE');
    const receivedAt = faults.check(dateTime, ['createdAt'], createdAt ?? undefined) ?? now;
    const schema = readSchema(fields, faults);
    if (faults.list.length > 0) return null;
    const stored = registry.schemas.find((known) => known.scope === scope && isNamed(known, schema.name));
    if (stored) return sameOr(isDeepStrictEqual(schema, definitionOf(stored)), 'extension schema', faults);
    if (!this.#isDryRun) await createExtensionSchema(this.#db, originAt(receivedAt), { scope, fields });
    return 'imported';
  }

  async #defineAttribute(registry: Registry, given: Given, now: Date, faults: Faults): Promise<LineOutcome> {
    const attribute = readAttribute(given, [], faults);
    if (faults.list.length > 0) return null;
    const stored = registry.businessAttributes.find((known) => isNamed(known, attribute.name));
    if (stored) {
      const { fields: _, ...definition } = stored;
      return sameOr(isDeepStrictEqual(attribute, definition), 'business attribute', faults);
    }
    this.#wouldBe.add(attribute.name.toLowerCase());
    if (!this.#isDryRun) await defineBusinessAttribute(this.#db, originAt(now), { fields: given });
    return 'imported';
  }

  async #map(registry: Registry, given: Given, faults: Faults): Promise<LineOutcome> {
    refuseUnknown(given, ['field', 'businessAttribute'], [], faults);
    const field = faults.require(mappedField, ['field'], given['field'], 'Service.type');
    const name = faults.require(text(64, 1), ['businessAttribute'], given['businessAttribute'], '');
    const isThere = registry.businessAttributes.some((known) => isNamed(known, name));
    if (name !== '' && !isThere && !this.#wouldBe.has(name.toLowerCase())) {
      faults.add(['businessAttribute'], { message: 'must name a business attribute that is there' });
    }
    if (faults.list.length > 0) return null;
    const mapped = registry.mappings.get(field)?.attribute;
    if (mapped) return sameOr(isNamed(mapped, name), 'mapping of the field', faults);
    if (!this.#isDryRun) await mapField(this.#db, { field, businessAttribute: name });
    return 'imported';
  }

  /** As long as no field is mapped it makes no difference to anybody. */
  async #setMapNames(registry: Registry, value: unknown, faults: Faults): Promise<LineOutcome> {
    if (typeof value !== 'boolean') faults.add([], { message: 'must be true or false' });
    if (typeof value !== 'boolean' || registry.mapNames === value)
      return faults.list.length > 0 ? null : 'there';
    if (registry.mappings.size > 0) return sameOr(false, 'way to answer mapped fields', faults);
    if (!this.#isDryRun) await setMapNames(this.#db, value);
    return 'imported';
  }
}

type Given = Readonly<Record<string, unknown>>;

function sameOr(isSame: boolean, noun: string, faults: Faults): LineOutcome {
  if (isSame) return 'there';
  faults.add([], { message: `there is another ${noun} already` });
  return null;
}

function isNamed(known: { name: string }, name: string): boolean {
  return known.name.toLowerCase() === name.toLowerCase();
}

/** As `readSchema` answers it. */
function definitionOf({ name, type, attributes, unique }: ExtensionSchema) {
  return { name, type, attributes, unique };
}

function originAt(receivedAt: Date) {
  return { front: 'GRAPHQL', requestId: 'import', principal: null, receivedAt } as const;
}
