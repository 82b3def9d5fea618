import { attributeTypes } from '../../domain/extension-records.js';
import { extensionTypes } from '../../domain/extension-schemas.js';
import type { Dialect } from '../call.js';
import {
  associateEvent,
  compositeEvents,
  type EventFields,
  endEvent,
  endServiceEvent,
  expiryEvent,
  startEvent,
  startStateEvent,
  startTaskEvent,
  transitionEvent,
  transitionParts,
} from '../names.js';
import { operationNames } from '../purges.js';
import {
  anything,
  array,
  boolean,
  described,
  integer,
  nullable,
  object,
  oneOf,
  type Schema,
  text,
} from './schema.js';
import {
  code,
  contactKey,
  customerId,
  estimate,
  extensionName,
  givenTime,
  lifetime,
  partId,
} from './values.js';

/**
 * The bodies that operations take (legacy contract, values and resources). They say of the members what the
 * rules of the domain say, but for what depends on the data: extensions that have a schema, mapped fields,
 * the ids of the path, what lies ahead or past, names that are reserved whatever their case.
 */

/** Every field that an event can have, by its legacy name. */
const fields: Readonly<Record<string, Schema>> = {
  session_id: nullable(text(32)),
  interaction_id: nullable(text(50)),
  application_type: nullable(code),
  application_id: nullable(integer()),
  resource_type: nullable(code),
  resource_id: nullable(integer()),
  media_type: nullable(code),
  timestamp: described('When it happened; else the clock of the gateway.', nullable(givenTime)),
  customer_id: nullable(customerId),
  contact_key: nullable(contactKey),
  service_type: nullable(code),
  state_type: nullable(code),
  task_type: nullable(code),
  est_duration: nullable(estimate),
  disposition: nullable(code),
  disposition_desc: nullable(text(64)),
  previous_state_id: nullable(partId),
  state_id: described('The state that the task belongs to.', nullable(partId)),
  ttl: described('For how many seconds from now the service is kept; null for ever.', nullable(lifetime)),
  expiration_time: described('Until when it is kept; `ttl` comes before it.', nullable(givenTime)),
  auto_complete_after: described(
    'After how many seconds without a change it is completed.',
    nullable(lifetime),
  ),
};

const record = object({}, { description: 'One record: the attributes of its schema.' });

const withSchema: Schema = {
  description:
    'An extension under its name, which needs a schema: an object, an array of objects where it is multi-valued, or null to remove it.',
  type: ['object', 'array', 'null'],
};

const attachedData = described(
  'An extension under its name: by its schema where it has one, else any JSON. Null removes it.',
  anything,
);

type Base = Pick<Dialect, 'basePath' | 'takesAttachedData'>;

/** Whatever is no field of an event is an extension. */
function extensions({ takesAttachedData }: Base): Schema {
  return takesAttachedData
    ? { propertyNames: { minLength: 1, maxLength: 255 }, additionalProperties: attachedData }
    : { propertyNames: { pattern: extensionName.pattern ?? '' }, additionalProperties: withSchema };
}

/** Ids that the path has; a body may have them, too. */
const ofPath = {
  service_id: described('That of the path.', {
    type: ['integer', 'string'],
    minimum: 1,
    pattern: '^[0-9]{1,19}$',
  }),
  state_id: described('That of the path.', {
    type: ['integer', 'string'],
    minimum: 0,
    pattern: '^[0-9]{1,10}$',
  }),
  task_id: described('That of the path.', {
    type: ['integer', 'string'],
    minimum: 0,
    pattern: '^[0-9]{1,10}$',
  }),
};

function within(body: Schema, ...ids: (keyof typeof ofPath)[]): Schema {
  const named = Object.fromEntries(ids.map((id) => [id, ofPath[id]]));
  return { ...body, properties: { ...named, ...body.properties } };
}

type Required = { required?: Readonly<Record<string, Schema>>; more?: Schema };

function event(names: EventFields, { required = {}, more = {} }: Required): Schema {
  const members = [...names.keys()].map((name): [string, Schema] => {
    const field = fields[name];
    if (!field) throw new Error(`The field ${name} has no schema: add it to src/rest/openapi/bodies.ts.`);
    return required[name] ? [name, required[name]] : [`${name}?`, field];
  });
  return object(Object.fromEntries(members), more);
}

/** Under the bare paths it has to be there. */
function type(
  base: Base,
  name: 'service_type' | 'state_type' | 'task_type',
): NonNullable<Required['required']> {
  return base.takesAttachedData ? {} : { [name]: code };
}

const either: Schema = {
  anyOf: [
    { required: ['customer_id'], properties: { customer_id: { type: 'string' } } },
    { required: ['contact_key'], properties: { contact_key: { type: 'string' } } },
  ],
};

export function serviceStart(base: Base): Schema {
  const required = type(base, 'service_type');
  return event(startEvent[base.basePath], { required, more: { ...extensions(base), ...either } });
}

/** The customer is the one of the path, also where the body names it. */
export function association(base: Base): Schema {
  const { properties, ...body } = event(associateEvent[base.basePath], { more: extensions(base) });
  const named = { customer_id: described('That of the path.', customerId) };
  const typed: Schema['properties'] = base.takesAttachedData ? {} : { service_type: code };
  return within({ ...body, properties: { ...properties, ...named, ...typed } }, 'service_id');
}

export function serviceEnd(base: Base): Schema {
  return within(event(endServiceEvent[base.basePath], { more: extensions(base) }), 'service_id');
}

export function partEnd(base: Base, kind: 'state' | 'task'): Schema {
  return within(event(endEvent, { more: extensions(base) }), 'service_id', `${kind}_id`);
}

export const expiry: Schema = {
  ...within(event(expiryEvent, { more: { additionalProperties: false } }), 'service_id'),
  anyOf: [{ required: ['ttl'] }, { required: ['expiration_time'] }],
};

export function stateStart(base: Base): Schema {
  const required = type(base, 'state_type');
  return within(event(startStateEvent, { required, more: extensions(base) }), 'service_id');
}

export function taskStart(base: Base): Schema {
  const required = type(base, 'task_type');
  return within(event(startTaskEvent, { required, more: extensions(base) }), 'service_id');
}

export function transition(base: Base): Schema {
  const closed: Schema = { additionalProperties: false };
  const from = event(transitionParts.from, { required: { state_id: partId }, more: closed });
  const to = event(transitionParts.to, { required: type(base, 'state_type'), more: closed });
  const both = new Map([...transitionEvent].filter(([name]) => !Object.hasOwn(transitionParts, name)));
  const { properties, ...body } = event(both, { more: extensions(base) });
  const whole: Schema = {
    ...body,
    required: ['from', 'to'],
    properties: {
      ...properties,
      from: described('The state that ends.', from),
      to: described('The state that starts, with the extensions of the body.', to),
    },
  };
  return within(whole, 'service_id');
}

export function compositeStart(base: Base): Schema {
  const part = (name: keyof typeof compositeEvents, more: Schema = {}) =>
    event(compositeEvents[name], { more: { ...extensions(base), ...more } });
  const task = part('task');
  const entry = object(
    {
      service: part('service', either),
      state: part('state'),
      'task?': { ...task, type: ['object', 'null'] },
      'associate_state_task?': described('The task belongs to the state.', nullable(boolean)),
      'create_new_services?': described('The service is started even where there is one.', nullable(boolean)),
    },
    { additionalProperties: false },
  );
  return object({ services: array(entry, { minItems: 1, maxItems: 50 }) }, { additionalProperties: false });
}

/** The value of the extension that the path names. */
export function extensionValue({ takesAttachedData }: Base): Schema {
  return takesAttachedData ? attachedData : withSchema;
}

export const mergedKeys = described('The keys to add, each with its value.', record);
export const changedRecord = described(
  'The attributes of a `unique` list, which name the record, and those to change.',
  record,
);
export const namedRecord = described('The attributes of a `unique` list, which name the record.', record);

const flag: Schema = { type: ['boolean', 'string', 'null'], enum: [true, false, 'true', 'false', null] };

const attribute = object(
  {
    name: extensionName,
    type: oneOf(attributeTypes),
    'length?': described('The most characters of a string: 1 to 32768, as a number or in digits.', {
      type: ['integer', 'string', 'null'],
      minimum: 1,
      maximum: 32_768,
      pattern: '^\\d{1,6}$',
    }),
    'default?': described('What a record has where it says nothing.', {
      type: ['string', 'number', 'boolean', 'null'],
    }),
    'mandatory?': flag,
    'unique?': flag,
    'encrypt?': described('Kept and answered for old clients; it is no encryption at rest.', flag),
  },
  { additionalProperties: false },
);

export const newExtensionSchema = object(
  {
    name: extensionName,
    type: oneOf(extensionTypes),
    attributes: array(attribute, { minItems: 1, maxItems: 100 }),
    'unique?': {
      description: 'Attributes of which no two records may have the same value, or lists of them.',
      type: ['array', 'null'],
      maxItems: 100,
      items: { anyOf: [text(26), array(text(26), { minItems: 1 })] },
    },
  },
  { additionalProperties: false },
);

export const purge = object(
  {
    operation: oneOf(operationNames),
    limit: described('Services that were started before it; not ahead.', givenTime),
    'dry_run?': described('Only counts.', nullable(boolean)),
  },
  { additionalProperties: false },
);

export const serverMode = object(
  { mode: oneOf(['production', 'maintenance']) },
  { additionalProperties: false },
);

/** All there is to say is in the path and the headers. */
export const undo = within(object({}, { additionalProperties: false }), 'service_id');
