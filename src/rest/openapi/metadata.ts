import { created, shown } from './answers.js';
import * as bodies from './bodies.js';
import { satisfactionSchema } from './examples.js';
import type { Descriptions } from './operation.js';
import * as parameters from './parameters.js';
import * as resources from './resources.js';
import { array, object } from './schema.js';
import { extensionName } from './values.js';

const tag = 'Metadata';

function schemasOf(kind: 'service' | 'state' | 'task'): Descriptions {
  const name = { service: 'Service', state: 'State', task: 'Task' }[kind];
  const path = `/metadata/${kind}s/extensions`;
  return {
    [`POST ${path}`]: () => ({
      id: `create${name}ExtensionSchema`,
      tag,
      summary: `Define an extension of ${kind}s`,
      description: 'For good: schemas cannot be changed.',
      parameters: parameters.ofRetries,
      body: { schema: bodies.newExtensionSchema, example: satisfactionSchema },
      answers: created(object({ name: extensionName }), ['Idempotency-Replayed']),
      refusals: [409, 422],
    }),
    [`GET ${path}`]: () => ({
      id: `list${name}ExtensionSchemas`,
      tag,
      summary: `List the schemas of the extensions of ${kind}s`,
      answers: shown(array(resources.extensionSchema)),
    }),
    [`GET ${path}/:name`]: () => ({
      id: `get${name}ExtensionSchema`,
      tag,
      summary: `Get the schema of an extension of ${kind}s`,
      answers: shown(resources.extensionSchema),
      refusals: [404],
    }),
  };
}

export const metadata: Descriptions = {
  ...schemasOf('service'),
  ...schemasOf('state'),
  ...schemasOf('task'),
  'GET /metadata/business-attributes': () => ({
    id: 'listBusinessAttributes',
    tag,
    summary: 'List the business attributes, or get the one that a field is mapped to',
    parameters: [parameters.mappedField],
    answers: shown({ anyOf: [array(resources.businessAttribute), resources.businessAttribute] }),
    refusals: [404],
  }),
  'GET /metadata/business-attributes/:name': () => ({
    id: 'getBusinessAttribute',
    tag,
    summary: 'Get a business attribute',
    answers: shown(resources.businessAttribute),
    refusals: [404],
  }),
};
