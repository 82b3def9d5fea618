import type { Descriptions } from './operation.js';
import * as parameters from './parameters.js';
import { response } from './responses.js';
import { integer, object, text } from './schema.js';
import { customerId, partId, serviceId, time } from './values.js';

/** In structured mode; what there is nothing of is absent. */
const cloudEvent = object(
  {
    specversion: { const: '1.0' },
    id: { type: 'string', pattern: '^\\d+\\.\\d+$', description: 'The service and the version it came to.' },
    source: { type: 'string', description: 'The tenant, as `/tenants/default`.' },
    type: { type: 'string', pattern: '^(service|state|task)\\.[a-z]+$' },
    subject: { type: 'string', description: 'The id of the service.' },
    time,
    datacontenttype: { const: 'application/json' },
    cursor: { ...text(255, 1), description: 'What `after` takes to go on behind it.' },
    data: object({
      service_id: serviceId,
      version: integer(1, 2_147_483_647),
      'customer_id?': customerId,
      'previous_customer_id?': customerId,
      'state_id?': partId,
      'task_id?': partId,
    }),
  },
  { title: 'CloudEvent' },
);

export const events: Descriptions = {
  'GET /events': () => ({
    id: 'listEvents',
    tag: 'Events',
    summary: 'List what changed',
    description:
      'One CloudEvent a line, in the order of their transactions: none ever appears behind one that was answered before. `Link` leads to those behind, also where there are none yet.',
    parameters: parameters.ofEvents,
    answers: { 200: response('The events.', ['Link'], { 'application/x-ndjson': cloudEvent }) },
    refusals: [410],
  }),
};
