import {
  CreateExtensionSchemaDocument,
  type CreateExtensionSchemaInput,
  DefineBusinessAttributeDocument,
  type DefineBusinessAttributeInput,
  MapFieldDocument,
  type MappableField,
  StartServiceDocument,
  type StartServiceInput,
} from '../generated/graphql.js';
import type { TestApp } from '../harness.js';

/** Starts a service and answers its id. */
export async function startService(app: TestApp, input: StartServiceInput): Promise<string> {
  const { data } = await app.graphql(StartServiceDocument, { input });
  if (data?.startService.__typename !== 'StartServicePayload') throw new Error(JSON.stringify(data));
  return data.startService.service.id;
}

export async function defineExtension(app: TestApp, input: CreateExtensionSchemaInput): Promise<void> {
  const { data } = await app.graphql(CreateExtensionSchemaDocument, { input });
  if (data?.createExtensionSchema.__typename !== 'CreateExtensionSchemaPayload') {
    throw new Error(JSON.stringify(data));
  }
}

/** The extensions of the published example. */
export async function defineFeedbackAndSatisfaction(app: TestApp): Promise<void> {
  await defineExtension(app, {
    name: 'Feedback',
    type: 'SINGLE_VALUED',
    attributes: [
      { name: 'FeedbackType', type: 'STRING' },
      { name: 'rating', type: 'INTEGER' },
      { name: 'notes', type: 'STRING', length: 60 },
    ],
  });
  await defineExtension(app, {
    name: 'Satisfaction',
    type: 'MULTI_VALUED',
    attributes: [
      { name: 'rating', type: 'INTEGER' },
      { name: 'pertinence', type: 'INTEGER' },
      { name: 'useful', type: 'BOOLEAN' },
      { name: 'place', type: 'STRING' },
    ],
  });
}

export async function defineAttribute(app: TestApp, input: DefineBusinessAttributeInput): Promise<void> {
  const { data } = await app.graphql(DefineBusinessAttributeDocument, { input });
  if (data?.defineBusinessAttribute.__typename !== 'DefineBusinessAttributePayload') {
    throw new Error(JSON.stringify(data));
  }
}

export async function mapField(
  app: TestApp,
  field: MappableField,
  businessAttribute: string | null,
): Promise<void> {
  const { data } = await app.graphql(MapFieldDocument, { input: { field, businessAttribute } });
  if (data?.mapField.__typename !== 'MapFieldPayload') throw new Error(JSON.stringify(data));
}
