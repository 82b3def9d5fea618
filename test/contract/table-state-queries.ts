import { badQuery, type Refusal, type Row } from './row.js';
import { alone, record, records } from './scene.js';
import { flag, nextPage } from './table-service-queries.js';

const listRefusals: readonly Refusal[] = [
  badQuery('?started_from=yesterday&started_to=2009-02-29T00:00:00Z', 'started_from', 'started_to'),
  badQuery(`?state_types=${'s'.repeat(65)}`, 'state_types'),
  badQuery('?active_tasks=yes&completed_tasks=1', flag('active_tasks'), flag('completed_tasks')),
];

const queries: Omit<Row, 'path' | 'examples'> = {
  operation: 'Query States',
  method: 'GET',
  scene: 'states and tasks',
  refusals: listRefusals,
};

export const stateQueries: readonly Row[] = [
  {
    ...queries,
    path: '/services/{service_id}/states',
    examples: {
      'answers the states by their start': (the) => ({
        answers: { status: 200, body: [alone(the, the.shown.state), alone(the, the.shown.endedState)] },
      }),
      'answers their extensions and tasks': (the) => ({
        query: '?extensions=Note,Task.Memo&active_tasks=true&completed_tasks=true',
        answers: {
          status: 200,
          body: [
            {
              ...alone(the, the.shown.state),
              Note: record,
              active_tasks: [{ ...the.shown.task, Memo: record }],
              completed_tasks: [],
            },
            { ...alone(the, the.shown.endedState), active_tasks: [], completed_tasks: [] },
          ],
        },
      }),
      'finds a type that is a number under both its JSON types': (the) => ({
        query: '?state_types=8,2',
        answers: { status: 200, body: [alone(the, the.shown.endedState)] },
      }),
      'finds what starts in a time': (the) => ({
        query: '?started_from=2026-03-01T06:10:00Z&started_to=2026-03-01T06:20:00Z',
        answers: { status: 200, body: [alone(the, the.shown.state)] },
      }),
      'answers pages where a limit is given': (the) => ({
        query: '?limit=1',
        answers: { status: 200, body: [alone(the, the.shown.state)], link: nextPage },
      }),
      'answers an empty list where there is none': () => ({
        values: { service_id: '{caller_id}' },
        answers: { status: 200, body: [] },
      }),
    },
  },
  {
    ...queries,
    path: '/services/{service_id}/states/active',
    examples: {
      'answers those that are active': (the) => ({
        query: '?extensions=*',
        answers: { status: 200, body: [{ ...alone(the, the.shown.state), Note: record, Steps: records }] },
      }),
    },
  },
  {
    ...queries,
    path: '/services/{service_id}/states/completed',
    examples: {
      'answers those that have ended': (the) => ({
        query: '?extensions=*',
        answers: { status: 200, body: [alone(the, the.shown.endedState)] },
      }),
    },
  },
  {
    ...queries,
    operation: 'Query State by ID',
    path: '/services/{service_id}/states/{state_id}',
    examples: {
      'answers the state with what is asked for': (the) => ({
        query: '?extensions=Steps,Task.Items&active_tasks=true&completed_tasks=false',
        answers: {
          status: 200,
          etag: the.version,
          body: {
            ...alone(the, the.shown.state),
            Steps: records,
            active_tasks: [{ ...the.shown.task, Items: records }],
          },
        },
      }),
      'answers one that has ended': (the) => ({
        values: { state_id: '1' },
        answers: { status: 200, etag: the.version, body: alone(the, the.shown.endedState) },
      }),
    },
    refusals: [badQuery('?active_tasks=TRUE', flag('active_tasks'))],
  },
];
