import type { AttributeValue, BusinessAttribute as BusinessAttributeRow } from '../db/registry.js';
import {
  attributeName,
  attributeNamed,
  defineBusinessAttribute,
  deleteBusinessAttribute,
  type FieldMapping as FieldMappingRow,
  fieldMappings,
  mapField,
  setMapNames,
} from '../domain/business-attributes.js';
import { type MappedField, mappableFields } from '../domain/field-mappings.js';
import { parseOrThrow } from '../domain/services.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';
import { retryInputs } from './service-inputs.js';

/** `Service.application_type` → `SERVICE_APPLICATION_TYPE` */
const MappableField = builder.enumType('MappableField', {
  description: 'A field that can be mapped to a business attribute.',
  values: Object.fromEntries(
    mappableFields.map((field) => [field.replace('.', '_').toUpperCase(), describe(field)]),
  ),
});

function describe(value: MappedField): { value: MappedField; description: string } {
  const [entity = '', member = ''] = value.split('.');
  const owner = entity === 'Service' ? 'a service' : `a ${entity.toLowerCase()} of a service`;
  return { value, description: `The ${member.replace('_', ' ')} of ${owner}.` };
}

const describedAttribute = {
  name: 'The name; case makes no difference. A letter, then letters, digits, _, -, . and spaces, at most 64 characters.',
  dbid: 'The database id, 1 or more.',
  displayName: 'What people are shown; the name when none was given.',
  displayNameInput: 'What people are shown; the name when absent. At most 256 characters.',
  description: 'What it means. At most 256 characters.',
  values: 'The values: 1 to 1,000, of different dbids and names.',
} as const;

const describedValue = {
  name: 'The name: 1 to 64 characters, not digits alone. Case matters.',
  dbid: 'The database id, 1 or more: what is stored.',
} as const;

const BusinessAttributeValue = builder.objectRef<AttributeValue>('BusinessAttributeValue').implement({
  description: 'One value of a business attribute.',
  fields: (t) => ({
    dbid: t.expose('dbid', { type: 'Long', description: describedValue.dbid }),
    name: t.exposeString('name', { description: describedValue.name }),
    displayName: t.string({
      description: describedAttribute.displayName,
      resolve: ({ name, displayName }) => displayName ?? name,
    }),
    description: t.string({
      nullable: true,
      description: describedAttribute.description,
      resolve: ({ description }) => description ?? null,
    }),
  }),
});

const BusinessAttribute = builder.objectRef<BusinessAttributeRow>('BusinessAttribute').implement({
  description: 'A closed list of values, for fields that are mapped to it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name as it was defined; case makes no difference.' }),
    dbid: t.field({
      type: 'Long',
      nullable: true,
      description: describedAttribute.dbid,
      resolve: ({ dbid }) => dbid ?? null,
    }),
    displayName: t.string({
      description: describedAttribute.displayName,
      resolve: ({ name, displayName }) => displayName ?? name,
    }),
    description: t.string({
      nullable: true,
      description: describedAttribute.description,
      resolve: ({ description }) => description ?? null,
    }),
    values: t.field({
      type: [BusinessAttributeValue],
      description: 'The values, in the order that they were given in.',
      resolve: ({ values }) => [...values],
    }),
    fields: t.field({
      type: [MappableField],
      description: 'The fields that are mapped to it: they take no other values.',
      resolve: ({ fields }) => mappableFields.filter((field) => fields.includes(field)),
    }),
  }),
});

const FieldMapping = builder.objectRef<FieldMappingRow>('FieldMapping').implement({
  description: 'What a field takes: the values of a business attribute alone, by their names or dbids.',
  fields: (t) => ({
    field: t.expose('field', { type: MappableField, description: 'The field.' }),
    businessAttribute: t.field({
      type: BusinessAttribute,
      description: 'The business attribute that it is mapped to.',
      resolve: ({ attribute }) => attribute,
    }),
  }),
});

const BusinessAttributeValueInput = builder.inputType('BusinessAttributeValueInput', {
  description: 'One value of a business attribute.',
  fields: (t) => ({
    dbid: t.field({ type: 'Long', required: true, description: describedValue.dbid }),
    name: t.string({ required: true, description: describedValue.name }),
    displayName: t.string({ description: describedAttribute.displayNameInput }),
    description: t.string({ description: describedAttribute.description }),
  }),
});

const DefineBusinessAttributeInput = builder.inputType('DefineBusinessAttributeInput', {
  description: 'A business attribute, as a whole.',
  fields: (t) => ({
    name: t.string({ required: true, description: describedAttribute.name }),
    dbid: t.field({ type: 'Long', description: describedAttribute.dbid }),
    displayName: t.string({ description: describedAttribute.displayNameInput }),
    description: t.string({ description: describedAttribute.description }),
    values: t.field({
      type: [BusinessAttributeValueInput],
      required: true,
      description: describedAttribute.values,
    }),
    ...retryInputs(t),
  }),
});

const DeleteBusinessAttributeInput = builder.inputType('DeleteBusinessAttributeInput', {
  description: 'A business attribute that is no longer needed.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name; case makes no difference.' }),
  }),
});

const MapFieldInput = builder.inputType('MapFieldInput', {
  description: 'What a field is to take.',
  fields: (t) => ({
    field: t.field({ type: MappableField, required: true, description: 'The field.' }),
    businessAttribute: t.string({
      description:
        'The name of the business attribute whose values the field takes from now on; null lets it take anything.',
    }),
  }),
});

const SetMapNamesInput = builder.inputType('SetMapNamesInput', {
  description: 'How mapped fields are to be answered.',
  fields: (t) => ({
    mapNames: t.boolean({ required: true, description: 'As names; else as dbids.' }),
  }),
});

type Defined = { businessAttribute: BusinessAttributeRow; replayed: boolean };

const DefineBusinessAttributePayload = builder
  .objectRef<Defined>('DefineBusinessAttributePayload')
  .implement({
    description: 'The business attribute is defined.',
    fields: (t) => ({
      businessAttribute: t.expose('businessAttribute', {
        type: BusinessAttribute,
        description: 'The business attribute as it now is.',
      }),
      replayed: t.exposeBoolean('replayed', { description: described.replayed }),
    }),
  });

const DeleteBusinessAttributePayload = builder
  .objectRef<{ name: string }>('DeleteBusinessAttributePayload')
  .implement({
    description: 'The business attribute is no more.',
    fields: (t) => ({ name: t.exposeString('name', { description: 'The name that it had.' }) }),
  });

const MapFieldPayload = builder
  .objectRef<{ fieldMapping: FieldMappingRow | null }>('MapFieldPayload')
  .implement({
    description: 'The field is mapped, or is not any more.',
    fields: (t) => ({
      fieldMapping: t.expose('fieldMapping', {
        type: FieldMapping,
        nullable: true,
        description: 'What the field is mapped to; null when it takes anything.',
      }),
    }),
  });

const SetMapNamesPayload = builder.objectRef<{ mapNames: boolean }>('SetMapNamesPayload').implement({
  description: 'Mapped fields are answered so.',
  fields: (t) => ({
    mapNames: t.exposeBoolean('mapNames', { description: 'Whether they are answered as names.' }),
  }),
});

builder.queryFields((t) => ({
  businessAttributes: t.field({
    type: [BusinessAttribute],
    description: 'All business attributes, by their names.',
    resolve: async (_, _args, { db }) => [...(await db.registry.latest()).businessAttributes],
  }),
  businessAttribute: t.field({
    type: BusinessAttribute,
    nullable: true,
    description: 'One business attribute; null when there is none of that name.',
    args: { name: t.arg.string({ required: true, description: 'The name; case makes no difference.' }) },
    resolve: async (_, args, { db }) => {
      const name = parseOrThrow(attributeName, 'name', args.name);
      return attributeNamed(await db.registry.latest(), name) ?? null;
    },
  }),
  fieldMappings: t.field({
    type: [FieldMapping],
    description: 'All fields that are mapped to a business attribute.',
    resolve: async (_, _args, { db }) => fieldMappings(await db.registry.latest()),
  }),
  mapNames: t.boolean({
    description: 'Whether mapped fields are answered as names, instead of as dbids.',
    resolve: async (_, _args, { db }) => (await db.registry.latest()).mapNames,
  }),
}));

builder.mutationFields((t) => ({
  defineBusinessAttribute: t.field({
    type: DefineBusinessAttributePayload,
    description:
      'Creates a business attribute, or replaces the one of its name. What is mapped to it stays so.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The business attribute, or why it is not defined.' },
    },
    args: {
      input: t.arg({
        type: DefineBusinessAttributeInput,
        required: true,
        description: 'The business attribute.',
      }),
    },
    resolve: (_, { input: { idempotencyKey, ...fields } }, { db, origin }) =>
      defineBusinessAttribute(db, origin, { fields, idempotencyKey }),
  }),
  deleteBusinessAttribute: t.field({
    type: DeleteBusinessAttributePayload,
    description: 'Removes a business attribute. A Conflict while a field is mapped to it.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The name that is free now, or why it is not.' },
    },
    args: {
      input: t.arg({
        type: DeleteBusinessAttributeInput,
        required: true,
        description: 'The business attribute.',
      }),
    },
    resolve: async (_, { input }, { db }) => ({ name: await deleteBusinessAttribute(db, input.name) }),
  }),
  mapField: t.field({
    type: MapFieldPayload,
    description:
      'Lets a field take the values of one business attribute alone, or anything. What is stored stays as it is.',
    errors: {
      types: [NotFound, Invalid],
      union: { description: 'The mapping, or why there is none.' },
    },
    args: {
      input: t.arg({ type: MapFieldInput, required: true, description: 'The field and what it takes.' }),
    },
    resolve: async (_, { input }, { db }) => ({ fieldMapping: await mapField(db, input) }),
  }),
  setMapNames: t.field({
    type: SetMapNamesPayload,
    description: 'Says whether mapped fields are answered as names or as dbids.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'How mapped fields are answered, or why not so.' },
    },
    args: {
      input: t.arg({ type: SetMapNamesInput, required: true, description: 'How they are answered.' }),
    },
    resolve: async (_, { input: { mapNames } }, { db }) => {
      await setMapNames(db, mapNames);
      return { mapNames };
    },
  }),
}));
