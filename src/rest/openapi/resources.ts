import { attributeTypes } from '../../domain/extension-records.js';
import { extensionTypes } from '../../domain/extension-schemas.js';
import { mappableFields } from '../../domain/field-mappings.js';
import { operationNames } from '../purges.js';
import { anything, array, boolean, described, integer, object, oneOf, type Schema, text } from './schema.js';
import { code, contactKey, customerId, estimate, extensionName, partId, serviceId, time } from './values.js';

/** What is answered, in the order in which it is (legacy contract, resources). */

const eventMembers = {
  'session_id?': text(32),
  'interaction_id?': text(50),
  'application_type?': code,
  'application_id?': integer(),
  'resource_type?': code,
  'resource_id?': integer(),
  'media_type?': code,
  timestamp: time,
};

const dispositionMembers = { 'disposition?': code, 'disposition_desc?': text(64) };

const start = object(eventMembers, { title: 'StartEvent' });
const stateStart = object({ ...eventMembers, 'previous_state_id?': partId }, { title: 'StateStartEvent' });
const end = object({ ...eventMembers, ...dispositionMembers }, { title: 'EndEvent' });

const times = {
  'est_duration?': estimate,
  'duration?': described('From start to end, in milliseconds; absent until then.', integer(0)),
};

const extensions = described(
  'Each extension that was asked for, under its name: an object, or an array of objects where it is multi-valued. ' +
    'Attached data of 8.5 can be any JSON.',
  anything,
);

const taskMembers = {
  task_id: partId,
  'task_type?': code,
  'state_id?': described('The state that it belongs to, if any.', partId),
  ...times,
  started: start,
  'completed?': end,
};

const taskWithin = object(taskMembers, { title: 'TaskOfService', additionalProperties: extensions });

const taskLists = {
  'active_tasks?': array(taskWithin),
  'completed_tasks?': array(taskWithin),
};

const stateMembers = {
  state_id: partId,
  'state_type?': code,
  ...times,
  started: stateStart,
  'completed?': end,
  ...taskLists,
};

const stateWithin = object(stateMembers, { title: 'StateOfService', additionalProperties: extensions });

export const service = object(
  {
    service_id: serviceId,
    'service_type?': code,
    'customer_id?': described('Absent while the service is anonymous.', customerId),
    'contact_key?': contactKey,
    ...times,
    ...dispositionMembers,
    started: start,
    'completed?': end,
    'active_states?': array(stateWithin),
    'completed_states?': array(stateWithin),
    ...taskLists,
  },
  { title: 'Service', additionalProperties: extensions },
);

export const state = object(
  { service_id: serviceId, ...stateMembers },
  { title: 'State', additionalProperties: extensions },
);

export const task = object(
  { service_id: serviceId, ...taskMembers },
  { title: 'Task', additionalProperties: extensions },
);

export const compositeStarts = array(
  object(
    {
      service_id: serviceId,
      service_created: boolean,
      state_id: partId,
      state_created: boolean,
      'task_id?': partId,
      'task_created?': boolean,
    },
    { title: 'CompositeStart' },
  ),
);

const attribute = object(
  {
    name: extensionName,
    type: oneOf(attributeTypes),
    'length?': described('The most characters of a string.', integer(1, 32_768)),
    'default?': { type: ['string', 'number', 'boolean'] },
    'mandatory?': boolean,
    'unique?': boolean,
    'encrypt?': described('Kept and answered for old clients; it is no encryption at rest.', boolean),
  },
  { title: 'ExtensionAttribute' },
);

export const extensionSchema = object(
  {
    name: extensionName,
    type: oneOf(extensionTypes),
    attributes: array(attribute),
    unique: described(
      'Attributes of which no two records of one extension may have the same value, or lists of them.',
      array({ anyOf: [extensionName, array(extensionName)] }),
    ),
  },
  { title: 'ExtensionSchema' },
);

const labels = { display_name: text(256), 'description?': text(256) };

export const businessAttribute = object(
  {
    name: text(64, 1),
    'dbid?': integer(1),
    ...labels,
    map_name: described('Whether mapped fields are answered as names, instead of as dbids.', boolean),
    cv_attributes: described('The fields that are mapped to it.', array(oneOf(mappableFields))),
    values: array(object({ name: text(64, 1), dbid: integer(1), ...labels }, { title: 'AttributeValue' })),
  },
  { title: 'BusinessAttribute' },
);

export const purge = object(
  {
    purge_id: serviceId,
    operation: oneOf(operationNames),
    limit: described('Services that were started before it.', time),
    dry_run: boolean,
    status: oneOf(['running', 'done', 'cancelled']),
    matched: described('How many services there were when it began.', integer(0)),
    deleted: described('How many are deleted so far.', integer(0)),
    created: time,
    'finished?': time,
  },
  { title: 'Purge' },
);

export const server = object(
  { mode: oneOf(['production', 'maintenance']), version: text(64, 1), since: time },
  { title: 'ServerStatus' },
);

/** What a start answers: the id of what was started. */
export function started(name: 'service_id' | 'state_id' | 'task_id'): Schema {
  return object({ [name]: name === 'service_id' ? serviceId : partId });
}

/** Those that extensions hang on. */
export const owners = { service, state, task } as const;
