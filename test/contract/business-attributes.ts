import { expect } from 'vitest';
import type { TestApp } from '../harness.js';

export type Value = { name: string; dbid: number; display_name?: string; description?: string };

/** A business attribute as it is answered; `cv_attributes` are the fields that are mapped to it. */
export type BusinessAttribute = Value & { map_name: boolean; cv_attributes: string[]; values: Value[] };

/** Defines it over GraphQL, and maps its fields to it. */
export async function defineBusinessAttribute(app: TestApp, attribute: BusinessAttribute): Promise<void> {
  const { cv_attributes, values } = attribute;
  await mutate(app, 'defineBusinessAttribute', 'DefineBusinessAttributeInput', {
    ...inGraphql(attribute),
    values: values.map(inGraphql),
  });
  for (const field of cv_attributes) {
    const mapping = { field: field.replace('.', '_').toUpperCase(), businessAttribute: attribute.name };
    await mutate(app, 'mapField', 'MapFieldInput', mapping);
  }
}

/** Whether mapped fields are answered as names. */
export function setMapNames(app: TestApp, mapNames: boolean): Promise<void> {
  return mutate(app, 'setMapNames', 'SetMapNamesInput', { mapNames });
}

function inGraphql({ name, dbid, display_name: displayName, description }: Value): object {
  return { name, dbid, displayName, description };
}

async function mutate(app: TestApp, field: string, type: string, input: object): Promise<void> {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { __typename ... on Error { message } } }`;
  const { text, json } = await app.rest('POST', '/graphql', { body: { query, variables: { input } } });
  expect(String(json.data?.[field]?.__typename), text).toMatch(/Payload$/);
}

/** The published one. */
export const mediaType: BusinessAttribute = {
  name: 'MediaType',
  dbid: 117,
  display_name: 'Media Type',
  description: 'The medium of an interaction',
  map_name: false,
  cv_attributes: ['Service.media_type', 'State.media_type', 'Task.media_type'],
  values: [
    { name: 'voice', dbid: 1001, display_name: 'Voice', description: 'By telephone' },
    { name: 'email', dbid: 1003, display_name: 'E-mail', description: 'By e-mail' },
    { name: 'chat', dbid: 1006, display_name: 'Chat', description: 'By chat' },
    { name: 'fax', dbid: 1014, display_name: 'Fax', description: 'By fax' },
  ],
};

/** Of every part the values that scenes use, and last one that they do not. */
const ofEveryPart = (field: string) => ['Service', 'State', 'Task'].map((part) => `${part}.${field}`);

export const types: BusinessAttribute = {
  name: 'ContextManagementService',
  dbid: 118,
  map_name: false,
  cv_attributes: ofEveryPart('type'),
  values: [
    { name: 'identification', dbid: 1 },
    { name: 'assign agent', dbid: 2 },
    { name: 'verify', dbid: 5 },
    { name: 'deliver', dbid: 8 },
    { name: 'claim', dbid: 100 },
    { name: 'callback', dbid: 7 },
  ],
};

/** One for every field that can be mapped. */
export const mapEverything: readonly BusinessAttribute[] = [
  mediaType,
  types,
  {
    name: 'DispositionCode',
    dbid: 119,
    map_name: false,
    cv_attributes: ofEveryPart('disposition'),
    values: [
      { name: 'success', dbid: 10 },
      { name: 'next', dbid: 20 },
      { name: 'moved', dbid: 30 },
      { name: 'lost', dbid: 40 },
    ],
  },
  {
    name: 'ApplicationType',
    dbid: 120,
    map_name: false,
    cv_attributes: ofEveryPart('application_type'),
    values: [
      { name: 'portal', dbid: 400 },
      { name: 'ivr', dbid: 401 },
    ],
  },
  {
    name: 'ResourceType',
    dbid: 121,
    map_name: false,
    cv_attributes: ofEveryPart('resource_type'),
    values: [
      { name: 'desktop', dbid: 200 },
      { name: 'switch', dbid: 201 },
    ],
  },
];
