import { bare } from '../rest/calls.js';
import {
  dispositionRefusals,
  eventRefusals,
  extensionRefusals,
  mappableOf,
  reserved,
} from './common-refusals.js';
import { bad, type Example, type Row, refused, under } from './row.js';
import { alone, end, event, now, record, records } from './scene.js';

const started = (version: number): Example['answers'] => ({
  status: 201,
  location: '/services/{service_id}/states/2',
  etag: version + 1,
  body: { state_id: 2 },
});

const scene = 'states and tasks';

export const states: readonly Row[] = [
  {
    operation: 'Start State',
    method: 'POST',
    path: '/services/{service_id}/states/start',
    body: 'object',
    scene,
    mappable: { state_type: 'State.type', ...mappableOf('State') },
    examples: {
      'answers the id of a state that has what was given': (the) => {
        const given = { state_type: 2, est_duration: 0 };
        return {
          body: {
            ...given,
            ...event,
            previous_state_id: 1,
            timestamp: '2026-03-01T11:30+02:00',
            Note: record,
            Steps: records,
          },
          answers: started(the.version),
          shows: () => {
            const start = { previous_state_id: 1, ...event, timestamp: '2026-03-01T09:30:00.000Z' };
            const state = alone(the, { state_id: 2, ...given, started: start });
            return [
              ['/services/{service_id}/states/2?extensions=*', { ...state, Note: record, Steps: records }],
            ];
          },
        };
      },
      'needs a type alone, and takes the time from the clock': (the) => ({
        body: alone(the, { state_type: 'waiting' }),
        answers: started(the.version),
        shows: () => {
          const state = { state_id: 2, state_type: 'waiting', started: { timestamp: now.toISOString() } };
          const service = { ...the.shown.service, active_states: [the.shown.state, state] };
          return [['/services/{service_id}?active_states=true', service]];
        },
      }),
    },
    in85: {
      'needs no type and takes attached data': (the) => ({
        body: { Unheard: 'text' },
        answers: started(the.version),
        shows: () => {
          const state = alone(the, { state_id: 2, started: { timestamp: now.toISOString() } });
          return [['/services/{service_id}/states/2?extensions=*', { ...state, Unheard: 'text' }]];
        },
      }),
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('states'),
      refused('a service that has ended', 409, {
        values: { service_id: '{ended_id}' },
        body: { state_type: 1 },
      }),
      refused('a previous state that is not there', 404, { with: { previous_state_id: 7 } }),
      bad({ previous_state_id: 'x' }, 'previous_state_id'),
      bad({ state_type: 0.5 }, 'state_type'),
      bad({ est_duration: -1 }, 'est_duration'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ state_id: 2 }, reserved('state_id')),
      ...under(bare, bad({ state_type: undefined }, 'state_type'), bad({ state_type: null }, 'state_type')),
    ],
  },
  {
    operation: 'Complete State',
    method: 'POST',
    path: '/services/{service_id}/states/{state_id}/end',
    body: 'optional object',
    scene,
    mappable: { ...mappableOf('State'), disposition: 'State.disposition' },
    examples: {
      'ends the state, and none of its tasks': (the) => ({
        body: { ...end, timestamp: '2026-03-01T06:10:00.001Z', Note: { FeedbackType: 'call' } },
        answers: { status: 200, etag: the.version + 1 },
        shows: () => {
          const completed = { ...end, timestamp: '2026-03-01T06:10:00.001Z' };
          const ended = { ...alone(the, the.shown.state), duration: 1, completed };
          return [
            [
              '/services/{service_id}/states/0?extensions=Note&active_tasks=true',
              { ...ended, active_tasks: [the.shown.task], Note: { FeedbackType: 'call' } },
            ],
            ['/services/{service_id}/states/active', []],
          ];
        },
      }),
      'ignores the ids of the path, and answers the state where that is preferred': (the) => ({
        headers: { prefer: 'return=representation' },
        body: alone(the, { state_id: 0 }),
        answers: {
          status: 200,
          etag: the.version + 1,
          body: {
            ...alone(the, the.shown.state),
            duration: 13_800_000,
            completed: { timestamp: now.toISOString() },
          },
        },
      }),
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('states'),
      ...dispositionRefusals,
      refused('a state that has ended', 409, { values: { state_id: '1' } }),
      bad({ timestamp: '2026-03-01T06:09:59.999Z' }, 'timestamp'),
      bad({ state_id: 1 }, 'state_id'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ task_id: 0 }, reserved('task_id')),
    ],
  },
  {
    operation: 'Perform State Transition',
    method: 'POST',
    path: '/services/{service_id}/states/transition',
    body: 'object',
    scene,
    mappable: {
      ...mappableOf('State'),
      'from.disposition': 'State.disposition',
      'to.state_type': 'State.type',
    },
    examples: {
      'ends a state and starts the next one': (the) => ({
        body: {
          from: { state_id: 0, disposition: 'next', disposition_desc: 'SUCCESS' },
          to: { state_type: '8', est_duration: 120 },
          ...event,
          session_id: 'session-2',
          timestamp: '2026-03-01T06:40:00Z',
          Note: { FeedbackType: 'call' },
        },
        answers: started(the.version),
        shows: () => {
          const moment = { ...event, session_id: 'session-2', timestamp: '2026-03-01T06:40:00.000Z' };
          const completed = { ...moment, disposition: 'next', disposition_desc: 'SUCCESS' };
          const ended = { ...alone(the, the.shown.state), duration: 1_800_000, completed };
          const next = alone(the, {
            state_id: 2,
            state_type: '8',
            est_duration: 120,
            started: { previous_state_id: 0, ...moment },
          });
          return [
            ['/services/{service_id}/states/0?extensions=*', { ...ended, Note: record, Steps: records }],
            ['/services/{service_id}/states/2?extensions=*', { ...next, Note: { FeedbackType: 'call' } }],
            ['/services/{service_id}/states/active', [next]],
          ];
        },
      }),
    },
    in85: {
      'needs no type': (the) => ({
        body: { from: { state_id: 0 }, to: {} },
        answers: started(the.version),
        shows: () => {
          const start = { previous_state_id: 0, timestamp: now.toISOString() };
          return [['/services/{service_id}/states/2', alone(the, { state_id: 2, started: start })]];
        },
      }),
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('states'),
      refused('a state that has ended', 409, { with: { from: { state_id: 1 } } }),
      refused('a state that is not there', 404, { with: { from: { state_id: 7 } } }),
      bad({ from: {} }, 'from.state_id'),
      bad({ from: { state_id: 'x' } }, 'from.state_id'),
      bad({ from: { state_id: 0, disposition: [] } }, 'from.disposition'),
      bad({ from: { state_id: 0, disposition_desc: 'd'.repeat(65) } }, 'from.disposition_desc'),
      bad({ from: [] }, 'from'),
      bad({ to: { state_type: true } }, 'to.state_type'),
      bad({ to: { state_type: 1, est_duration: -1 } }, 'to.est_duration'),
      bad({ to: 8 }, 'to'),
      bad({ timestamp: '2026-03-01T06:09:59.999Z' }, 'timestamp'),
      bad({ state_id: 0 }, reserved('state_id')),
      ...under(bare, bad({ to: {} }, 'to.state_type'), bad({ to: { state_type: null } }, 'to.state_type')),
    ],
  },
];
