import { expect, test } from 'vitest';
import {
  AnonymousServicesDocument,
  CompleteServiceDocument,
  CustomerDocument,
  ServiceDocument,
  StartServiceDocument,
  UpdateServiceDocument,
} from '../generated/graphql.js';
import { createTestApp } from '../harness.js';
import { startService } from './makers.js';

test('a service starts anonymously under a contact key', async () => {
  const now = new Date('2026-03-01T10:00:00.123Z');
  await using app = await createTestApp({ now: () => now });

  const { data } = await app.graphql(StartServiceDocument, {
    input: { contactKey: '+33145678900', serviceType: 100, mediaType: 'voice', applicationId: -1 },
  });

  expect(data?.startService).toMatchObject({
    __typename: 'StartServicePayload',
    service: {
      version: 1,
      status: 'ACTIVE',
      customerId: null,
      contactKey: '+33145678900',
      businessUnit: null,
      serviceType: 100,
      started: { timestamp: '2026-03-01T10:00:00.123Z', mediaType: 'voice', applicationId: -1 },
      updatedAt: '2026-03-01T10:00:00.123Z',
    },
    association: { kind: 'START', fromCustomerId: null, toCustomerId: null },
  });
});

test('a start without customer and contact key answers Invalid and changes nothing', async () => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { data } = await app.graphql(StartServiceDocument, { input: { customerId: null } });

  expect(data?.startService).toMatchObject({
    __typename: 'Invalid',
    code: 'INVALID',
    faults: [{ path: 'customerId', message: 'is required where there is no contact key', allowed: null }],
  });
  expect(await app.hash()).toBe(before);
});

test('an update changes what is given and moves nothing', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna', sessionId: 'S1', dispositionDesc: 'kept' });

  const { data } = await app.graphql(UpdateServiceDocument, {
    input: { serviceId, sessionId: null, interactionId: 'I1', expectedVersion: 1 },
  });

  expect(data?.updateService).toMatchObject({
    __typename: 'UpdateServicePayload',
    service: {
      version: 2,
      customerId: 'anna',
      dispositionDesc: 'kept',
      started: { sessionId: null, interactionId: 'I1' },
    },
  });
  expect(await app.sql('select count(*)::int as entries from association')).toEqual([{ entries: 1 }]);
});

test('an update of a stale version, or of no service, changes nothing', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna' });
  const before = await app.hash();

  const stale = await app.graphql(UpdateServiceDocument, { input: { serviceId, expectedVersion: 2 } });
  const unknown = await app.graphql(UpdateServiceDocument, { input: { serviceId: '4711' } });

  expect(stale.data?.updateService).toMatchObject({ __typename: 'Conflict', code: 'STALE_VERSION' });
  expect(unknown.data?.updateService).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND' });
  expect(await app.hash()).toBe(before);
});

test('a service completes once', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna', timestamp: '2026-03-01T10:00:00Z' });

  const first = await app.graphql(CompleteServiceDocument, {
    input: { serviceId, timestamp: '2026-03-01T10:01:00.250Z', disposition: 'sold', mediaType: 1001 },
  });
  const before = await app.hash();
  const second = await app.graphql(CompleteServiceDocument, { input: { serviceId } });

  expect(first.data?.completeService).toMatchObject({
    __typename: 'CompleteServicePayload',
    service: {
      status: 'COMPLETED',
      duration: 60_250,
      disposition: 'sold',
      started: { timestamp: '2026-03-01T10:00:00.000Z', mediaType: null },
      completed: { timestamp: '2026-03-01T10:01:00.250Z', mediaType: 1001 },
    },
  });
  expect(second.data?.completeService).toMatchObject({ __typename: 'Conflict' });
  expect(await app.hash()).toBe(before);
});

test('an end before the start answers Invalid and changes nothing', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna', timestamp: '2026-03-01T10:00:00Z' });
  const before = await app.hash();

  const { data } = await app.graphql(CompleteServiceDocument, {
    input: { serviceId, timestamp: '2026-03-01T09:59:59.999Z' },
  });

  expect(data?.completeService).toMatchObject({ __typename: 'Invalid', faults: [{ path: 'timestamp' }] });
  expect(await app.hash()).toBe(before);
});

test('a service that is not there is null', async () => {
  await using app = await createTestApp();

  const { data, errors } = await app.graphql(ServiceDocument, { id: '1' });

  expect(data).toEqual({ service: null });
  expect(errors).toBeUndefined();
});

test.each([
  '',
  '0',
  '-1',
  '1.5',
  '01x',
  '9223372036854775808',
  '1\u0000',
])('a malformed service id %j is an error with its fault', async (id) => {
  await using app = await createTestApp();

  const { data, errors } = await app.graphql(ServiceDocument, { id });

  expect(data).toEqual({ service: null });
  expect(errors).toMatchObject([
    {
      path: ['service'],
      extensions: {
        code: 'INVALID',
        faults: [{ path: 'id', message: 'must be an integer from 1 to 9223372036854775807' }],
      },
    },
  ]);
});

test('ids are exact beyond 2^53', async () => {
  await using app = await createTestApp();
  await app.sql("select setval('service_id_seq', 9007199254740992)");
  const id = await startService(app, { customerId: 'anna' });

  const { data } = await app.graphql(ServiceDocument, { id });

  expect(id).toBe('9007199254740993');
  expect(data?.service?.id).toBe('9007199254740993');
});

test('any well-formed id is a customer', async () => {
  await using app = await createTestApp();

  const known = await app.graphql(CustomerDocument, { id: 'nobody' });
  const malformed = await app.graphql(CustomerDocument, { id: 'x'.repeat(65) });

  expect(known.data?.customer).toMatchObject({ id: 'nobody', services: { nodes: [] } });
  expect(malformed.errors).toMatchObject([{ extensions: { code: 'INVALID', faults: [{ path: 'id' }] } }]);
});

test('services of a contact key are listed while they are anonymous', async () => {
  await using app = await createTestApp();
  const active = await startService(app, { contactKey: 'key' });
  const completed = await startService(app, { contactKey: 'key' });
  await app.graphql(CompleteServiceDocument, { input: { serviceId: completed } });
  await startService(app, { contactKey: 'key', customerId: 'anna' });
  await startService(app, { contactKey: 'another key' });

  const all = await app.graphql(AnonymousServicesDocument, { contactKey: 'key' });
  const open = await app.graphql(AnonymousServicesDocument, { contactKey: 'key', status: 'ACTIVE' });

  expect(all.data?.anonymousServices.nodes).toEqual([{ id: active }, { id: completed }]);
  expect(open.data?.anonymousServices.nodes).toEqual([{ id: active }]);
});
