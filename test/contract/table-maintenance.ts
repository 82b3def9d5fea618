import { expect } from 'vitest';
import { advancePurge } from '../../src/domain/purges.js';
import type { TestApp } from '../harness.js';
import { base85 } from '../rest/calls.js';
import { bad, badQuery, type Example, type Row, refused } from './row.js';
import { now, record, records, type Scene } from './scene.js';

const operations = [
  'purge.service.all',
  'purge.service.started',
  'purge.service.started.anonymous',
  'purge.service.completed',
  'purge.service.completed.anonymous',
];

const count = expect.any(Number);

/** A purge that is answered as it begins, and goes on until it is done. */
function purging(given: { limit: string; operation: string }, matched: unknown = count): Example {
  const begun = { ...given, purge_id: count, dry_run: false, matched, created: now.toISOString() };
  return {
    body: given,
    answers: {
      status: 200,
      location: '/maintenance/purge/{new_id}',
      body: { ...begun, status: 'running', deleted: 0 },
    },
    settle: finishPurge,
  };
}

async function finishPurge({ gateway }: TestApp, id: number): Promise<void> {
  const [tenant] = await gateway.database.admin.prisma.tenant.findMany();
  const progress = await advancePurge(gateway.database.forTenant(`${tenant?.id}`), BigInt(id), now);
  expect(progress).toMatchObject({ isDone: true });
}

/**
 * Each takes away what the ones before it left in every scene, so that what it takes and what it leaves
 * does not depend on them.
 */
export const purges: readonly Row[] = [
  {
    operation: 'Purge',
    method: 'POST',
    path: '/maintenance/purge',
    only: base85,
    body: 'object',
    examples: {
      'takes nothing away that was not started before the limit': ({ shown }) => ({
        ...purging({ limit: '2026-03-01T06:00:00.000Z', operation: 'purge.service.all' }, 0),
        shows: (purge_id) => [
          [
            '/maintenance/purge/{new_id}',
            {
              ...{ purge_id, operation: 'purge.service.all', limit: '2026-03-01T06:00:00.000Z' },
              ...{ dry_run: false, status: 'done', matched: 0, deleted: 0 },
              ...{ created: now.toISOString(), finished: now.toISOString() },
            },
          ],
          ['/customers/{customer_id}/services', [shown.service, shown.ended]],
          ['/services/anonymous/{contact_key}', [shown.caller, shown.hungUp]],
        ],
      }),
      'only counts where it is a dry run': ({ shown }) => {
        const given = { limit: now.toISOString(), operation: 'purge.service.completed', dry_run: true };
        const done = { ...given, purge_id: count, status: 'done', matched: count, deleted: 0 };
        const body = { ...done, created: now.toISOString(), finished: now.toISOString() };
        return {
          body: { ...given, limit: '2026-03-01T12:00:00+02:00' },
          answers: { status: 200, location: '/maintenance/purge/{new_id}', body },
          shows: () => [
            ['/maintenance/purge/{new_id}', body],
            ['/customers/{customer_id}/services', [shown.service, shown.ended]],
          ],
        };
      },
      'takes away what is completed and anonymous': ({ shown }) => ({
        ...purging({ limit: now.toISOString(), operation: 'purge.service.completed.anonymous' }),
        shows: () => [
          ['/services/{hung_up_id}', undefined],
          ['/services/anonymous/{contact_key}', [shown.caller]],
          ['/customers/{customer_id}/services', [shown.service, shown.ended]],
        ],
      }),
      'takes away what is active and anonymous': ({ shown }) => ({
        ...purging({ limit: now.toISOString(), operation: 'purge.service.started.anonymous' }),
        shows: () => [
          ['/services/{caller_id}', undefined],
          ['/services/anonymous/{contact_key}/active', []],
          ['/customers/{customer_id}/services', [shown.service, shown.ended]],
        ],
      }),
      'takes away what is completed': ({ shown }) => ({
        ...purging({ limit: now.toISOString(), operation: 'purge.service.completed' }),
        shows: () => [
          ['/services/{ended_id}', undefined],
          ['/services/anonymous/{contact_key}/completed', []],
          ['/customers/{customer_id}/services', [shown.service]],
        ],
      }),
      'takes away what is active': () => ({
        ...purging({ limit: '2026-03-01T06:00:00.001Z', operation: 'purge.service.started' }),
        shows: () => [
          ['/services/{service_id}', undefined],
          ['/customers/{customer_id}/services/active', []],
        ],
      }),
    },
    refusals: [
      bad({ limit: '2026-03-01T10:00:00.001Z' }, 'limit'),
      bad({ limit: undefined }, 'limit'),
      bad({ limit: 'yesterday', operation: 'all' }, 'limit', { path: 'operation', allowed: operations }),
      bad({ limit: 5 }, 'limit'),
      bad({ operation: undefined }, 'operation'),
      bad({ operation: 'Purge.service.all' }, { path: 'operation', allowed: operations }),
      bad({ dry_run: 'true' }, 'dry_run'),
      bad({ dryRun: true }, { path: 'dryRun', allowed: ['limit', 'operation', 'dry_run'] }),
    ],
  },
];

const ids = ({ values }: Scene, ...names: string[]): number[] =>
  names.map((name) => Number(values[name])).sort((one, other) => one - other);

/** A service that has no more than the lists of what is in it. */
const inFull = (service: object) => ({
  ...service,
  ...{ active_states: [], completed_states: [], active_tasks: [], completed_tasks: [] },
});

const byId = (services: readonly object[]): object[] =>
  services.toSorted((one, other) => Reflect.get(one, 'service_id') - Reflect.get(other, 'service_id'));

/** The scene's active services with all that there is of them. */
function activeInFull({ shown }: Scene): object[] {
  const active_tasks = [{ ...shown.task, Memo: record, Items: records }];
  const service = {
    ...shown.service,
    Feedback: record,
    Satisfaction: records,
    active_states: [{ ...shown.state, Note: record, Steps: records, active_tasks, completed_tasks: [] }],
    completed_states: [{ ...shown.endedState, active_tasks: [], completed_tasks: [] }],
    active_tasks,
    completed_tasks: [shown.endedTask],
  };
  return byId([service, inFull(shown.caller)]);
}

const endedInFull = ({ shown }: Scene) => byId([inFull(shown.ended), inFull(shown.hungUp)]);

const lines = 'application/x-ndjson';
const sinceFive = '?time_from=2026-03-01T05:00:00Z';

export const exports: readonly Row[] = [
  {
    operation: 'Export stream',
    method: 'GET',
    path: '/maintenance/services/stream',
    only: base85,
    scene: 'states and tasks',
    examples: {
      'answers the ids of what was started or completed since': (the) => ({
        query: `${sinceFive}&unknown=x`,
        answers: {
          status: 200,
          type: 'application/json; charset=utf-8',
          body: ids(the, 'service_id', 'ended_id', 'caller_id', 'hung_up_id'),
        },
      }),
      'answers those of a range of time': (the) => ({
        query: '?time_from=2026-03-01T09:00:30%2B02:00&time_to=2026-03-01T08:00:00.001Z&filter_events=any',
        answers: {
          status: 200,
          type: 'application/json; charset=utf-8',
          body: ids(the, 'ended_id', 'caller_id'),
        },
      }),
      'answers those that were started then': (the) => ({
        query: '?time_from=2026-03-01T07:00:30Z&filter_events=started&export_content=false',
        answers: {
          status: 200,
          type: 'application/json; charset=utf-8',
          body: ids(the, 'caller_id', 'hung_up_id'),
        },
      }),
      'answers those that were completed then, line by line': (the) => ({
        query: `${sinceFive}&filter_events=completed`,
        headers: { accept: lines },
        answers: { status: 200, type: lines, lines: ids(the, 'ended_id', 'hung_up_id') },
      }),
      'answers an empty list where there are none': () => ({
        query: `${sinceFive}&time_to=2026-03-01T05:59:59Z&export_content=true&filter_state=any`,
        answers: { status: 200, type: 'application/json; charset=utf-8', body: [] },
      }),
      'answers all of the active ones': (the) => ({
        query: `${sinceFive}&export_content=true&filter_state=active`,
        answers: { status: 200, type: 'application/json; charset=utf-8', body: activeInFull(the) },
      }),
      'answers all of those that have ended': (the) => ({
        query: `${sinceFive}&export_content=true&filter_state=inactive`,
        answers: { status: 200, type: 'application/json; charset=utf-8', body: endedInFull(the) },
      }),
      'answers all of all, line by line': (the) => ({
        query: `${sinceFive}&export_content=true`,
        headers: { accept: lines },
        answers: { status: 200, type: lines, lines: byId([...activeInFull(the), ...endedInFull(the)]) },
      }),
    },
    refusals: [
      badQuery('', 'time_from'),
      badQuery('?time_from=yesterday&time_to=2026-02-29T00:00:00Z', 'time_from', 'time_to'),
      badQuery(`${sinceFive}&filter_events=ended`, {
        path: 'filter_events',
        allowed: ['any', 'started', 'completed'],
      }),
      badQuery(`${sinceFive}&export_content=yes`, { path: 'export_content', allowed: ['true', 'false'] }),
      badQuery(`${sinceFive}&export_content=true&filter_state=completed`, {
        path: 'filter_state',
        allowed: ['any', 'active', 'inactive'],
      }),
      badQuery(`${sinceFive}&filter_state=active`, 'filter_state'),
      badQuery(`${sinceFive}&export_content=false&filter_state=any`, 'filter_state'),
      {
        ...refused('a call that changes things', 405, { method: 'POST', body: {} }),
        allow: ['GET', 'HEAD'],
      },
    ],
  },
];
