import { base85 } from '../rest/calls.js';
import { expiryRefusals, inSeconds } from './lifetimes.js';
import { bad, type Example, type Row, refused } from './row.js';
import { record, records } from './scene.js';

const exception = 'com.genesyslab.gsg.services.contextservices.exceptions.NotFoundException';

const onlyExpiry = (path: string) => ({ path, allowed: ['ttl', 'expiration_time'] });

const forEver: Example['lasts'] = { expiresAt: null, autoCompleteAfter: null };

/** How long a service is kept, and what takes it away (8.5). */
export const keeping: readonly Row[] = [
  {
    operation: 'Delete Service',
    method: 'DELETE',
    path: '/services/{service_id}',
    only: base85,
    scene: 'states and tasks',
    absent: {
      status: 400,
      like: {
        code: 'NO_SERVICE_TO_DELETE',
        detail: 'There are no service found for : 9223372036854775807',
        exception,
      },
    },
    examples: {
      'takes away the service with all that is in it': ({ shown }) => ({
        answers: { status: 200 },
        shows: () => [
          ['/services/{service_id}', undefined],
          ['/services/{service_id}/states', undefined],
          ['/services/{service_id}/states/0', undefined],
          ['/services/{service_id}/tasks/1', undefined],
          ['/customers/{customer_id}/services', [shown.ended]],
          ['/services/anonymous/{contact_key}', [shown.caller, shown.hungUp]],
        ],
      }),
      'takes away one that has ended, at its version': ({ shown }) => ({
        values: { service_id: '{ended_id}' },
        headers: { 'if-match': '"2"' },
        answers: { status: 200 },
        shows: () => [
          ['/services/{ended_id}', undefined],
          ['/customers/{customer_id}/services', [shown.service]],
        ],
      }),
      'takes away an anonymous one': ({ shown }) => ({
        values: { service_id: '{caller_id}' },
        answers: { status: 200 },
        shows: () => [['/services/anonymous/{contact_key}', [shown.hungUp]]],
      }),
    },
    refusals: [
      refused('a service id of 0', 400, { values: { service_id: '0' } }, 'service_id'),
      refused('a version of one that has ended', 412, {
        values: { service_id: '{ended_id}' },
        headers: { 'if-match': '"1"' },
      }),
    ],
  },
  {
    operation: 'Update Expiration',
    method: 'PUT',
    path: '/services/{service_id}',
    only: base85,
    body: 'object',
    examples: {
      'keeps the service for so many seconds from now': ({ version, shown }) => ({
        body: { ttl: 1 },
        answers: { status: 200, etag: version + 1 },
        lasts: { expiresAt: inSeconds(1), autoCompleteAfter: null },
        shows: () => [
          [
            '/services/{service_id}?extensions=*',
            { ...shown.service, Feedback: record, Satisfaction: records },
          ],
        ],
      }),
      'keeps it until a time': ({ version }) => ({
        body: { expiration_time: '2026-03-01T12:00:00.001+02:00' },
        answers: { status: 200, etag: version + 1 },
        lasts: { expiresAt: '2026-03-01T10:00:00.001Z', autoCompleteAfter: null },
      }),
      'goes by the seconds where both are given': ({ version }) => ({
        body: { expiration_time: '2027-01-01T00:00:00Z', ttl: 3_153_600_000 },
        answers: { status: 200, etag: version + 1 },
        lasts: { expiresAt: inSeconds(3_153_600_000), autoCompleteAfter: null },
      }),
      'goes by the seconds also where the time has passed': ({ version }) => ({
        body: { expiration_time: '2001-01-01T00:00:00Z', ttl: 60 },
        answers: { status: 200, etag: version + 1 },
        lasts: { expiresAt: inSeconds(60), autoCompleteAfter: null },
      }),
      'keeps it for ever, and ignores the id of the path': ({ version, values }) => ({
        body: { ttl: null, service_id: Number(values['service_id']) },
        answers: { status: 200, etag: version + 1 },
        lasts: forEver,
      }),
      'takes one that has ended': ({ shown }) => ({
        values: { service_id: '{ended_id}' },
        body: { expiration_time: null },
        answers: { status: 200, etag: 3 },
        lasts: forEver,
        shows: () => [['/services/{ended_id}', shown.ended]],
      }),
    },
    refusals: [
      ...expiryRefusals,
      bad({ ttl: undefined }, 'ttl'),
      bad({ ttl: undefined, expiration_time: '2026-03-01T09:59:59.999Z' }, 'expiration_time'),
      bad({ expiration_time: 1_800_000_000 }, 'expiration_time'),
      bad({ service_id: 1_000_000 }, 'service_id'),
      bad({ auto_complete_after: 60 }, onlyExpiry('auto_complete_after')),
      bad({ est_duration: 1, Feedback: record }, onlyExpiry('est_duration'), onlyExpiry('Feedback')),
    ],
  },
];
