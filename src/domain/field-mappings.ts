import { type ClosedList, type Registry, valueForms } from '../db/registry.js';
import { accept, type Checked, type Rule, refuse } from './rules.js';

const entities = ['Service', 'State', 'Task'] as const;
const members = ['type', 'disposition', 'application_type', 'resource_type', 'media_type'] as const;

/** A field that can be mapped to a business attribute, by its key of the legacy contract. */
export type MappedField = `${(typeof entities)[number]}.${(typeof members)[number]}`;

export const mappableFields: readonly MappedField[] = entities.flatMap((entity) =>
  members.map((member): MappedField => `${entity}.${member}`),
);

/** Every key of every field: `Service.service_type` is `Service.type` (legacy contract, business attributes). */
const fieldsByKey = new Map<unknown, MappedField>([
  ...mappableFields.map((field) => [field, field] as const),
  ...entities.map((entity) => [`${entity}.${entity.toLowerCase()}_type`, `${entity}.type`] as const),
]);

export const mappedField: Rule<MappedField> = (value) => {
  const field = fieldsByKey.get(value);
  return field ? accept(field) : refuse(`must be one of ${mappableFields.join(', ')}`, mappableFields);
};

/** What is stored for a value that a caller gives: of a mapped field its dbid, whichever form it came in. */
export function codeFor(
  registry: Registry,
  field: MappedField,
  given: number | string,
): Checked<number | string> {
  const list = registry.mappings.get(field);
  if (!list) return accept(given);
  const value = list.byForm.get(given);
  return value ? accept(value.dbid) : refuseValue(list);
}

/** What is answered for what is stored. What is none of a mapped field's values was stored before they were. */
export function shownCode<Stored>(
  registry: Registry,
  field: MappedField,
  stored: Stored,
): Stored | number | string {
  const value = registry.mappings.get(field)?.byForm.get(stored);
  if (!value) return stored;
  return registry.mapNames ? value.name : value.dbid;
}

/** All that may be stored for what a filter asks for: `100` and `"100"` name one code (legacy contract, operations). */
export function storedForms(
  registry: Registry,
  field: MappedField,
  given: number | string,
): Checked<readonly (number | string)[]> {
  const list = registry.mappings.get(field);
  if (!list) return accept(unmappedForms(given));
  const value = list.byForm.get(given);
  return value ? accept(valueForms(value)) : refuseValue(list);
}

function unmappedForms(given: number | string): readonly (number | string)[] {
  const number = Number(given);
  const isInteger = Number.isSafeInteger(number) && String(number) === String(given);
  return isInteger ? [String(given), number] : [String(given)];
}

function refuseValue({ attribute: { name, values } }: ClosedList): Checked<never> {
  return refuse(
    `must be a value of the business attribute ${name}, by its name or its dbid`,
    values.flatMap((value) => [value.name, String(value.dbid)]),
  );
}
