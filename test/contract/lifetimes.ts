import { expect } from 'vitest';
import { bare, base85 } from '../rest/calls.js';
import { reserved } from './common-refusals.js';
import { bad, type Example, type Examples, type Refusal, under } from './row.js';
import { now } from './scene.js';

/** So many seconds from the server's clock. */
export function inSeconds(count: number): string {
  return new Date(now.getTime() + count * 1_000).toISOString();
}

/** What a service has of which nothing is said. */
export const usual: NonNullable<Example['lasts']> = {
  expiresAt: inSeconds(5 * 365 * 24 * 60 * 60),
  autoCompleteAfter: null,
};

/** What 8.5 has in the events of a service, beside what both have. */
export const inStarts: Examples = {
  'takes how long the service is kept, and after what time it completes by itself': () => ({
    body: { customer_id: 'c', timestamp: '2026-02-28T00:00:00Z', ttl: 3600, auto_complete_after: 1 },
    answers: { status: 201, location: '/services/{new_id}', body: { service_id: expect.any(Number) } },
    lasts: { expiresAt: inSeconds(3600), autoCompleteAfter: 1 },
    shows: (service_id) => [
      [
        '/services/{new_id}?extensions=*',
        { service_id, customer_id: 'c', started: { timestamp: '2026-02-28T00:00:00.000Z' } },
      ],
    ],
  }),
  'takes a time until which it is kept': () => ({
    body: { customer_id: 'c', expiration_time: '2026-03-01T12:00:00.001+02:00' },
    answers: { status: 201, location: '/services/{new_id}', body: { service_id: expect.any(Number) } },
    lasts: { expiresAt: '2026-03-01T10:00:00.001Z', autoCompleteAfter: null },
  }),
  'keeps it for ever': () => ({
    body: { customer_id: 'c', ttl: null, auto_complete_after: null },
    answers: { status: 201, location: '/services/{new_id}', body: { service_id: expect.any(Number) } },
    lasts: { expiresAt: null, autoCompleteAfter: null },
  }),
};

export const inAssociations: Examples = {
  'takes how long the service is kept from now on': ({ version, shown }) => ({
    body: { ttl: 60, expiration_time: '2027-01-01T00:00:00Z', auto_complete_after: 3_153_600_000 },
    answers: { status: 200, etag: version + 1 },
    lasts: { expiresAt: inSeconds(60), autoCompleteAfter: 3_153_600_000 },
    shows: () => [['/services/{service_id}', shown.service]],
  }),
  'leaves what it does not say of that': ({ version }) => ({
    body: { est_duration: 1 },
    answers: { status: 200, etag: version + 1 },
    lasts: usual,
  }),
};

export const inEnds: Examples = {
  'takes a time until which the service is kept': ({ version }) => ({
    body: { expiration_time: '2027-01-01T00:00:00Z' },
    answers: { status: 200, etag: version + 1 },
    lasts: { expiresAt: '2027-01-01T00:00:00.000Z', autoCompleteAfter: null },
  }),
};

/** How long a service is kept, wherever 8.5 says it. */
export const expiryRefusals: readonly Refusal[] = under(
  base85,
  bad({ ttl: 0 }, 'ttl'),
  bad({ ttl: 3_153_600_001 }, 'ttl'),
  bad({ ttl: 0.5 }, 'ttl'),
  bad({ ttl: '60' }, 'ttl'),
  bad({ ttl: undefined, expiration_time: now.toISOString() }, 'expiration_time'),
  bad({ expiration_time: '2027-02-29T00:00:00Z' }, 'expiration_time'),
);

/** Neither is a field under the bare paths, nor may an extension have its name. */
const noLifetimes: readonly Refusal[] = under(
  bare,
  bad({ ttl: 60 }, reserved('ttl')),
  bad({ Expiration_Time: '2027-01-01T00:00:00Z' }, reserved('Expiration_Time')),
  bad({ auto_complete_after: null }, reserved('auto_complete_after')),
);

export const refusals: readonly Refusal[] = [
  ...expiryRefusals,
  ...under(
    base85,
    bad({ auto_complete_after: 0 }, 'auto_complete_after'),
    bad({ auto_complete_after: 3_153_600_001 }, 'auto_complete_after'),
    bad({ auto_complete_after: '60' }, 'auto_complete_after'),
  ),
  ...noLifetimes,
];

/** What has ended does not complete by itself. */
export const refusalsOfEnds: readonly Refusal[] = [
  ...expiryRefusals,
  ...under(base85, bad({ auto_complete_after: 60 }, reserved('auto_complete_after'))),
  ...noLifetimes,
];
