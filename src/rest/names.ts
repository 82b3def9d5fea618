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

export const startStateEvent: EventFields = new Map(
  Object.entries({
    ...eventFields,
    state_type: 'stateType',
    previous_state_id: 'previousStateId',
    est_duration: 'estDuration',
  }),
);

export const startTaskEvent: EventFields = new Map(
  Object.entries({ ...eventFields, task_type: 'taskType', state_id: 'stateId', est_duration: 'estDuration' }),
);

/** The fields of a transition, and those of the two states that it is between. */
export const transitionEvent: EventFields = new Map(
  Object.entries({ ...eventFields, from: 'from', to: 'to' }),
);
export const transitionParts = {
  from: new Map(Object.entries({ state_id: 'stateId', ...dispositionFields })),
  to: new Map(Object.entries({ state_type: 'stateType', est_duration: 'estDuration' })),
} as const satisfies Record<string, EventFields>;

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
  ...[associateEvent, startStateEvent, startTaskEvent].flatMap((event) =>
    [...event].map(([legacy, name]) => [name, legacy] as const),
  ),
  ...Object.entries(headerFields),
  ['serviceId', 'service_id'],
  ['taskId', 'task_id'],
]);

/** `['from', 'stateId']` → `from.state_id`, `['extensions', 'Satisfaction', 1]` → `Satisfaction[1]` */
export function legacyPath([first, ...rest]: Path): string {
  if (first === undefined || (first === 'extensions' && rest.length > 0)) return formatPath(rest);
  return formatPath([first, ...rest].map((step) => legacyNames.get(String(step)) ?? step));
}
