import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  BusinessAttributeDocument,
  BusinessAttributesDocument,
  DefineBusinessAttributeDocument,
  DeleteBusinessAttributeDocument,
  MapFieldDocument,
  SetMapNamesDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { defineAttribute, mapField } from './makers.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const voice = { dbid: 1001, name: 'voice' };

test('an attribute is defined with its values, and found whatever the case of its name', async () => {
  const { data } = await app.graphql(DefineBusinessAttributeDocument, {
    input: {
      name: 'MediaType',
      dbid: 7,
      displayName: 'Media type',
      values: [
        { dbid: 1003, name: 'email', displayName: 'E-mail', description: 'Letters without paper.' },
        voice,
      ],
    },
  });
  const found = await app.graphql(BusinessAttributeDocument, { name: 'MEDIATYPE' });

  const attribute = {
    name: 'MediaType',
    dbid: 7,
    displayName: 'Media type',
    description: null,
    values: [
      { dbid: 1003, name: 'email', displayName: 'E-mail', description: 'Letters without paper.' },
      { dbid: 1001, name: 'voice', displayName: 'voice', description: null },
    ],
    fields: [],
  };
  expect(data?.defineBusinessAttribute).toEqual({
    __typename: 'DefineBusinessAttributePayload',
    businessAttribute: attribute,
    replayed: false,
  });
  expect(found.data?.businessAttribute).toEqual(attribute);
});

test('one that is there is replaced as a whole, and what is mapped to it stays so', async () => {
  await defineAttribute(app, { name: 'Outcome', dbid: 1, description: 'Old.', values: [voice] });
  await mapField(app, 'TASK_DISPOSITION', 'Outcome');

  const { data } = await app.graphql(DefineBusinessAttributeDocument, {
    input: { name: 'OUTCOME', values: [{ dbid: 2, name: 'done' }] },
  });

  expect(data?.defineBusinessAttribute).toMatchObject({
    businessAttribute: {
      name: 'OUTCOME',
      dbid: null,
      displayName: 'OUTCOME',
      description: null,
      values: [{ dbid: 2, name: 'done' }],
      fields: ['TASK_DISPOSITION'],
    },
  });
});

test('fields are mapped, mapped anew and not mapped any more', async () => {
  await defineAttribute(app, { name: 'Channel', values: [voice] });
  await defineAttribute(app, { name: 'Medium', values: [voice] });

  const first = await app.graphql(MapFieldDocument, {
    input: { field: 'STATE_MEDIA_TYPE', businessAttribute: 'channel' },
  });
  await mapField(app, 'STATE_TYPE', 'Medium');
  const second = await app.graphql(MapFieldDocument, {
    input: { field: 'STATE_MEDIA_TYPE', businessAttribute: 'Medium' },
  });
  const third = await app.graphql(MapFieldDocument, {
    input: { field: 'STATE_MEDIA_TYPE', businessAttribute: null },
  });
  const listed = await app.graphql(BusinessAttributesDocument, {});

  expect(first.data?.mapField).toEqual({
    __typename: 'MapFieldPayload',
    fieldMapping: {
      field: 'STATE_MEDIA_TYPE',
      businessAttribute: { name: 'Channel', fields: ['STATE_MEDIA_TYPE'] },
    },
  });
  expect(second.data?.mapField).toMatchObject({
    fieldMapping: { businessAttribute: { name: 'Medium', fields: ['STATE_TYPE', 'STATE_MEDIA_TYPE'] } },
  });
  expect(third.data?.mapField).toEqual({ __typename: 'MapFieldPayload', fieldMapping: null });
  const fields = listed.data?.fieldMappings.filter(({ field }) => field.startsWith('STATE'));
  expect(fields).toEqual([{ field: 'STATE_TYPE', businessAttribute: { name: 'Medium' } }]);
  expect(listed.data?.businessAttributes.map(({ name }) => name)).toEqual([
    ...['Channel', 'MediaType', 'Medium', 'OUTCOME'],
  ]);
});

test('whether names are answered is set and told', async () => {
  const on = await app.graphql(SetMapNamesDocument, { input: { mapNames: true } });
  const listed = await app.graphql(BusinessAttributesDocument, {});
  const off = await app.graphql(SetMapNamesDocument, { input: { mapNames: false } });

  expect(on.data?.setMapNames).toEqual({ __typename: 'SetMapNamesPayload', mapNames: true });
  expect(listed.data?.mapNames).toBe(true);
  expect(off.data?.setMapNames).toMatchObject({ mapNames: false });
});

test('an attribute that a field is mapped to is not deleted; once it is not, it is', async () => {
  await defineAttribute(app, { name: 'Busy', values: [voice] });
  await mapField(app, 'SERVICE_RESOURCE_TYPE', 'Busy');
  const before = await app.hash();

  const refused = await app.graphql(DeleteBusinessAttributeDocument, { input: { name: 'busy' } });

  expect(refused.data?.deleteBusinessAttribute).toMatchObject({
    __typename: 'Conflict',
    code: 'CONFLICT',
    message: expect.stringContaining('Service.resource_type'),
  });
  expect(await app.hash()).toBe(before);

  await mapField(app, 'SERVICE_RESOURCE_TYPE', null);
  const deleted = await app.graphql(DeleteBusinessAttributeDocument, { input: { name: 'busy' } });
  const again = await app.graphql(DeleteBusinessAttributeDocument, { input: { name: 'busy' } });
  const found = await app.graphql(BusinessAttributeDocument, { name: 'Busy' });

  expect(deleted.data?.deleteBusinessAttribute).toEqual({
    __typename: 'DeleteBusinessAttributePayload',
    name: 'Busy',
  });
  expect(again.data?.deleteBusinessAttribute).toMatchObject({ __typename: 'NotFound' });
  expect(found).toEqual({ data: { businessAttribute: null } });
});

test('all faults of an attribute are told at once and nothing is changed', async () => {
  const before = await app.hash();

  const { data } = await app.graphql(DefineBusinessAttributeDocument, {
    input: {
      name: '1st',
      dbid: 0,
      displayName: 'x'.repeat(257),
      values: [
        { dbid: 1, name: '12' },
        { dbid: 1, name: 'twice' },
        { dbid: -1, name: 'twice', description: 'x'.repeat(257) },
        { dbid: 3, name: '' },
        { dbid: 4, name: 'Twice' },
      ],
      idempotencyKey: '',
    },
  });

  expect(data?.defineBusinessAttribute).toMatchObject({
    __typename: 'Invalid',
    faults: [
      { path: 'name' },
      { path: 'dbid' },
      { path: 'displayName' },
      { path: 'values[0].name', message: 'must not be digits alone' },
      { path: 'values[2].dbid', message: 'must be an integer from 1 to 9007199254740991' },
      { path: 'values[2].description' },
      { path: 'values[3].name' },
      { path: 'values[1].dbid', message: 'is given twice' },
      { path: 'values[2].name', message: 'is given twice' },
      { path: 'idempotencyKey' },
    ],
  });
  expect(await app.hash()).toBe(before);
});

test.each([
  { length: 0, code: 'Invalid' },
  { length: 1_000, code: 'DefineBusinessAttributePayload' },
  { length: 1_001, code: 'Invalid' },
])('$length values come to $code', async ({ length, code }) => {
  const values = Array.from({ length }, (_, n) => ({ dbid: n + 1, name: `value ${n}` }));

  const { data } = await app.graphql(DefineBusinessAttributeDocument, { input: { name: 'Many', values } });

  expect(data?.defineBusinessAttribute).toMatchObject({
    __typename: code,
    ...(code === 'Invalid'
      ? { faults: [{ path: 'values', message: 'must be a list of 1 to 1000 values' }] }
      : {}),
  });
});

test('a field is not mapped to what is not there, nor unmapped by a slip', async () => {
  const before = await app.hash();

  const missing = await app.graphql(MapFieldDocument, {
    input: { field: 'SERVICE_TYPE', businessAttribute: 'Nothing' },
  });
  const slip = await app.graphql(MapFieldDocument, { input: { field: 'SERVICE_TYPE' } });
  const misnamed = await app.graphql(DeleteBusinessAttributeDocument, { input: { name: ' ' } });

  expect(missing.data?.mapField).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND' });
  expect(slip.data?.mapField).toMatchObject({
    faults: [{ path: 'businessAttribute', message: 'is required' }],
  });
  expect(misnamed.data?.deleteBusinessAttribute).toMatchObject({ faults: [{ path: 'name' }] });
  expect(await app.hash()).toBe(before);
});

test('the same definition with the same key acts once, another one is refused', async () => {
  const input = { name: 'Retried', values: [voice], idempotencyKey: 'define-once' };
  await app.graphql(DefineBusinessAttributeDocument, { input });
  await defineAttribute(app, { name: 'Retried', values: [{ dbid: 9, name: 'newer' }] });
  const before = await app.hash();

  const again = await app.graphql(DefineBusinessAttributeDocument, { input });
  const other = await app.graphql(DefineBusinessAttributeDocument, { input: { ...input, dbid: 1 } });

  expect(again.data?.defineBusinessAttribute).toMatchObject({
    businessAttribute: { values: [{ dbid: 9 }] },
    replayed: true,
  });
  expect(other.data?.defineBusinessAttribute).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  expect(await app.hash()).toBe(before);
});

test('a metadata query costs one statement, whatever it asks for', async () => {
  await app.graphql(BusinessAttributesDocument, {});

  expect(await app.countStatements(() => app.graphql(BusinessAttributeDocument, { name: 'x' }))).toBe(1);
  expect(await app.countStatements(() => app.graphql(BusinessAttributesDocument, {}))).toBe(1);
});
