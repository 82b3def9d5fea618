import type { Descriptions } from './operation.js';
import { response } from './responses.js';
import { anything, object, oneOf } from './schema.js';

function readiness(status: 'ready' | 'unready') {
  return object({
    status: { const: status },
    checks: object({
      database: oneOf(['ok', 'unreachable']),
      migrations: oneOf(['ok', 'missing', 'unknown']),
      process: oneOf(['ok', 'stopping']),
    }),
    mode: oneOf(['production', 'maintenance', 'unknown']),
  });
}

/** What the gateway answers beside the legacy API, to everybody. */
export const server: Descriptions = {
  'GET /openapi.json': () => ({
    id: 'getOpenApi',
    tag: 'Operation',
    summary: 'Get this document',
    isOpen: true,
    answers: {
      200: response('OpenAPI 3.1.', ['ETag'], { title: 'OpenApi', ...anything, type: 'object' }),
      304: response('It still is the one that `If-None-Match` names.', ['ETag']),
    },
    refusals: [404],
  }),
  'GET /health': () => ({
    id: 'getHealth',
    tag: 'Operation',
    summary: 'See whether the process serves',
    isOpen: true,
    answers: { 200: response('It does.', [], object({ status: { const: 'ok' } })) },
  }),
  'GET /ready': () => ({
    id: 'getReadiness',
    tag: 'Operation',
    summary: 'See whether calls can be served',
    isOpen: true,
    answers: {
      200: response('They can.', [], readiness('ready')),
      503: response('They cannot.', [], readiness('unready')),
    },
  }),
  'GET /metrics': () => ({
    id: 'getMetrics',
    tag: 'Operation',
    summary: 'Get the metrics for Prometheus',
    description: 'Takes credentials for all tenants, unless `METRICS` says otherwise.',
    answers: { 200: response('The metrics.', [], { 'text/plain': { type: 'string' } }) },
    refusals: [404],
  }),
};
