import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, print, separateOperations } from 'graphql';

type Variables = Record<string, unknown>;

/** The operations of the tests by their names, each with the fragments that it needs. */
export const operations: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(
    separateOperations(parse(readFileSync(join(import.meta.dirname, 'operations.graphql'), 'utf8'))),
  ).map(([name, document]) => [name, print(document)]),
);

const faulty = {
  customerId: 'x'.repeat(65),
  estDuration: -1,
  sessionId: 's'.repeat(33),
  expirationTime: '2020-01-01T00:00:00Z',
  ttl: 5,
  extensions: [
    { schemaName: 'Feedback', value: { rating: 'x', colour: 'red' } },
    { schemaName: 'Unheard', value: {} },
  ],
};

const extensions = [
  {
    schemaName: 'Feedback',
    value: { FeedbackType: 'survey', rating: 7, notes: 'ünïcödé “quoted” \\ \n 🙂' },
  },
  { schemaName: 'satisfaction', value: [{ rating: 1, useful: true }, { place: 'x' }] },
];

/**
 * One after the other they tell the life of a service, with all that can be asked of it and most that can be wrong.
 * @param id of a service that is anonymous
 */
export function storyOf(id: string): [operation: string, variables: Variables | null | undefined][] {
  return [...starts(), ...changes(id), ...definitions, ...webhooks, ...reads(id)];
}

function starts(): [string, Variables | null | undefined][] {
  const input = {
    customerId: 'anna',
    serviceType: 'claim',
    estDuration: 60,
    idempotencyKey: 'once',
    extensions,
  };
  return [
    ['StartService', { input }],
    ['StartService', { input }],
    ['StartService', { input: { ...input, customerId: 'bert' } }],
    ['StartService', { input: { contactKey: '+49 711', mediaType: 2, reason: 'a call' } }],
    ['StartService', { input: {} }],
    ['StartService', { input: faulty }],
    ['StartService', { input: { customerId: 5.5, nothing: 1 } }],
    ['StartService', { input: { customerId: 'anna', serviceType: { a: 1 }, estDuration: 'long' } }],
    ['StartService', { input: null }],
    ['StartService', { other: 1 }],
    ['StartService', null],
    ['StartService', undefined],
  ];
}

function changes(serviceId: string): [string, Variables][] {
  return [
    ['AssociateService', { input: { serviceId, customerId: 'anna', expectedVersion: 1, extensions } }],
    ['AssociateService', { input: { serviceId, customerId: 'bert', expectedVersion: 1 } }],
    ['AssociateService', { input: { serviceId: '404040404', customerId: 'bert' } }],
    ['AssociateService', { input: { serviceId: 'x', customerId: '' } }],
    ['AssociateService', { input: { ...faulty, serviceId } }],
    ['AssociateService', { input: { serviceId, customerId: 'bert', actor: 'carl', reason: 'moved' } }],
    ['UpdateService', { input: { serviceId, estDuration: null, dispositionDesc: 'fine', serviceType: 7 } }],
    ['UpdateService', { input: { serviceId, estDuration: 2 ** 53 - 1 } }],
    ['UpdateService', { input: { serviceId, estDuration: 1.5 } }],
    ['CompleteService', { input: { serviceId, disposition: 1, timestamp: '2026-03-01T09:30:00.000Z' } }],
    ['CompleteService', { input: { serviceId } }],
  ];
}

const attribute = { name: 'Media', values: [{ dbid: 1, name: 'phone', displayName: 'Phone' }] };

const definitions: [string, Variables][] = [
  [
    'CreateExtensionSchema',
    { input: { name: 'Order', type: 'MULTI_VALUED', attributes: [{ name: 'no', type: 'INTEGER' }] } },
  ],
  ['CreateExtensionSchema', { input: { name: 'order', type: 'SINGLE_VALUED', attributes: [] } }],
  ['CreateExtensionSchema', { input: { name: 'Order', type: 'NO_TYPE', attributes: [{}] } }],
  ['DefineBusinessAttribute', { input: attribute }],
  ['DefineBusinessAttribute', { input: { name: '', values: [] } }],
  ['MapField', { input: { field: 'SERVICE_MEDIA_TYPE', businessAttribute: 'Media' } }],
  ['MapField', { input: { field: 'SERVICE_MEDIA_TYPE', businessAttribute: 'Unheard' } }],
  ['SetMapNames', { input: { mapNames: true } }],
  ['DeleteBusinessAttribute', { input: { name: 'Media' } }],
];

/** Of none that there is: each has a secret of its own, by which the answers would differ. */
const webhooks: [string, Variables][] = [
  ['CreateWebhook', { input: { url: 'http://127.0.0.1', eventTypes: [] } }],
  ['CreateWebhook', { input: { url: 5, eventTypes: ['UNHEARD'] } }],
  ['UpdateWebhook', { input: { id: 404, enabled: true } }],
  ['RotateWebhookSecret', { input: { id: 404, keepPreviousSeconds: -1 } }],
  ['RotateWebhookSecret', { input: { id: 404 } }],
  ['DeleteWebhook', { input: { id: 'x' } }],
  ['TestWebhook', { input: { id: 404 } }],
  ['ReplayDeliveries', { input: { webhookId: 404, version: 0 } }],
  ['DiscardDeliveries', { input: { webhookId: 404 } }],
  ['DeadDeliveries', { webhookId: 404, first: -1 }],
  ['Webhook', { id: 404 }],
  ['Webhooks', {}],
];

function reads(id: string): [string, Variables | null | undefined][] {
  return [
    ['Service', { id, names: ['feedback'], first: 1 }],
    ['Service', { id, first: 1, last: 1 }],
    ['Service', { id, after: 'no cursor' }],
    ['Service', { id: '404040404' }],
    ['Service', { id: 'x' }],
    ['Services', { status: 'ACTIVE', types: [7, 'claim'], first: 2, startedFrom: '2026-01-01T00:00:00Z' }],
    ['Services', { status: 'SLEEPING', first: -1, startedTo: 'yesterday' }],
    ['Services', { first: 501 }],
    ['Services', null],
    ['ServicesInFull', { first: 3 }],
    ['ServicesWithAliases', { first: 3 }],
    ['ServicesWithAliasedHistory', { first: 3 }],
    ['Customer', { id: 'bert', status: 'COMPLETED' }],
    ['Customer', { id: '' }],
    ['AnonymousServices', { contactKey: '+49 711' }],
    ['ExtensionSchemas', { scope: 'SERVICE' }],
    ['ExtensionSchema', { name: 'ORDER' }],
    ['ExtensionSchema', { name: 'Unheard', scope: 'TASK' }],
    ['BusinessAttributes', undefined],
    ['BusinessAttribute', { name: 'Media' }],
  ];
}
