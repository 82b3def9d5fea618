import type { TestApp } from './harness.js';

type Fields = Record<string, unknown>;

/** Starts a service over REST (8.5, so that attached data passes) and answers its id. */
export async function startService(
  app: TestApp,
  fields: Fields = { customer_id: 'customer-1' },
): Promise<number> {
  const { json, status, text } = await app.rest('POST', '/genesys/1/cs/services/start', { body: fields });
  if (status !== 201) throw new Error(`start answered ${status}: ${text}`);
  return json.service_id;
}

export async function createExtensionSchema(
  app: TestApp,
  name: string,
  type: 'single-valued' | 'multi-valued',
  attributes: Fields[],
  unique?: unknown,
): Promise<void> {
  const body = { name, type, attributes, unique };
  const { status, text } = await app.rest('POST', '/metadata/services/extensions', { body });
  if (status !== 201) throw new Error(`create schema answered ${status}: ${text}`);
}

/** The two extensions that the published example takes for granted. */
export async function createExampleSchemas(app: TestApp): Promise<void> {
  await createExtensionSchema(app, 'Feedback', 'single-valued', [
    { name: 'FeedbackType', type: 'string' },
    { name: 'rating', type: 'integer' },
    { name: 'notes', type: 'string' },
  ]);
  await createExtensionSchema(app, 'Satisfaction', 'multi-valued', [
    { name: 'rating', type: 'integer' },
    { name: 'pertinence', type: 'integer' },
    { name: 'useful', type: 'boolean' },
    { name: 'place', type: 'string' },
  ]);
}
