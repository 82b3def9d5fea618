import { expect } from 'vitest';
import { base85 } from '../rest/calls.js';
import { mappableOf } from './common-refusals.js';
import { compositeRefusals, type Part } from './composite-refusals.js';
import { inSeconds } from './lifetimes.js';
import type { Row } from './row.js';
import { event, now, record, records } from './scene.js';

const timestamp = now.toISOString();
const any = expect.any(Number);

/** What is said of an entry of which all that it asks for was started, or found. */
const all = (service_id: unknown, isCreated: boolean) => ({
  service_id,
  service_created: isCreated,
  ...{ state_id: 0, state_created: isCreated },
  ...{ task_id: 0, task_created: isCreated },
});

/** Under the names that they have in the first entry. */
function mappableIn(part: Part, name: 'Service' | 'State' | 'Task'): Readonly<Record<string, string>> {
  const fields = { ...mappableOf(name), [`${part}_type`]: `${name}.type` };
  return Object.fromEntries(
    Object.entries(fields).map(([field, key]) => [`services[0].${part}.${field}`, key]),
  );
}

export const compositeStarts: readonly Row[] = [
  {
    operation: 'Composite Start',
    method: 'POST',
    path: '/services_composite/start',
    only: base85,
    body: 'object',
    scene: 'states and tasks',
    mappable: {
      ...mappableIn('service', 'Service'),
      ...mappableIn('state', 'State'),
      ...mappableIn('task', 'Task'),
    },
    examples: {
      'finds what is active, and leaves it as it is': ({ values, shown }) => {
        const id = Number(values['service_id']);
        const { customer_id, contact_key } = values;
        return {
          body: {
            services: [
              {
                service: { customer_id, contact_key, service_type: 100, est_duration: 1, Feedback: null },
                state: { state_type: 1, session_id: 'another' },
                task: { task_type: 'verify' },
                associate_state_task: true,
              },
            ],
          },
          answers: { status: 200, location: '/services/{new_id}/tasks/0', body: [all(id, false)] },
          shows: () => [
            [
              '/services/{new_id}?active_states=true&active_tasks=true&extensions=Feedback',
              {
                ...shown.service,
                active_states: [{ ...shown.state, active_tasks: [shown.task] }],
                active_tasks: [shown.task],
                Feedback: record,
              },
            ],
          ],
        };
      },
      'starts what there is not, with what was given': ({ values: { customer_id } }) => {
        const service = { customer_id, service_type: 'new', est_duration: 60 };
        const state = { state_type: 2, est_duration: 30 };
        const task = { task_type: 'call', est_duration: 10 };
        return {
          body: {
            services: [
              {
                service: { ...service, ...event, ttl: 60, Feedback: record, Satisfaction: records },
                state: { ...state, ...event, Note: record },
                task: { ...task, ...event, Items: records },
                associate_state_task: true,
                create_new_services: false,
              },
            ],
          },
          answers: { status: 200, location: '/services/{new_id}/tasks/0', body: [all(any, true)] },
          lasts: { expiresAt: inSeconds(60), autoCompleteAfter: null },
          shows: (service_id) => {
            const started = { ...event, timestamp };
            const active_tasks = [{ task_id: 0, state_id: 0, ...task, started, Items: records }];
            const created = { service_id, ...service, started, Feedback: record, Satisfaction: records };
            return [
              [
                '/services/{new_id}?extensions=*,State.*,Task.*&active_states=true&active_tasks=true',
                {
                  ...created,
                  active_states: [{ state_id: 0, ...state, started, Note: record, active_tasks }],
                  active_tasks,
                },
              ],
            ];
          },
        };
      },
      'starts in a service that is found what has ended in it': ({ values, shown }) => {
        const id = Number(values['service_id']);
        const { customer_id, contact_key } = values;
        return {
          body: {
            services: [
              {
                service: { customer_id, contact_key, service_type: 100 },
                state: { state_type: '8' },
                task: { task_type: 5 },
              },
            ],
          },
          answers: {
            status: 200,
            location: '/services/{new_id}/tasks/2',
            body: [{ ...all(id, false), state_id: 2, state_created: true, task_id: 2, task_created: true }],
          },
          shows: () => [
            [
              '/services/{service_id}?active_states=true&active_tasks=true',
              {
                ...shown.service,
                active_states: [
                  { ...shown.state, active_tasks: [shown.task] },
                  { state_id: 2, state_type: '8', started: { timestamp }, active_tasks: [] },
                ],
                active_tasks: [shown.task, { task_id: 2, task_type: 5, started: { timestamp } }],
              },
            ],
          ],
        };
      },
      'needs no task and no types, and goes on from entry to entry': ({ values: { contact_key } }) => ({
        body: {
          services: [
            { service: { contact_key }, state: {} },
            { service: { contact_key }, state: {}, task: {} },
          ],
        },
        answers: {
          status: 200,
          location: '/services/{new_id}/states/0',
          body: [
            { service_id: any, service_created: true, state_id: 0, state_created: true },
            { ...all(any, false), task_created: true },
          ],
        },
        shows: (service_id) => [
          [
            '/services/{new_id}?active_states=true&active_tasks=true',
            {
              service_id,
              contact_key,
              started: { timestamp },
              active_states: [{ state_id: 0, started: { timestamp }, active_tasks: [] }],
              active_tasks: [{ task_id: 0, started: { timestamp } }],
            },
          ],
        ],
      }),
      'starts a new service where that is asked for, and finds the newest of several': ({ values }) => {
        const service = { contact_key: values['contact_key'], service_type: 'claim' };
        const newer = { ...service, timestamp: '2026-03-01T09:00:00Z' };
        const older = { ...service, timestamp: '2026-03-01T08:59:59Z' };
        const state = { state_type: 1 };
        return {
          body: {
            services: [
              { service: newer, state, create_new_services: true },
              { service: older, state, create_new_services: true },
              { service, state: { state_type: 2 } },
            ],
          },
          answers: {
            status: 200,
            location: '/services/{new_id}/states/0',
            body: [
              { service_id: any, service_created: true, state_id: 0, state_created: true },
              { service_id: any, service_created: true, state_id: 0, state_created: true },
              { service_id: any, service_created: false, state_id: 1, state_created: true },
            ],
          },
          shows: (service_id) => [
            [
              '/services/{new_id}/states',
              [
                { service_id, state_id: 0, state_type: 1, started: { timestamp } },
                { service_id, state_id: 1, state_type: 2, started: { timestamp } },
              ],
            ],
          ],
        };
      },
    },
    refusals: compositeRefusals,
  },
];
