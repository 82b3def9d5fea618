import { formatPath, type Path } from '../errors.js';

/** The common event fields (legacy contract, resources), and what the domain calls them. */
const eventFields = {
  session_id: 'sessionId',
  interaction_id: 'interactionId',
  application_type: 'applicationType',
  application_id: 'applicationId',
  resource_type: 'resourceType',
  resource_id: 'resourceId',
  media_type: 'mediaType',
  timestamp: 'timestamp',
};

const startFields = {
  ...eventFields,
  customer_id: 'customerId',
  contact_key: 'contactKey',
  service_type: 'serviceType',
  est_duration: 'estDuration',
};

const dispositionFields = { disposition: 'disposition', disposition_desc: 'dispositionDesc' };

/** The fields that the body of an operation has: legacy name → name in the domain. */
export type EventFields = ReadonlyMap<string, string>;

export const startEvent: EventFields = new Map(Object.entries(startFields));
export const associateEvent: EventFields = new Map(Object.entries({ ...startFields, ...dispositionFields }));
export const endEvent: EventFields = new Map(Object.entries({ ...eventFields, ...dispositionFields }));

/** An undo says all there is to say in its path and headers. */
export const undoEvent: EventFields = new Map();

/** They are headers, since in a body any name can be an extension's. */
export const headerFields = {
  reason: 'X-Reason',
  actor: 'X-Actor',
  idempotencyKey: 'Idempotency-Key',
  expectedVersion: 'If-Match',
  businessUnit: 'GroupId',
};

const legacyNames = new Map([
  ...[...associateEvent].map(([legacy, name]) => [name, legacy] as const),
  ...Object.entries(headerFields),
  ['serviceId', 'service_id'],
]);

/** `['customerId']` → `customer_id`, `['extensions', 'Satisfaction', 1]` → `Satisfaction[1]` */
export function legacyPath([first, ...rest]: Path): string {
  if (first === undefined || (first === 'extensions' && rest.length > 0)) return formatPath(rest);
  return formatPath([legacyNames.get(String(first)) ?? first, ...rest]);
}
