import { bare } from '../rest/calls.js';
import {
  dispositionRefusals,
  eventRefusals,
  extensionRefusals,
  mappableOf,
  reserved,
} from './common-refusals.js';
import { bad, badQuery, type Example, type Refusal, type Row, refused, under } from './row.js';
import { alone, end, event, now, record, records } from './scene.js';
import { nextPage } from './table-service-queries.js';

const started = (version: number): Example['answers'] => ({
  status: 201,
  location: '/services/{service_id}/tasks/2',
  etag: version + 1,
  body: { task_id: 2 },
});

const scene = 'states and tasks';

export const tasks: readonly Row[] = [
  {
    operation: 'Start Task',
    method: 'POST',
    path: '/services/{service_id}/tasks/start',
    body: 'object',
    scene,
    mappable: { task_type: 'Task.type', ...mappableOf('Task') },
    examples: {
      'answers the id of a task that has what was given': (the) => ({
        body: {
          task_type: '5',
          state_id: 1,
          est_duration: 0,
          ...event,
          timestamp: '2026-03-01T09:30:00.12Z',
          Memo: record,
          Items: records,
        },
        answers: started(the.version),
        shows: () => [
          [
            '/services/{service_id}/tasks/2?extensions=*',
            alone(the, {
              task_id: 2,
              task_type: '5',
              state_id: 1,
              est_duration: 0,
              started: { ...event, timestamp: '2026-03-01T09:30:00.120Z' },
              Memo: record,
              Items: records,
            }),
          ],
        ],
      }),
      'needs a type alone, and takes the time from the clock': ({ version, shown }) => ({
        body: { task_type: 'verify' },
        answers: started(version),
        shows: () => [
          [
            '/services/{service_id}?active_tasks=true',
            {
              ...shown.service,
              active_tasks: [
                shown.task,
                { task_id: 2, task_type: 'verify', started: { timestamp: now.toISOString() } },
              ],
            },
          ],
        ],
      }),
    },
    in85: {
      'needs no type and takes attached data': (the) => ({
        body: { Unheard: 0.5 },
        answers: started(the.version),
        shows: () => [
          [
            '/services/{service_id}/tasks/2?extensions=*',
            alone(the, { task_id: 2, started: { timestamp: now.toISOString() }, Unheard: 0.5 }),
          ],
        ],
      }),
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('tasks'),
      refused('a service that has ended', 409, {
        values: { service_id: '{ended_id}' },
        body: { task_type: 1 },
      }),
      refused('a state that is not there', 404, { with: { state_id: 7 } }),
      bad({ state_id: '0x' }, 'state_id'),
      bad({ task_type: {} }, 'task_type'),
      bad({ est_duration: 1.5 }, 'est_duration'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ task_id: 2 }, reserved('task_id')),
      ...under(bare, bad({ task_type: undefined }, 'task_type'), bad({ task_type: null }, 'task_type')),
    ],
  },
  {
    operation: 'Complete Task',
    method: 'POST',
    path: '/services/{service_id}/tasks/{task_id}/end',
    body: 'optional object',
    scene,
    mappable: { ...mappableOf('Task'), disposition: 'Task.disposition' },
    examples: {
      'ends the task': (the) => ({
        body: { ...end, timestamp: '2026-03-01T06:11:30Z', Memo: null },
        answers: { status: 200, etag: the.version + 1 },
        shows: () => {
          const ended = {
            ...alone(the, the.shown.task),
            duration: 30_000,
            completed: { ...end, timestamp: '2026-03-01T06:11:30.000Z' },
          };
          return [
            ['/services/{service_id}/tasks/0?extensions=*', { ...ended, Items: records }],
            ['/services/{service_id}/tasks/active', []],
            ['/services/{service_id}/tasks/completed', [ended, alone(the, the.shown.endedTask)]],
          ];
        },
      }),
      'takes an empty body of any type, and answers the task where that is preferred': (the) => ({
        headers: { prefer: 'return=representation', 'content-type': 'text/plain' },
        rawBody: '',
        answers: {
          status: 200,
          etag: the.version + 1,
          body: {
            ...alone(the, the.shown.task),
            duration: 13_740_000,
            completed: { timestamp: now.toISOString() },
          },
        },
      }),
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('tasks'),
      ...dispositionRefusals,
      refused('a task that has ended', 409, { values: { task_id: '1' } }),
      bad({ timestamp: '2026-03-01T06:10:59.999Z' }, 'timestamp'),
      bad({ task_id: 1 }, 'task_id'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ completed_tasks: [] }, reserved('completed_tasks')),
    ],
  },
];

const listRefusals: readonly Refusal[] = [
  badQuery('?started_from=yesterday&started_to=2009-02-29T00:00:00Z', 'started_from', 'started_to'),
  badQuery(`?task_types=${'t'.repeat(65)}&state_id=x`, 'task_types', 'state_id'),
];

const queries: Omit<Row, 'path' | 'examples'> = {
  operation: 'Query Tasks',
  method: 'GET',
  scene,
  refusals: listRefusals,
};

export const taskQueries: readonly Row[] = [
  {
    ...queries,
    path: '/services/{service_id}/tasks',
    examples: {
      'answers the tasks by their start': (the) => ({
        query: '?extensions=Memo',
        answers: {
          status: 200,
          body: [{ ...alone(the, the.shown.task), Memo: record }, alone(the, the.shown.endedTask)],
        },
      }),
      'finds those of a state': (the) => ({
        query: '?state_id=0',
        answers: { status: 200, body: [alone(the, the.shown.task)] },
      }),
      'finds those of a type, in a time': (the) => ({
        query:
          '?task_types=5,verify&started_from=2026-03-01T06:11:00.001Z&started_to=2026-03-01T06:12:00.001Z',
        answers: { status: 200, body: [alone(the, the.shown.endedTask)] },
      }),
      'answers pages where a limit is given': (the) => ({
        query: '?limit=1',
        answers: { status: 200, body: [alone(the, the.shown.task)], link: nextPage },
      }),
      'answers an empty list where there is none': () => ({
        values: { service_id: '{caller_id}' },
        answers: { status: 200, body: [] },
      }),
    },
  },
  {
    ...queries,
    path: '/services/{service_id}/tasks/active',
    examples: {
      'answers those that are active': (the) => ({
        query: '?extensions=Task.Items',
        answers: { status: 200, body: [{ ...alone(the, the.shown.task), Items: records }] },
      }),
    },
  },
  {
    ...queries,
    path: '/services/{service_id}/tasks/completed',
    examples: {
      'answers those that have ended': (the) => ({
        answers: { status: 200, body: [alone(the, the.shown.endedTask)] },
      }),
    },
  },
  {
    ...queries,
    operation: 'Query Task by ID',
    path: '/services/{service_id}/tasks/{task_id}',
    examples: {
      'answers the task with what is asked for': (the) => ({
        query: '?extensions=memo,Unheard',
        answers: { status: 200, etag: the.version, body: { ...alone(the, the.shown.task), Memo: record } },
      }),
      'answers one that has ended': (the) => ({
        values: { task_id: '1' },
        answers: { status: 200, etag: the.version, body: alone(the, the.shown.endedTask) },
      }),
    },
    refusals: [],
  },
];
