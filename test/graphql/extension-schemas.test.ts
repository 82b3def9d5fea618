import { expect, test } from 'vitest';
import {
  AssociateServiceDocument,
  CreateExtensionSchemaDocument,
  ExtensionSchemaDocument,
  ExtensionSchemasDocument,
  ServiceDocument,
} from '../generated/graphql.js';
import { createTestApp } from '../harness.js';
import { defineExtension, startService } from './makers.js';

test('a schema is defined with its attributes, and found whatever the case of its name', async () => {
  await using app = await createTestApp({ now: () => new Date('2026-03-01T10:00:00Z') });

  const { data } = await app.graphql(CreateExtensionSchemaDocument, {
    input: {
      name: 'Delivery',
      type: 'MULTI_VALUED',
      attributes: [
        { name: 'parcel', type: 'STRING', length: 32, mandatory: true, unique: true },
        { name: 'dueAt', type: 'DATETIME', encrypt: true },
        { name: 'price', type: 'CURRENCY', default: '12.50' },
      ],
      unique: [['dueAt', 'PRICE']],
    },
  });
  const found = await app.graphql(ExtensionSchemaDocument, { name: 'DELIVERY' });

  const schema = {
    name: 'Delivery',
    scope: 'SERVICE',
    type: 'MULTI_VALUED',
    attributes: [
      {
        name: 'parcel',
        type: 'STRING',
        length: 32,
        default: null,
        mandatory: true,
        unique: true,
        encrypt: false,
      },
      {
        name: 'dueAt',
        type: 'DATETIME',
        length: null,
        default: null,
        mandatory: false,
        unique: false,
        encrypt: true,
      },
      {
        name: 'price',
        type: 'CURRENCY',
        length: null,
        default: '12.50',
        mandatory: false,
        unique: false,
        encrypt: false,
      },
    ],
    unique: [['parcel'], ['dueAt', 'price']],
    createdAt: '2026-03-01T10:00:00.000Z',
  };
  expect(data?.createExtensionSchema).toEqual({
    __typename: 'CreateExtensionSchemaPayload',
    extensionSchema: schema,
  });
  expect(found.data?.extensionSchema).toEqual(schema);
});

test('scopes have schemas of their own, listed by name', async () => {
  await using app = await createTestApp();
  const attributes = [{ name: 'note', type: 'STRING' as const }];
  await defineExtension(app, { name: 'Zeta', type: 'SINGLE_VALUED', attributes });
  await defineExtension(app, { name: 'Alpha', type: 'SINGLE_VALUED', attributes });
  await defineExtension(app, { name: 'Alpha', scope: 'STATE', type: 'MULTI_VALUED', attributes });

  const ofServices = await app.graphql(ExtensionSchemasDocument, {});
  const ofStates = await app.graphql(ExtensionSchemasDocument, { scope: 'STATE' });
  const ofTasks = await app.graphql(ExtensionSchemasDocument, { scope: 'TASK' });
  const missing = await app.graphql(ExtensionSchemaDocument, { name: 'Alpha', scope: 'TASK' });

  expect(ofServices.data?.extensionSchemas.map(({ name }) => name)).toEqual(['Alpha', 'Zeta']);
  expect(ofStates.data?.extensionSchemas).toMatchObject([{ name: 'Alpha', type: 'MULTI_VALUED' }]);
  expect(ofTasks.data?.extensionSchemas).toEqual([]);
  expect(missing).toEqual({ data: { extensionSchema: null } });
});

test('a taken name answers Conflict and changes nothing', async () => {
  await using app = await createTestApp();
  const attributes = [{ name: 'note', type: 'STRING' as const }];
  await defineExtension(app, { name: 'Note', type: 'SINGLE_VALUED', attributes });
  const before = await app.hash();

  const { data } = await app.graphql(CreateExtensionSchemaDocument, {
    input: { name: 'NOTE', type: 'MULTI_VALUED', attributes },
  });

  expect(data?.createExtensionSchema).toMatchObject({ __typename: 'Conflict', code: 'CONFLICT' });
  expect(await app.hash()).toBe(before);
});

test('all faults of a schema are told at once and nothing is changed', async () => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { data } = await app.graphql(CreateExtensionSchemaDocument, {
    input: {
      name: 'customer_id',
      type: 'SINGLE_VALUED',
      attributes: [
        { name: '1st', type: 'STRING' },
        { name: 'rating', type: 'INTEGER', length: 5 },
        { name: 'Rating', type: 'INTEGER', default: '7' },
      ],
      unique: [['nothing']],
    },
  });

  expect(data?.createExtensionSchema).toMatchObject({
    __typename: 'Invalid',
    faults: expect.arrayContaining([
      expect.objectContaining({ path: 'name', message: 'is reserved' }),
      expect.objectContaining({ path: 'attributes[0].name' }),
      expect.objectContaining({ path: 'attributes[1].length' }),
      expect.objectContaining({ path: 'attributes[2].name' }),
      expect.objectContaining({ path: 'attributes[2].default' }),
      expect.objectContaining({ path: 'unique[0][0]', allowed: expect.arrayContaining(['rating']) }),
    ]),
  });
  expect(await app.hash()).toBe(before);
});

test('a malformed name is an error with its fault', async () => {
  await using app = await createTestApp();

  const { errors } = await app.graphql(ExtensionSchemaDocument, { name: '\u0000' });

  expect(errors).toMatchObject([{ extensions: { code: 'INVALID', faults: [{ path: 'name' }] } }]);
});

test('an extension can be written as soon as its schema is there', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna' });
  const input = { serviceId, customerId: 'bert', extensions: [{ schemaName: 'Note', value: { text: 'a' } }] };

  const early = await app.graphql(AssociateServiceDocument, { input });
  await defineExtension(app, {
    name: 'Note',
    type: 'SINGLE_VALUED',
    attributes: [{ name: 'text', type: 'STRING' }],
  });
  const late = await app.graphql(AssociateServiceDocument, { input });

  expect(early.data?.associateService).toMatchObject({ __typename: 'Invalid' });
  expect(late.data?.associateService).toMatchObject({ __typename: 'AssociateServicePayload' });
});

test('records are answered in the order of their schema, with defaults filled in', async () => {
  await using app = await createTestApp();
  await defineExtension(app, {
    name: 'Note',
    type: 'SINGLE_VALUED',
    attributes: [
      { name: 'zeta', type: 'STRING' },
      { name: 'alpha', type: 'LONG', default: 5 },
      { name: 'mid', type: 'DATE' },
    ],
  });
  const id = await startService(app, {
    customerId: 'anna',
    extensions: [{ schemaName: 'note', value: { mid: '2026-03-01', ZETA: 'z' } }],
  });

  const { data } = await app.graphql(ServiceDocument, { id });

  const [extension] = data?.service?.extensions ?? [];
  expect(extension?.schemaName).toBe('Note');
  expect(JSON.stringify(extension?.value)).toBe('{"zeta":"z","alpha":5,"mid":"2026-03-01"}');
});

test('attached data is shown, without a schema and exactly as it was given', async () => {
  await using app = await createTestApp();
  const attached = {
    text: 'ü "quoted" \\ 𝄞',
    number: 9007199254740991,
    small: 1.5e-300,
    nothing: [null, [], {}],
    day: '2026-03-01T10:00:00.000Z',
    deep: { a: [{ b: [true, false, '5', 5] }] },
  };
  const id = await startService(app, { customerId: 'anna' });
  await app.rest('POST', `/genesys/1/cs/customers/anna/services/${id}`, { body: attached });

  const { data } = await app.graphql(ServiceDocument, { id });
  const some = await app.graphql(ServiceDocument, {
    id,
    names: ['TEXT', 'unknown', '', '\u0000', '__proto__'],
  });
  const none = await app.graphql(ServiceDocument, { id, names: [] });

  expect(data?.service?.extensions).toEqual(
    Object.entries(attached)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([schemaName, value]) => ({ schemaName, value, schema: null })),
  );
  expect(some.data?.service?.extensions.map(({ schemaName }) => schemaName)).toEqual(['text']);
  expect(none.data?.service?.extensions).toEqual([]);
});
