import type { Attribute, attributeTypes } from '../domain/extension-records.js';
import {
  createExtensionSchema,
  extensionName,
  findExtensionSchema,
  listExtensionSchemas,
  recordSchema,
} from '../domain/extension-schemas.js';
import { parseOrThrow } from '../domain/services.js';
import { Conflict, Invalid } from '../errors.js';
import type { ExtensionSchema as ExtensionSchemaRow } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';
import { retryInputs } from './service-inputs.js';

const ExtensionScope = builder.enumType('ExtensionScope', {
  description: 'What an extension hangs on.',
  values: {
    SERVICE: { description: 'Services.' },
    STATE: { description: 'States of a service.' },
    TASK: { description: 'Tasks of a service.' },
  } as const,
});

const ExtensionType = builder.enumType('ExtensionType', {
  description: 'How many records an extension holds.',
  values: {
    SINGLE_VALUED: { description: 'One record: an object.' },
    MULTI_VALUED: { description: 'Any number of records: an array of objects.' },
  } as const,
});

const AttributeType = builder.enumType('AttributeType', {
  description: 'What the values of an attribute are.',
  values: {
    STRING: { value: 'string', description: 'A string, of the length that the attribute allows.' },
    INTEGER: { value: 'integer', description: 'An integer of 32 bits.' },
    LONG: { value: 'long', description: 'An integer from −(2^53−1) to 2^53−1.' },
    DOUBLE: { value: 'double', description: 'A number.' },
    DATE: { value: 'date', description: 'A day, like `2009-05-12`.' },
    DATETIME: { value: 'datetime', description: 'A moment, like `2009-05-12T12:05:12.145Z`.' },
    CURRENCY: { value: 'currency', description: 'An amount: a number, or a decimal string like `12.50`.' },
    BOOLEAN: { value: 'boolean', description: 'True or false.' },
  } as const satisfies Record<Uppercase<(typeof attributeTypes)[number]>, unknown>,
});

const describedAttribute = {
  name: 'The name; case makes no difference. A letter, then letters, digits or _, at most 26 characters.',
  type: 'What the values are.',
  length: 'The most characters that a string may have, 1 to 32768; with the type STRING alone.',
  default: 'What an absent attribute is filled in with.',
  mandatory: 'Whether every record must have the attribute.',
  unique: 'Whether no two records of one multi-valued extension may agree in it.',
  encrypt: 'Kept for clients of the legacy contract; it is no encryption at rest.',
} as const;

const ExtensionAttribute = builder.objectRef<Attribute>('ExtensionAttribute').implement({
  description: 'One attribute of the records of an extension.',
  fields: (t) => ({
    name: t.exposeString('name', { description: describedAttribute.name }),
    type: t.expose('type', { type: AttributeType, description: describedAttribute.type }),
    length: t.int({
      nullable: true,
      description: describedAttribute.length,
      resolve: ({ length }) => length ?? null,
    }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description: describedAttribute.default,
      resolve: (attribute) => attribute.default ?? null,
    }),
    mandatory: t.boolean({
      description: describedAttribute.mandatory,
      resolve: ({ mandatory }) => mandatory ?? false,
    }),
    unique: t.boolean({ description: describedAttribute.unique, resolve: ({ unique }) => unique ?? false }),
    encrypt: t.boolean({
      description: describedAttribute.encrypt,
      resolve: ({ encrypt }) => encrypt ?? false,
    }),
  }),
});

export const ExtensionSchema = builder.objectRef<ExtensionSchemaRow>('ExtensionSchema').implement({
  description: 'What the records of an extension may hold. It is defined once and for good.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name as it was defined; case makes no difference.' }),
    scope: t.expose('scope', { type: ExtensionScope, description: 'What the extension hangs on.' }),
    type: t.expose('type', { type: ExtensionType, description: 'How many records it holds.' }),
    attributes: t.field({
      type: [ExtensionAttribute],
      description: 'The attributes, in the order that records are answered in.',
      resolve: (schema) => [...recordSchema(schema).attributes],
    }),
    unique: t.field({
      type: t.listRef(t.listRef('String')),
      description:
        'Lists of attributes: no two records of one multi-valued extension may agree in all of a list.',
      resolve: (schema) => recordSchema(schema).unique.map((names) => [...names]),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was defined.' }),
  }),
});

const ExtensionAttributeInput = builder.inputType('ExtensionAttributeInput', {
  description: 'One attribute of the records of an extension.',
  fields: (t) => ({
    name: t.string({ required: true, description: describedAttribute.name }),
    type: t.field({ type: AttributeType, required: true, description: describedAttribute.type }),
    length: t.int({ description: describedAttribute.length }),
    default: t.field({ type: 'JSON', description: describedAttribute.default }),
    mandatory: t.boolean({ description: describedAttribute.mandatory }),
    unique: t.boolean({ description: describedAttribute.unique }),
    encrypt: t.boolean({ description: describedAttribute.encrypt }),
  }),
});

const CreateExtensionSchemaInput = builder.inputType('CreateExtensionSchemaInput', {
  description: 'A new extension schema.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name, none of the legacy contract’s own field names. A letter, then letters, digits or _, at most 26 characters.',
    }),
    scope: t.field({ type: ExtensionScope, defaultValue: 'SERVICE', description: 'What it hangs on.' }),
    type: t.field({ type: ExtensionType, required: true, description: 'How many records it holds.' }),
    attributes: t.field({
      type: [ExtensionAttributeInput],
      required: true,
      description: 'The attributes, 1 to 100, in the order that records are answered in.',
    }),
    unique: t.field({
      type: t.listRef(t.listRef('String')),
      description: 'Lists of attributes that are unique together.',
    }),
    ...retryInputs(t),
  }),
});

const CreateExtensionSchemaPayload = builder
  .objectRef<{ extensionSchema: ExtensionSchemaRow; replayed: boolean }>('CreateExtensionSchemaPayload')
  .implement({
    description: 'The extension schema was created.',
    fields: (t) => ({
      extensionSchema: t.expose('extensionSchema', {
        type: ExtensionSchema,
        description: 'The new extension schema.',
      }),
      replayed: t.exposeBoolean('replayed', { description: described.replayed }),
    }),
  });

builder.queryFields((t) => ({
  extensionSchemas: t.field({
    type: [ExtensionSchema],
    description: 'All extension schemas of a scope, by their names.',
    args: { scope: t.arg({ type: ExtensionScope, defaultValue: 'SERVICE', description: 'The scope.' }) },
    resolve: (_, { scope }, { db }) => listExtensionSchemas(db, scope ?? 'SERVICE'),
  }),
  extensionSchema: t.field({
    type: ExtensionSchema,
    nullable: true,
    description: 'One extension schema; null when there is none of that name.',
    args: {
      name: t.arg.string({ required: true, description: 'The name; case makes no difference.' }),
      scope: t.arg({ type: ExtensionScope, defaultValue: 'SERVICE', description: 'The scope.' }),
    },
    resolve: (_, { name, scope }, { db }) =>
      findExtensionSchema(db, scope ?? 'SERVICE', parseOrThrow(extensionName, 'name', name)),
  }),
}));

builder.mutationField('createExtensionSchema', (t) =>
  t.field({
    type: CreateExtensionSchemaPayload,
    description: 'Defines an extension for good. Extensions can be written as soon as their schema is there.',
    errors: {
      types: [Invalid, Conflict],
      union: { description: 'The new extension schema, or why there is none.' },
    },
    args: {
      input: t.arg({ type: CreateExtensionSchemaInput, required: true, description: 'The new schema.' }),
    },
    resolve: (_, { input: { scope, type, idempotencyKey, ...fields } }, { db, origin }) =>
      createExtensionSchema(db, origin, {
        scope: scope ?? 'SERVICE',
        fields: { ...fields, type: type === 'SINGLE_VALUED' ? 'single-valued' : 'multi-valued' },
        idempotencyKey,
      }),
  }),
);
