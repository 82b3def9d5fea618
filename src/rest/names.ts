import { type Fault, formatPath } from '../errors.js';
import type { Dialect } from './call.js';

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

/** What 8.5 has of the expiry; elsewhere the names are reserved. */
const expiryFields = { ttl: 'ttl', expiration_time: 'expirationTime' };
const startExpiryFields = { ...expiryFields, auto_complete_after: 'autoCompleteAfter' };

/** An event whose fields depend on the generation of the API. */
export type EventOf = Readonly<Record<Dialect['basePath'], EventFields>>;

export const startEvent: EventOf = inBoth(startFields, startExpiryFields);
export const associateEvent: EventOf = inBoth({ ...startFields, ...dispositionFields }, startExpiryFields);
export const endServiceEvent: EventOf = inBoth({ ...eventFields, ...dispositionFields }, expiryFields);
export const endEvent: EventFields = new Map(Object.entries({ ...eventFields, ...dispositionFields }));
export const expiryEvent: EventFields = new Map(Object.entries(expiryFields));

function inBoth(fields: Readonly<Record<string, string>>, of85: Readonly<Record<string, string>>): EventOf {
  return {
    '': new Map(Object.entries(fields)),
    '/genesys/1/cs': new Map(Object.entries({ ...fields, ...of85 })),
  };
}

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

const { previous_state_id: _previous, ...ownStateFields } = Object.fromEntries(startStateEvent);
const { state_id: _state, ...ownTaskFields } = Object.fromEntries(startTaskEvent);

/** In a composite start the entry itself says what belongs to what. */
export const compositeEvents = {
  service: startEvent['/genesys/1/cs'],
  state: new Map(Object.entries(ownStateFields)),
  task: new Map(Object.entries(ownTaskFields)),
} as const satisfies Record<string, EventFields>;

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
  ...[associateEvent['/genesys/1/cs'], startStateEvent, startTaskEvent].flatMap((event) =>
    [...event].map(([legacy, name]) => [name, legacy] as const),
  ),
  ...Object.entries(headerFields),
  ['serviceId', 'service_id'],
  ['taskId', 'task_id'],
  // Of a purge.
  ['startedTo', 'limit'],
  ['dryRun', 'dry_run'],
]);

/** `['from', 'stateId']` → `from.state_id`, `['extensions', 'Satisfaction', 1]` → `Satisfaction[1]` */
export function legacyPath({ path, isOfName }: Pick<Fault, 'path' | 'isOfName'>): string {
  const place = path.indexOf('extensions');
  // Behind it come the names of an extension, which are the caller's own.
  const isWithin = place >= 0 && place < path.length - 1;
  const fields = isWithin ? path.slice(0, place) : path;
  const names = isWithin ? path.slice(place + 1) : [];
  // A name that is none of ours is the caller's own, too.
  const own = isOfName ? fields.slice(-1) : [];
  const ours = isOfName ? fields.slice(0, -1) : fields;
  return formatPath([...ours.map((step) => legacyNames.get(String(step)) ?? step), ...own, ...names]);
}
