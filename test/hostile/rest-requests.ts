import fc, { type Arbitrary } from 'fast-check';
import { associateEvent, startStateEvent, startTaskEvent, transitionEvent } from '../../src/rest/names.js';
import { exampleOf, operationNames } from '../auth/operations.js';
import { mutate, mutations, textOf, treeOf } from './trees.js';
import { hostileUrlPart, seldom } from './values.js';
import { anyHeaders, anyMethod, byteAct, fillIn, type Plan, type Sent } from './wire.js';

const names = operationNames.filter((name) => name.includes(' '));

/** What means something in one body or another. */
const keys = [
  ...new Set(
    [associateEvent['/genesys/1/cs'], startStateEvent, startTaskEvent, transitionEvent].flatMap((event) => [
      ...event.keys(),
    ]),
  ),
  ...[
    'ESTATE_SCHEMA',
    'ESTATE_RECORDS',
    'estate_schema',
    'no',
    'name',
    'type',
    'attributes',
    'unique',
    'length',
    'default',
    'mandatory',
  ],
  ...[
    'encrypt',
    'services',
    'service',
    'state',
    'task',
    'associate_state_task',
    'create_new_services',
    'limit',
    'operation',
    'dry_run',
  ],
  ...['mode', 'service_id', 'state_id', 'task_id', 'started', 'extensions', 'from', 'to'],
];

const parameters = [
  ...[
    'started_from',
    'started_to',
    'service_types',
    'state_types',
    'task_types',
    'state_id',
    'active_states',
    'completed_states',
  ],
  ...[
    'active_tasks',
    'completed_tasks',
    'extensions',
    'limit',
    'after',
    'business_unit',
    'cv-attribute',
    'time_from',
    'time_to',
  ],
  ...[
    'filter_events',
    'export_content',
    'filter_state',
    'extensions[]',
    'limit[a]',
    'limit%00',
    '',
    '__proto__',
    'constructor',
    '%ff',
    '&',
  ],
];

const part = fc.record({
  act: fc.constantFrom('replace', 'replace', 'insert', 'remove', 'repeat'),
  at: fc.nat(8),
  text: hostileUrlPart,
});

const query = fc.array(
  fc
    .tuple(fc.constantFrom(...parameters), fc.constantFrom('=', '=', '=', '=', ''), hostileUrlPart)
    .map((pair) => pair.join('')),
  { minLength: 1, maxLength: 3 },
);

/** Requests of the legacy API, each with something wrong with it, or nothing. */
export const restRequest: Arbitrary<Plan> = fc
  .record({
    name: fc.constantFrom(...names),
    method: seldom(10, anyMethod),
    part: seldom(25, part),
    query: seldom(50, query),
    headers: anyHeaders,
    changes: mutations(keys),
    bytes: seldom(10, byteAct),
  })
  .map(({ name, method, part: changed, query: added, headers, changes, bytes }) => (estate) => {
    const { request, isForAllTenants: _ } = exampleOrThrow(name);
    const { body, ...usual } = request(estate);
    const text = body && fillIn(textOf(changes.reduce(mutate, treeOf(body))), estate);
    const plain: Sent = { body: text === undefined ? undefined : Buffer.from(text) };
    const sent = bytes?.(text ?? '{}') ?? plain;
    return {
      name,
      method: method ?? usual.method,
      url: withQuery(changed ? changePart(usual.url, changed) : usual.url, added ?? []),
      headers: { ...sent.headers, ...headers },
      body: sent.body,
    };
  });

function exampleOrThrow(name: string) {
  const example = exampleOf(name);
  if (!example) throw new Error(`${name} has no example`);
  return example;
}

function changePart(url: string, { act, at, text }: { act: string; at: number; text: string }): string {
  const [path = '', ...rest] = url.split('?');
  const parts = path.split('/');
  const place = 1 + (at % parts.length);
  const taken = act === 'insert' ? 0 : 1;
  const put =
    { replace: [text], insert: [text], remove: [], repeat: [parts[place] ?? '', parts[place] ?? ''] }[act] ??
    [];
  return [parts.toSpliced(place, taken, ...put).join('/') || '/', ...rest].join('?');
}

function withQuery(url: string, added: readonly string[]): string {
  return added.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${added.join('&')}`;
}
