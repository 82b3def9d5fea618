import { shown } from './answers.js';
import * as bodies from './bodies.js';
import type { Descriptions } from './operation.js';
import * as parameters from './parameters.js';
import * as resources from './resources.js';
import { response } from './responses.js';
import { array } from './schema.js';
import { serviceId } from './values.js';

const tag = 'Maintenance';

export const maintenance: Descriptions = {
  'POST /maintenance/purge': () => ({
    id: 'purgeServices',
    tag,
    summary: 'Delete the services that were started before a time',
    description: 'Begins it, and counts them; how it goes on is asked for at its `Location`.',
    parameters: parameters.ofRetries,
    body: {
      schema: bodies.purge,
      example: { limit: '2020-01-01T00:00:00Z', operation: 'purge.service.completed', dry_run: true },
    },
    answers: shown(resources.purge, ['Location', 'Idempotency-Replayed']),
    refusals: [422],
  }),
  'GET /maintenance/purge/:purge_id': () => ({
    id: 'getPurge',
    tag,
    summary: 'See how far a purge is',
    answers: shown(resources.purge),
    refusals: [404],
  }),
  'POST /maintenance/purge/:purge_id/cancel': () => ({
    id: 'cancelPurge',
    tag,
    summary: 'End a purge',
    description: 'With the batch that it is at. What is deleted stays so.',
    answers: shown(resources.purge),
    refusals: [404, 409],
  }),
  'GET /maintenance/services/stream': () => ({
    id: 'exportServices',
    tag,
    summary: 'Export the services of a range of time',
    description:
      'As fast as the caller takes it, as one JSON array or line by line. An answer that breaks off is not complete.',
    parameters: parameters.ofExport,
    answers: {
      200: response('The services, or their ids.', [], {
        'application/json': array({ anyOf: [serviceId, resources.service] }),
        'application/x-ndjson': { anyOf: [serviceId, resources.service] },
      }),
    },
  }),
  'GET /server/status': () => ({
    id: 'getServerStatus',
    tag,
    summary: 'See what the server serves',
    answers: shown(resources.server),
  }),
  'POST /server/mode': () => ({
    id: 'setServerMode',
    tag,
    summary: 'Say what the server serves',
    description:
      'In maintenance calls for data answer 503, on all gateways within a second. It takes credentials for all tenants.',
    body: { schema: bodies.serverMode, example: { mode: 'maintenance' } },
    answers: { 200: response('Done.') },
  }),
};
