import type { BusinessAttribute, Registry } from '../db/registry.js';
import { attributeName, getAttributeOf, getBusinessAttribute } from '../domain/business-attributes.js';
import { mappedField } from '../domain/field-mappings.js';
import { parseOrThrow } from '../domain/services.js';
import type { Answer, Call } from './call.js';

/** All of them, or with `cv-attribute` the one that the field is mapped to. */
export async function queryBusinessAttributes({ db, request }: Call): Promise<Answer> {
  const given = request.query['cv-attribute'];
  const field = given === undefined ? undefined : parseOrThrow(mappedField, 'cv-attribute', given);
  const registry = await db.registry.latest();
  const shown = field
    ? businessAttributeWire(registry, getAttributeOf(registry, field))
    : registry.businessAttributes.map((attribute) => businessAttributeWire(registry, attribute));
  return { status: 200, json: JSON.stringify(shown) };
}

export async function queryBusinessAttribute({ db, request }: Call): Promise<Answer> {
  const name = parseOrThrow(attributeName, 'name', request.params['name']);
  const registry = await db.registry.latest();
  const shown = businessAttributeWire(registry, getBusinessAttribute(registry, name));
  return { status: 200, json: JSON.stringify(shown) };
}

/** In the legacy shape: what was not given is absent, but a name to display there always is. */
function businessAttributeWire({ mapNames }: Registry, attribute: BusinessAttribute): object {
  return {
    name: attribute.name,
    dbid: attribute.dbid,
    display_name: attribute.displayName ?? attribute.name,
    description: attribute.description,
    map_name: mapNames,
    cv_attributes: attribute.fields,
    values: attribute.values.map((value) => ({
      name: value.name,
      dbid: value.dbid,
      display_name: value.displayName ?? value.name,
      description: value.description,
    })),
  };
}
