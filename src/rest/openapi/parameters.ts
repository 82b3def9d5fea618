import { mappableFields } from '../../domain/field-mappings.js';
import { boolean, integer, oneOf, type Schema, text } from './schema.js';
import { contactKey, customerId, givenTime, partId, serviceId } from './values.js';

/** A parameter of OpenAPI. */
export type Parameter = {
  /** Its name among the components of the document, where that is not the parameter's own. */
  readonly title?: string;
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description?: string;
  readonly required?: true;
  /** A list is comma separated. */
  readonly style?: 'form';
  readonly explode?: false;
  readonly schema: Schema;
};

function header(name: string, description: string, schema: Schema): Parameter {
  return { name, in: 'header', description, schema };
}

function query(name: string, description: string, schema: Schema): Parameter {
  return { name, in: 'query', description, schema };
}

function list(name: string, description: string, items: Schema): Parameter {
  return { name, in: 'query', description, style: 'form', explode: false, schema: { type: 'array', items } };
}

const ids: Readonly<Record<string, Schema>> = {
  customer_id: customerId,
  service_id: serviceId,
  state_id: partId,
  task_id: partId,
  purge_id: serviceId,
  contact_key: contactKey,
  name: text(255, 1),
};

/** Of the path of a route, like `/services/:service_id`. */
export function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const { description, ...schema } = ids[name] ?? {};
    if (Object.keys(schema).length === 0) {
      throw new Error(`The id ${name} of ${path} has no schema: add it to src/rest/openapi/parameters.ts.`);
    }
    return { name, in: 'path', required: true, ...(description ? { description } : {}), schema };
  });
}

/** Taken by every operation. */
export const ofEveryCall: readonly Parameter[] = [
  header('ContactCenterId', 'The tenant. Needed where the credentials allow several; else they say it.', {
    type: 'string',
    pattern: '^[\\w.-]{1,64}$',
  }),
  header('X-Request-Id', 'A name for the call, which its answer and the history have too.', {
    type: 'string',
    pattern: '^[\\w.:-]{1,128}$',
  }),
];

const percent = 'What is beyond ASCII as percent-encoded UTF-8.';

const groupId = header('GroupId', `The business unit of what is started. ${percent}`, text(64, 1));

const idempotencyKey = header(
  'Idempotency-Key',
  'Made up anew for each act and repeated with each retry of it: within 24 hours it acts once.',
  text(255, 1),
);

const ifMatch = header(
  'If-Match',
  'The version that the service must have, as `ETag` told it, like `"7"`, or `*`.',
  { type: 'string' },
);
const reason = header('X-Reason', `Why, for the history. ${percent}`, text(256));
const actor = header('X-Actor', `For whom, for the history. ${percent}`, text(128));

/** Taken by what changes a service that is there, or a part of one. */
export const ofActs: readonly Parameter[] = [ifMatch, idempotencyKey, reason, actor];

/** Taken by what starts services. */
export const ofStarts: readonly Parameter[] = [idempotencyKey, reason, actor, groupId];

export const ofRetries: readonly Parameter[] = [idempotencyKey];

export const prefer = header(
  'Prefer',
  '`return=representation` asks for the resource in the answer, with the same parameters as its query.',
  { type: 'string' },
);

export const ifNoneMatch = header(
  'If-None-Match',
  'The version that the caller has, as `ETag` told it: 304 where it still is the one. Not looked at while fields are mapped to business attributes.',
  { type: 'string' },
);

const flag = (name: string, what: string) => query(name, `Shows ${what}.`, boolean);

const extensions = list(
  'extensions',
  'The extensions to show, comma separated; `State.x` and `Task.x` those of states and tasks that are shown, `*`, `State.*`, `Task.*` all. Names that are not there are ignored.',
  { type: 'string' },
);

const taskFlags = [flag('active_tasks', 'its active tasks'), flag('completed_tasks', 'its completed tasks')];

/** What to show of a service, of a state, of a task. */
export const views = {
  service: [
    extensions,
    flag('active_states', 'its active states'),
    flag('completed_states', 'its completed states'),
    ...taskFlags,
  ],
  state: [extensions, ...taskFlags],
  task: [extensions],
} as const satisfies Record<string, readonly Parameter[]>;

function types(name: string): Parameter {
  return list(name, 'Only those of these types, comma separated: `100` is the number and the text.', {
    type: 'string',
  });
}

const pageOf: readonly Parameter[] = [
  query('started_from', 'Only what was started then or later.', givenTime),
  query('started_to', 'Only what was started earlier.', givenTime),
  query('limit', 'At most so many; without it all are answered.', integer(1, 500)),
  query('after', 'Goes on behind a page: that of the address in its `Link`.', { type: 'string' }),
];

export const lists = {
  service: [
    ...pageOf,
    types('service_types'),
    query('business_unit', 'Only those of this business unit.', text(64, 1)),
    ...views.service,
  ],
  state: [...pageOf, types('state_types'), ...views.state],
  task: [
    ...pageOf,
    types('task_types'),
    query('state_id', 'Only those of this state.', partId),
    ...views.task,
  ],
} as const satisfies Record<keyof typeof views, readonly Parameter[]>;

export const mappedField = query(
  'cv-attribute',
  'Only the one that this field is mapped to. `Service.service_type` and its like stand for `Service.type`.',
  oneOf([...mappableFields, 'Service.service_type', 'State.state_type', 'Task.task_type']),
);

export const ofExport: readonly Parameter[] = [
  { ...query('time_from', 'Services with an event then or later.', givenTime), required: true },
  query('time_to', 'With an event earlier than that; else than now.', givenTime),
  query(
    'filter_events',
    'The event: the start, the end, or any of the two.',
    oneOf(['any', 'started', 'completed']),
  ),
  query(
    'export_content',
    '`true` for all there is of each service, else their ids.',
    oneOf(['true', 'false']),
  ),
  query('filter_state', 'Only with `export_content=true`.', oneOf(['any', 'active', 'inactive'])),
];

export const ofEvents: readonly Parameter[] = [
  {
    ...query(
      'after',
      'The `cursor` of an event, `latest` for what comes from now on; else the oldest.',
      text(255, 1),
    ),
    title: 'afterEvent',
  },
  { ...query('limit', 'At most so many, 500 unless it is said.', integer(1, 500)), title: 'limitOfEvents' },
];
