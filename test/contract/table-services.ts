import { expect } from 'vitest';
import { bare } from '../rest/calls.js';
import {
  dispositionRefusals,
  eventRefusals,
  extensionRefusals,
  mappableOf,
  reserved,
} from './common-refusals.js';
import * as lifetimes from './lifetimes.js';
import { bad, type Example, type Row, refused, under } from './row.js';
import { alone, end, event, now, record, records } from './scene.js';

const started: Example['answers'] = {
  status: 201,
  location: '/services/{new_id}',
  etag: 1,
  body: { service_id: expect.any(Number) },
};

export const services: readonly Row[] = [
  {
    operation: 'Start Service',
    method: 'POST',
    path: '/services/start',
    body: 'object',
    mappable: { service_type: 'Service.type', ...mappableOf('Service') },
    examples: {
      'answers the id of a service that has what was given': ({ values: { customer_id, contact_key } }) => {
        const given = { customer_id, contact_key, service_type: 'claim', est_duration: 0 };
        return {
          body: {
            ...given,
            ...event,
            timestamp: '2009-05-12T12:05:12.1-02:00',
            Feedback: record,
            Satisfaction: records,
          },
          answers: started,
          shows: (service_id) => [
            [
              '/services/{new_id}?extensions=*',
              {
                service_id,
                ...given,
                started: { ...event, timestamp: '2009-05-12T14:05:12.100Z' },
                Feedback: record,
                Satisfaction: records,
              },
            ],
          ],
        };
      },
      'needs a contact key alone, and takes the time from the clock': () => ({
        body: { contact_key: 'k', service_type: '100' },
        answers: started,
        shows: (service_id) => [
          [
            '/services/{new_id}',
            { service_id, contact_key: 'k', service_type: '100', started: { timestamp: now.toISOString() } },
          ],
        ],
      }),
    },
    in85: {
      'needs no type and takes attached data': () => ({
        body: { customer_id: 'c', Unheard: [1, { a: null }], 'a b': 'text' },
        answers: started,
        lasts: lifetimes.usual,
        shows: (service_id) => [
          [
            '/services/{new_id}?extensions=*',
            {
              service_id,
              customer_id: 'c',
              started: { timestamp: now.toISOString() },
              Unheard: [1, { a: null }],
              'a b': 'text',
            },
          ],
        ],
      }),
      ...lifetimes.inStarts,
    },
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('services'),
      ...lifetimes.refusals,
      bad({ customer_id: undefined, contact_key: undefined }, 'customer_id'),
      bad({ customer_id: 'c'.repeat(65) }, 'customer_id'),
      bad({ customer_id: '' }, 'customer_id'),
      bad({ contact_key: 'k'.repeat(129) }, 'contact_key'),
      bad({ service_type: 's'.repeat(65) }, 'service_type'),
      bad({ service_type: true }, 'service_type'),
      bad({ est_duration: -1 }, 'est_duration'),
      bad({ est_duration: '60' }, 'est_duration'),
      bad({ service_id: 1 }, reserved('service_id')),
      bad({ State_ID: 1 }, reserved('State_ID')),
      ...under(
        bare,
        bad({ service_type: undefined }, 'service_type'),
        bad({ service_type: null }, 'service_type'),
      ),
    ],
  },
  {
    operation: 'Associate Service',
    method: 'POST',
    path: '/customers/{customer_id}/services/{service_id}',
    body: 'optional object',
    mappable: {
      service_type: 'Service.type',
      ...mappableOf('Service'),
      disposition: 'Service.disposition',
    },
    examples: {
      'moves the service to the customer, with fields and extensions': ({ version, shown }) => ({
        values: { customer_id: 'next' },
        body: {
          timestamp: '2026-03-01T09:00:00Z',
          session_id: 'session-2',
          resource_id: null,
          est_duration: 90,
          disposition: 'moved',
          Feedback: { FeedbackType: 'call' },
          Satisfaction: null,
        },
        answers: { status: 200, etag: version + 1 },
        shows: () => {
          const { resource_id: _, ...kept } = event;
          const moved = {
            ...shown.service,
            customer_id: 'next',
            est_duration: 90,
            disposition: 'moved',
            started: { ...kept, session_id: 'session-2', timestamp: '2026-03-01T06:00:00.000Z' },
          };
          return [
            ['/services/{service_id}?extensions=*', { ...moved, Feedback: { FeedbackType: 'call' } }],
            ['/customers/{customer_id}/services/active', []],
            ['/customers/{customer_id}/services/completed', [shown.ended]],
          ];
        },
      }),
      'takes an anonymous service out of the anonymous ones': ({ values, shown }) => ({
        values: { service_id: '{caller_id}' },
        body: { customer_id: values['customer_id'], service_id: Number(values['caller_id']) },
        answers: { status: 200, etag: 2 },
        shows: () => {
          const known = { ...shown.caller, customer_id: values['customer_id'] };
          return [
            ['/services/anonymous/{contact_key}', [shown.hungUp]],
            ['/services/anonymous/{contact_key}/active', []],
            ['/customers/{customer_id}/services', [shown.service, shown.ended, known]],
          ];
        },
      }),
      'takes one that has ended, and an empty body of any type': ({ shown }) => ({
        values: { customer_id: 'next', service_id: '{ended_id}' },
        headers: { 'content-type': 'text/plain' },
        rawBody: '',
        answers: { status: 200, etag: 3 },
        shows: () => [['/services/{ended_id}', { ...shown.ended, customer_id: 'next' }]],
      }),
      'answers the service where that is preferred': ({ version, shown }) => ({
        query: '?extensions=Feedback',
        headers: { prefer: 'return=representation' },
        body: { disposition_desc: 'same customer', FEEDBACK: { feedbacktype: 'call' } },
        answers: {
          status: 200,
          etag: version + 1,
          body: { ...shown.service, disposition_desc: 'same customer', Feedback: { FeedbackType: 'call' } },
        },
      }),
    },
    in85: lifetimes.inAssociations,
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('services'),
      ...dispositionRefusals,
      ...lifetimes.refusals,
      bad({ customer_id: 'another' }, 'customer_id'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ contact_key: 'k'.repeat(129) }, 'contact_key'),
      bad({ service_type: [] }, 'service_type'),
      bad({ est_duration: 0.5 }, 'est_duration'),
      bad({ task_id: 0 }, reserved('task_id')),
      bad({ session_id: 1, Feedback: {} }, 'session_id', 'Feedback.FeedbackType'),
      ...under(bare, bad({ service_type: null }, 'service_type')),
    ],
  },
  {
    operation: 'Complete Service',
    method: 'POST',
    path: '/services/{service_id}/end',
    body: 'optional object',
    scene: 'states and tasks',
    mappable: { ...mappableOf('Service'), disposition: 'Service.disposition' },
    examples: {
      'ends the service, and what is active in it': (the) => ({
        body: { ...end, timestamp: '2026-03-01T07:00:00.250Z', Feedback: null },
        answers: { status: 200, etag: the.version + 1 },
        shows: () => {
          const { state, task, service } = the.shown;
          const { disposition, disposition_desc } = end;
          const completed = { timestamp: '2026-03-01T07:00:00.250Z' };
          const ended = {
            ...service,
            duration: 3_600_250,
            disposition,
            disposition_desc,
            completed: { ...end, ...completed },
          };
          return [
            ['/services/{service_id}?extensions=*', { ...ended, Satisfaction: records }],
            ['/customers/{customer_id}/services/active', []],
            ['/services/{service_id}?active_states=true', { ...ended, active_states: [] }],
            ['/services/{service_id}/states/0', { ...alone(the, state), duration: 3_000_250, completed }],
            ['/services/{service_id}/tasks/0', { ...alone(the, task), duration: 2_940_250, completed }],
            ['/services/{service_id}/tasks/active', []],
          ];
        },
      }),
      'needs no body': ({ version, shown }) => ({
        answers: { status: 200, etag: version + 1 },
        shows: () => [
          [
            '/services/{service_id}',
            {
              ...shown.service,
              duration: 4 * 60 * 60 * 1000,
              completed: { timestamp: now.toISOString() },
            },
          ],
        ],
      }),
    },
    in85: lifetimes.inEnds,
    refusals: [
      ...eventRefusals,
      ...extensionRefusals('services'),
      ...dispositionRefusals,
      ...lifetimes.refusalsOfEnds,
      refused('a service that has ended', 409, { values: { service_id: '{ended_id}' } }),
      bad({ timestamp: '2026-03-01T05:59:59.999Z' }, 'timestamp'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ state_id: 0 }, reserved('state_id')),
    ],
  },
];
