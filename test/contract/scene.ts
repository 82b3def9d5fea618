import { expect } from 'vitest';
import type { TestApp } from '../harness.js';
import type { Base, Row, Values } from './row.js';

export const now = new Date('2026-03-01T10:00:00.000Z');

/** The extensions that have a schema, by what they extend. */
export const scopes = {
  services: { single: 'Feedback', multi: 'Satisfaction' },
  states: { single: 'Note', multi: 'Steps' },
  tasks: { single: 'Memo', multi: 'Items' },
} as const;

export type Scope = keyof typeof scopes;

/** One record of a single-valued extension, and those of a multi-valued one. */
export const record = { FeedbackType: 'survey', rating: 7 };
export const records = [
  { place: 'Paris', rating: 8, useful: false },
  { place: 'Rome', rating: 2 },
];

/** The common fields of events, but for the time. */
export const event = {
  session_id: 'session-1',
  interaction_id: '123ABCAADFJ1259ACF',
  application_type: 400,
  application_id: 40,
  resource_type: '200',
  resource_id: 5005,
  media_type: 'voice',
};

export const end = {
  disposition: 10,
  disposition_desc: 'SUCCESS',
  session_id: 'session-2',
  application_id: 7,
};

/** What is there before a call; all of it is made anew for every one that changes something. */
export type Scene = {
  base: Base;
  values: Values;
  /** Of the service of `values`. */
  version: number;
  /** How each is answered, without extensions; states and tasks as they are inside of a service. */
  shown: Record<
    'service' | 'ended' | 'caller' | 'hungUp' | 'state' | 'endedState' | 'task' | 'endedTask',
    object
  >;
};

type Schema = { name: string; type: string; attributes: object[]; unique: string[] };

/** The schemas of what extends a scope, as they are given and answered: one with a mandatory, one with a unique attribute. */
export function schemasOf(scope: Scope): readonly Schema[] {
  const { single, multi } = scopes[scope];
  return [
    {
      name: single,
      type: 'single-valued',
      attributes: [
        { name: 'FeedbackType', type: 'string', length: 32, mandatory: true },
        { name: 'rating', type: 'integer' },
        { name: 'notes', type: 'string' },
      ],
      unique: [],
    },
    {
      name: multi,
      type: 'multi-valued',
      attributes: [
        { name: 'place', type: 'string', mandatory: true },
        { name: 'rating', type: 'integer' },
        { name: 'useful', type: 'boolean' },
      ],
      unique: ['place'],
    },
  ];
}

export async function defineExtensions(app: TestApp): Promise<void> {
  for (const scope of ['services', 'states', 'tasks'] as const) {
    for (const schema of schemasOf(scope)) await post(app, `/metadata/${scope}/extensions`, schema);
  }
}

/** A state or task as it is answered where it is no part of a service. */
export function alone({ values }: Scene, part: object): object {
  return { service_id: Number(values['service_id']), ...part };
}

/** Each has a customer and ids of its own. */
export function setScene(app: TestApp, base: Base, kind: Row['scene'] = 'services'): Promise<Scene> {
  return kind === 'services' ? setServices(app, base) : setStatesAndTasks(app, base);
}

let scenes = 0;

/**
 * A customer with a service that is active and one that has ended, and two of a caller with the same
 * contact key who is not known yet.
 */
async function setServices(app: TestApp, base: Base): Promise<Scene> {
  const number = `${++scenes}`;
  const contact_key = `key-${number}`;
  const owner = { customer_id: `customer-${number}`, contact_key };
  const service = { ...owner, service_type: 100, est_duration: 60 };
  const ended = { ...owner, service_type: '100' };
  const caller = { contact_key, service_type: 'claim' };

  const [id, endedId, callerId, hungUpId] = await Promise.all([
    start(
      app,
      base,
      {
        ...service,
        ...event,
        timestamp: '2026-03-01T08:00:00+02:00',
        Feedback: record,
        Satisfaction: records,
      },
      { 'idempotency-key': `scene-${number}` },
    ),
    startAndEnd(app, base, ended, ['2026-03-01T07:00:00.5Z', '2026-03-01T07:01:02Z']),
    start(app, base, { ...caller, timestamp: '2026-03-01T08:00:00Z' }),
    startAndEnd(app, base, caller, ['2026-03-01T08:30:00Z', '2026-03-01T08:31:00Z']),
  ]);

  return {
    base,
    values: {
      ...owner,
      service_id: `${id}`,
      ended_id: `${endedId}`,
      caller_id: `${callerId}`,
      hung_up_id: `${hungUpId}`,
      key: `scene-${number}`,
      number,
    },
    version: 1,
    shown: {
      service: { service_id: id, ...service, started: { ...event, timestamp: '2026-03-01T06:00:00.000Z' } },
      ended: {
        service_id: endedId,
        ...ended,
        ...ending('2026-03-01T07:00:00.500Z', '2026-03-01T07:01:02.000Z'),
        disposition: 10,
        disposition_desc: 'SUCCESS',
      },
      caller: { service_id: callerId, ...caller, started: { timestamp: '2026-03-01T08:00:00.000Z' } },
      hungUp: {
        service_id: hungUpId,
        ...caller,
        ...ending('2026-03-01T08:30:00.000Z', '2026-03-01T08:31:00.000Z'),
        disposition: 10,
        disposition_desc: 'SUCCESS',
      },
      ...shownParts,
    },
  };
}

/** The same; and in the active service state 0 with task 0, both active, and state 1 and task 1, which have ended. */
async function setStatesAndTasks(app: TestApp, base: Base): Promise<Scene> {
  const the = await setServices(app, base);
  const url = `${base}/services/${the.values['service_id']}`;
  const { single, multi } = scopes.states;

  await post(app, `${url}/states/start`, {
    state_type: 1,
    est_duration: 60,
    ...event,
    timestamp: '2026-03-01T06:10:00Z',
    [single]: record,
    [multi]: records,
  });
  await post(app, `${url}/states/start`, {
    state_type: '8',
    previous_state_id: 0,
    timestamp: '2026-03-01T06:20:00Z',
  });
  await post(app, `${url}/states/1/end`, { ...end, timestamp: '2026-03-01T06:21:00.5Z' });
  await post(app, `${url}/tasks/start`, {
    task_type: 'verify',
    state_id: 0,
    est_duration: 30,
    ...event,
    timestamp: '2026-03-01T06:11:00Z',
    [scopes.tasks.single]: record,
    [scopes.tasks.multi]: records,
  });
  await post(app, `${url}/tasks/start`, { task_type: 5, timestamp: '2026-03-01T06:12:00Z' });
  await post(app, `${url}/tasks/1/end`, { ...end, timestamp: '2026-03-01T06:13:00Z' });

  return { ...the, values: { ...the.values, state_id: '0', task_id: '0' }, version: 7 };
}

const shownParts = {
  state: {
    state_id: 0,
    state_type: 1,
    est_duration: 60,
    started: { ...event, timestamp: '2026-03-01T06:10:00.000Z' },
  },
  endedState: {
    state_id: 1,
    state_type: '8',
    duration: 60_500,
    started: { previous_state_id: 0, timestamp: '2026-03-01T06:20:00.000Z' },
    completed: { ...end, timestamp: '2026-03-01T06:21:00.500Z' },
  },
  task: {
    task_id: 0,
    task_type: 'verify',
    state_id: 0,
    est_duration: 30,
    started: { ...event, timestamp: '2026-03-01T06:11:00.000Z' },
  },
  endedTask: {
    task_id: 1,
    task_type: 5,
    duration: 60_000,
    started: { timestamp: '2026-03-01T06:12:00.000Z' },
    completed: { ...end, timestamp: '2026-03-01T06:13:00.000Z' },
  },
};

function ending(from: string, to: string): object {
  const duration = Date.parse(to) - Date.parse(from);
  return { duration, started: { timestamp: from }, completed: { ...end, timestamp: to } };
}

async function start(app: TestApp, base: Base, body: object, headers = {}): Promise<number> {
  const { json } = await post(app, `${base}/services/start`, body, headers);
  return json.service_id;
}

async function startAndEnd(app: TestApp, base: Base, body: object, times: [string, string]): Promise<number> {
  const id = await start(app, base, { ...body, timestamp: times[0] });
  await post(app, `${base}/services/${id}/end`, { ...end, timestamp: times[1] });
  return id;
}

async function post(app: TestApp, url: string, body: object, headers = {}): ReturnType<TestApp['rest']> {
  const answer = await app.rest('POST', url, { body, headers });
  expect([200, 201], `POST ${url} answered ${answer.text}`).toContain(answer.status);
  return answer;
}
