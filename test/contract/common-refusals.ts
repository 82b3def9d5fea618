import { expect } from 'vitest';
import { bare, base85 } from '../rest/calls.js';
import { bad, type Fault, type Refusal, type Row, refused, under } from './row.js';
import { type Scope, scopes } from './scene.js';

/** What an operation refuses for its shape alone: its method, the ids of its path, its body, its headers. */
export function commonRefusals(row: Row, allow: readonly string[]): Refusal[] {
  const names = [...row.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return [
    {
      ...refused('another method', 405, {
        method: 'PATCH',
        rawBody: '{',
        headers: { accept: 'application/problem+json' },
      }),
      allow,
    },
    ...names.flatMap((name) => wrongIds[name] ?? []),
    ...(names.includes('service_id') ? [{ ...noService, ...row.absent }] : []),
    ...(row.body ? wrongBodies[row.body] : []),
    ...(row.method === 'GET' || row.isUnkeyed ? [] : [reusedKey]),
    ...(row.method !== 'GET' && names.includes('service_id') ? [stale] : []),
  ];
}

const stale = refused('a stale version', 412, { headers: { 'if-match': '"999"' } });
const reusedKey = refused('the key of another call', 422, { headers: { 'idempotency-key': '{key}' } });

const noService = refused('a service that is not there', 404, {
  values: { service_id: '9223372036854775807' },
});

const wrongIds: Readonly<Record<string, Refusal[]>> = {
  service_id: [refused('a service id that is none', 400, { values: { service_id: '1x' } }, 'service_id')],
  state_id: [
    refused('a state that is not there', 404, { values: { state_id: '7' } }),
    refused('a state id that is none', 400, { values: { state_id: 'x' } }, 'state_id'),
  ],
  task_id: [
    refused('a task that is not there', 404, { values: { task_id: '7' } }),
    refused('a task id that is none', 400, { values: { task_id: '-1' } }, 'task_id'),
  ],
  customer_id: [
    refused(
      'a customer id that is too long',
      400,
      { values: { customer_id: 'c'.repeat(65) } },
      'customer_id',
    ),
  ],
  contact_key: [
    refused(
      'a contact key that is too long',
      400,
      { values: { contact_key: 'k'.repeat(129) } },
      'contact_key',
    ),
  ],
  scope: [refused('what has no extensions', 404, { values: { scope: 'people' } })],
};

const wrongTexts = [
  refused('a body that is no JSON', 400, { rawBody: '{"a":' }, 'body'),
  refused('another content type', 415, { headers: { 'content-type': 'text/plain' } }, 'Content-Type'),
  refused('a body over 1 MiB', 413, { rawBody: `{"a":"${'x'.repeat(1024 * 1024)}"}` }, 'body'),
];

const wrongObjects = [
  { ...refused('a body that is no object', 400, { rawBody: '[]' }, 'body'), hasMore: true },
  refused('an integer beyond 2^53', 400, { rawBody: '{"resource_id":9007199254740993}' }, 'resource_id'),
];

const noBody = { ...refused('no body', 400, { rawBody: '' }, 'body'), hasMore: true };

const wrongBodies: Readonly<Record<NonNullable<Row['body']>, Refusal[]>> = {
  object: [...wrongTexts, ...wrongObjects, noBody],
  'optional object': [...wrongTexts, ...wrongObjects],
  'any value': [...wrongTexts, noBody],
};

/** A name that no extension may have; the fields that the operation has are told. */
export const reserved = (name: string): Fault => ({ path: name, allowed: expect.any(Array) });

/** What every event refuses of the fields that all have (legacy contract, values). */
export const eventRefusals: readonly Refusal[] = [
  bad({ session_id: 's'.repeat(33) }, 'session_id'),
  bad({ interaction_id: 'i'.repeat(51) }, 'interaction_id'),
  bad({ application_type: true }, 'application_type'),
  bad({ application_id: '40' }, 'application_id'),
  bad({ resource_type: 1.5 }, 'resource_type'),
  bad({ resource_id: 0.5 }, 'resource_id'),
  bad({ media_type: 'm'.repeat(65) }, 'media_type'),
  bad({ timestamp: '2026-03-02T10:00:00.001Z' }, 'timestamp'),
  bad({ timestamp: '2009-02-29T12:05:12.145Z' }, 'timestamp'),
  bad({ duration: 1 }, reserved('duration')),
  bad({ started: {}, completed_states: [] }, reserved('started'), reserved('completed_states')),
];

/** The fields of every event that can be mapped to a business attribute. */
export function mappableOf(part: 'Service' | 'State' | 'Task'): Readonly<Record<string, string>> {
  const fields = ['application_type', 'resource_type', 'media_type'];
  return Object.fromEntries(fields.map((field) => [field, `${part}.${field}`]));
}

export const dispositionRefusals: readonly Refusal[] = [
  bad({ disposition: {} }, 'disposition'),
  bad({ disposition_desc: 'd'.repeat(65) }, 'disposition_desc'),
];

/** What every event refuses of the extensions in it. */
export function extensionRefusals(scope: Scope): readonly Refusal[] {
  const { single, multi } = scopes[scope];
  return [
    bad({ [single]: [] }, single),
    bad({ [single]: { rating: 'x' } }, `${single}.FeedbackType`, `${single}.rating`),
    bad({ [multi]: {} }, multi),
    bad({ [multi]: [{ place: 'Oslo' }, { place: 'Oslo' }] }, `${multi}[1].place`),
    bad(
      { [multi]: [{ place: 'Oslo', stars: 5 }] },
      {
        path: `${multi}[0].stars`,
        allowed: ['place', 'rating', 'useful'],
      },
    ),
    bad({ [single]: null, [single.toLowerCase()]: null }, single.toLowerCase()),
    refused(
      'an extension over 32 KiB',
      413,
      { with: { [single]: { FeedbackType: 'x', notes: 'n'.repeat(32 * 1024) } } },
      single,
    ),
    ...under(base85, bad({ ['k'.repeat(256)]: 1 }, 'k'.repeat(256)), bad({ '': 1 }, '""')),
    ...under(bare, bad({ Unheard: 1 }, { path: 'Unheard', allowed: [single, multi].sort() })),
  ];
}
