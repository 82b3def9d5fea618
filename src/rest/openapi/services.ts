import type { Status } from '../../domain/parts.js';
import { acted, created, listed, tagged } from './answers.js';
import * as bodies from './bodies.js';
import { publishedAssociation } from './examples.js';
import type { Described, Descriptions } from './operation.js';
import * as parameters from './parameters.js';
import * as resources from './resources.js';
import { problemResponse, response } from './responses.js';

const tag = 'Services';
const acting = [...parameters.ofActs, parameters.prefer, ...parameters.views.service];

function listOf(owner: 'Customer' | 'Anonymous', status?: Status): () => Described {
  const which = status ? `${status.toLowerCase()} ` : '';
  const whose = owner === 'Customer' ? 'of a customer' : 'that are anonymous, by their contact key';
  return () => ({
    id: `list${status ? capitalized(status) : ''}${owner === 'Customer' ? 'ServicesOfCustomer' : 'AnonymousServices'}`,
    tag,
    summary: `List the ${which}services ${whose}`,
    parameters: parameters.lists.service,
    answers: listed(resources.service),
  });
}

function capitalized(word: string): string {
  return word.charAt(0) + word.slice(1).toLowerCase();
}

export const services: Descriptions = {
  'POST /services/start': (dialect) => ({
    id: 'startService',
    tag,
    summary: 'Start a service',
    description:
      'With a customer, or anonymous under a contact key. Whatever else the body has is an extension under its name.',
    parameters: parameters.ofStarts,
    body: {
      schema: bodies.serviceStart(dialect),
      example: { customer_id: '0004Va58A92T0017', service_type: 'claim', media_type: 1, est_duration: 600 },
    },
    answers: created(resources.started('service_id')),
    refusals: [404, 422],
  }),
  'POST /customers/:customer_id/services/:service_id': (dialect) => ({
    id: 'associateService',
    tag,
    summary: 'Associate a service with a customer',
    description:
      'Moves the service to the customer, from anonymous or from another one, in one atomic act: given fields are updated, each given extension replaces the stored one of its name, and the move is recorded. `timestamp` is the time of the association. The same customer again applies the rest.',
    parameters: acting,
    body: { schema: bodies.association(dialect), isOptional: true, example: publishedAssociation },
    answers: acted(resources.service),
    refusals: [404, 412, 422],
  }),
  'POST /services/:service_id/end': (dialect) => ({
    id: 'completeService',
    tag,
    summary: 'Complete a service',
    description: 'And with it the states and tasks that are open in it.',
    parameters: acting,
    body: {
      schema: bodies.serviceEnd(dialect),
      isOptional: true,
      example: { disposition: 10, disposition_desc: 'settled' },
    },
    answers: acted(resources.service),
    refusals: [404, 409, 412, 422],
  }),
  'POST /services/:service_id/associations/undo': () => ({
    id: 'undoAssociation',
    tag,
    summary: 'Take the newest association back',
    description:
      'The service goes to the owner that it had before; once more does it again. Fields and extensions stay.',
    parameters: acting,
    body: { schema: bodies.undo, isOptional: true },
    answers: acted(resources.service),
    refusals: [404, 409, 412, 422],
  }),
  'POST /services_composite/start': (dialect) => ({
    id: 'startComposite',
    tag,
    summary: 'Find or start services, each with a state and a task',
    description:
      'Each entry finds an active service of the same customer, type and contact key, the newest of several, else starts one; in it an active state and task of the given types, else it starts those. Callers at the same moment get the same ones.',
    parameters: parameters.ofStarts,
    body: {
      schema: bodies.compositeStart(dialect),
      example: {
        services: [
          {
            service: { customer_id: '0004Va58A92T0017', service_type: 'claim' },
            state: { state_type: 1 },
            task: { task_type: 'call' },
            associate_state_task: true,
          },
        ],
      },
    },
    answers: {
      200: response(
        'What was found or started, in the order of the entries. `Location` is of the first task or state.',
        ['Location', 'Idempotency-Replayed'],
        resources.compositeStarts,
      ),
    },
    refusals: [409, 422],
  }),
  'GET /services/:service_id': () => ({
    id: 'getService',
    tag,
    summary: 'Get a service',
    parameters: [parameters.ifNoneMatch, ...parameters.views.service],
    answers: tagged(resources.service),
    refusals: [404],
  }),
  'PUT /services/:service_id': () => ({
    id: 'setServiceExpiry',
    tag,
    summary: 'Say how long a service is kept',
    parameters: acting,
    body: { schema: bodies.expiry, example: { ttl: 86_400 } },
    answers: acted(resources.service),
    refusals: [404, 412, 422],
  }),
  'DELETE /services/:service_id': () => ({
    id: 'deleteService',
    tag,
    summary: 'Delete a service',
    description: 'With its states, tasks, extensions and history.',
    parameters: parameters.ofActs,
    answers: {
      200: response('Deleted.', ['Idempotency-Replayed']),
      400: problemResponse(400, 'A header breaks a rule, or there is no such service.', {
        codes: ['INVALID', 'NO_SERVICE_TO_DELETE'],
      }),
    },
    refusals: [412, 422],
  }),
  'GET /customers/:customer_id/services': listOf('Customer'),
  'GET /customers/:customer_id/services/active': listOf('Customer', 'ACTIVE'),
  'GET /customers/:customer_id/services/completed': listOf('Customer', 'COMPLETED'),
  'GET /services/anonymous/:contact_key': listOf('Anonymous'),
  'GET /services/anonymous/:contact_key/active': listOf('Anonymous', 'ACTIVE'),
  'GET /services/anonymous/:contact_key/completed': listOf('Anonymous', 'COMPLETED'),
};
