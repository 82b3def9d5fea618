import { badQuery, type Examples, type Refusal, type Row } from './row.js';
import { record, records } from './scene.js';

export const flag = (path: string) => ({ path, allowed: ['true', 'false'] });

/** Where the list goes on. */
export const nextPage = /^<[^>]*[?&]after=[^>]*>; rel="next"$/;

const listRefusals: readonly Refusal[] = [
  badQuery('?started_from=yesterday&started_to=2009-02-29T00:00:00Z', 'started_from', 'started_to'),
  badQuery(`?service_types=${'s'.repeat(65)}`, 'service_types'),
  badQuery('?active_states=yes&completed_tasks=1', flag('active_states'), flag('completed_tasks')),
];

const queries: Omit<Row, 'path' | 'examples'> = {
  operation: 'Query Services',
  method: 'GET',
  refusals: listRefusals,
};

const anonymousQueries: Omit<Row, 'path' | 'examples'> = {
  ...queries,
  operation: 'Query Anonymous Services',
};

const nothingFound: Examples = {
  'answers an empty list where nothing is found': () => ({
    values: { customer_id: 'nobody', contact_key: 'nobody' },
    answers: { status: 200, body: [] },
  }),
};

export const serviceQueries: readonly Row[] = [
  {
    operation: 'Query Service by ID',
    method: 'GET',
    path: '/services/{service_id}',
    scene: 'states and tasks',
    examples: {
      'answers the service with what is asked for': ({ version, shown }) => ({
        query: '?extensions=feedback,State.Note,Unheard&active_states=true&completed_states=true&unknown=x',
        answers: {
          status: 200,
          etag: version,
          body: {
            ...shown.service,
            Feedback: record,
            active_states: [{ ...shown.state, Note: record }],
            completed_states: [shown.endedState],
          },
        },
      }),
      'answers its tasks, and every extension': ({ version, shown }) => ({
        query: '?extensions=*,Task.Items&active_tasks=true&completed_tasks=true&active_states=false',
        answers: {
          status: 200,
          etag: version,
          body: {
            ...shown.service,
            Feedback: record,
            Satisfaction: records,
            active_tasks: [{ ...shown.task, Items: records }],
            completed_tasks: [shown.endedTask],
          },
        },
      }),
      'answers neither by default': ({ version, shown }) => ({
        answers: { status: 200, etag: version, body: shown.service },
      }),
    },
    in85: {
      'answers every extension of its states': ({ version, shown }) => ({
        query: '?extensions=State.*&active_states=true',
        answers: {
          status: 200,
          etag: version,
          body: { ...shown.service, active_states: [{ ...shown.state, Note: record, Steps: records }] },
        },
      }),
    },
    refusals: [
      badQuery(
        '?active_states=TRUE&completed_states=0&active_tasks=&completed_tasks=no',
        flag('active_states'),
        flag('completed_states'),
        flag('active_tasks'),
        flag('completed_tasks'),
      ),
    ],
  },
  {
    ...queries,
    path: '/customers/{customer_id}/services',
    examples: {
      "answers the customer's services by their start": ({ shown }) => ({
        query: '?extensions=Feedback',
        answers: { status: 200, body: [{ ...shown.service, Feedback: record }, shown.ended] },
      }),
      'finds a type that is a number under both its JSON types, from a time on': ({ shown }) => ({
        query:
          '?service_types=claim,100&started_from=2026-03-01T08:00:00%2B02:00&started_to=2026-03-01T07:00:00.501Z',
        answers: { status: 200, body: [shown.service, shown.ended] },
      }),
      'leaves out what starts at the end of the time': ({ shown }) => ({
        query: '?started_from=2026-03-01T06:00:00.000Z&started_to=2026-03-01T07:00:00.500Z',
        answers: { status: 200, body: [shown.service] },
      }),
      'answers pages where a limit is given': ({ shown }) => ({
        query: '?limit=1',
        answers: { status: 200, body: [shown.service], link: nextPage },
      }),
      ...nothingFound,
    },
    refusals: [...listRefusals, badQuery('?limit=0&after=!', 'limit', 'after')],
  },
  {
    ...queries,
    path: '/customers/{customer_id}/services/active',
    examples: {
      'answers those that are active': ({ shown }) => ({
        query: '?extensions=*&completed_states=true',
        answers: {
          status: 200,
          body: [{ ...shown.service, Feedback: record, Satisfaction: records, completed_states: [] }],
        },
      }),
      ...nothingFound,
    },
  },
  {
    ...queries,
    path: '/customers/{customer_id}/services/completed',
    examples: {
      'answers those that have ended': ({ shown }) => ({
        query: '?extensions=*&active_tasks=true',
        answers: { status: 200, body: [{ ...shown.ended, active_tasks: [] }] },
      }),
      ...nothingFound,
    },
  },
  {
    ...anonymousQueries,
    path: '/services/anonymous/{contact_key}',
    examples: {
      'answers the services of nobody known': ({ shown }) => ({
        query: '?service_types=claim',
        answers: { status: 200, body: [shown.caller, shown.hungUp] },
      }),
      'answers pages where a limit is given': ({ shown }) => ({
        query: '?limit=1',
        answers: { status: 200, body: [shown.caller], link: nextPage },
      }),
      ...nothingFound,
    },
  },
  {
    ...anonymousQueries,
    path: '/services/anonymous/{contact_key}/active',
    examples: {
      'answers those that are active': ({ shown }) => ({ answers: { status: 200, body: [shown.caller] } }),
      ...nothingFound,
    },
  },
  {
    ...anonymousQueries,
    path: '/services/anonymous/{contact_key}/completed',
    examples: {
      'answers those that have ended': ({ shown }) => ({ answers: { status: 200, body: [shown.hungUp] } }),
      ...nothingFound,
    },
  },
];
