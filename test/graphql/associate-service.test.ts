import { expect, test } from 'vitest';
import {
  AssociateServiceDocument,
  CompleteServiceDocument,
  CustomerDocument,
  ServiceDocument,
} from '../generated/graphql.js';
import { createTestApp } from '../harness.js';
import { defineFeedbackAndSatisfaction, startService } from './makers.js';

const feedback = { FeedbackType: 'survey', rating: 7, notes: 'warm welcome at the front desk' };
const satisfaction = [
  { rating: 2, pertinence: 8, useful: true, place: 'Lisbon' },
  { rating: 9, pertinence: 5, useful: false, place: 'Porto' },
];

test('a service moves to the customer with its fields and extensions, and history records it', async () => {
  const now = new Date('2026-03-01T10:00:00.000Z');
  await using app = await createTestApp({ now: () => now });
  await defineFeedbackAndSatisfaction(app);
  const serviceId = await startService(app, { customerId: 'anna', sessionId: 'S1', serviceType: 'claim' });

  const { data } = await app.graphql(AssociateServiceDocument, {
    input: {
      serviceId,
      customerId: 'bert',
      timestamp: '2026-03-01T11:30:00.5+02:00',
      reason: 'wrong number',
      actor: 'agent 7',
      interactionId: '123ABC',
      mediaType: 1,
      resourceType: '2',
      resourceId: 9007199254740991,
      disposition: 10,
      estDuration: 600,
      extensions: [
        { schemaName: 'FEEDBACK', value: feedback },
        { schemaName: 'Satisfaction', value: satisfaction },
      ],
    },
  });

  expect(data?.associateService).toMatchObject({
    __typename: 'AssociateServicePayload',
    service: {
      id: serviceId,
      version: 2,
      status: 'ACTIVE',
      customerId: 'bert',
      serviceType: 'claim',
      estDuration: 600,
      disposition: 10,
      duration: null,
      started: {
        timestamp: '2026-03-01T10:00:00.000Z',
        sessionId: 'S1',
        interactionId: '123ABC',
        mediaType: 1,
        resourceType: '2',
        resourceId: 9007199254740991,
      },
      completed: null,
    },
    association: {
      version: 2,
      kind: 'ASSOCIATE',
      fromCustomerId: 'anna',
      toCustomerId: 'bert',
      reason: 'wrong number',
      actor: 'agent 7',
      principal: null,
      front: 'GRAPHQL',
      occurredAt: '2026-03-01T09:30:00.500Z',
      recordedAt: '2026-03-01T10:00:00.000Z',
    },
  });
  const found = await app.graphql(ServiceDocument, { id: serviceId });
  expect(found.data?.service?.extensions).toEqual([
    { schemaName: 'Feedback', value: feedback, schema: { name: 'Feedback', type: 'SINGLE_VALUED' } },
    {
      schemaName: 'Satisfaction',
      value: satisfaction,
      schema: { name: 'Satisfaction', type: 'MULTI_VALUED' },
    },
  ]);
  expect(found.data?.service?.associations.nodes.map(({ kind }) => kind)).toEqual(['START', 'ASSOCIATE']);
});

test('at once the service is in the new owner’s list and in no other', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna' });
  const stays = await startService(app, { customerId: 'anna' });

  await app.graphql(AssociateServiceDocument, { input: { serviceId, customerId: 'bert' } });

  const idsOf = async (id: string) =>
    (await app.graphql(CustomerDocument, { id })).data?.customer.services.nodes.map((service) => service.id);
  expect(await idsOf('anna')).toEqual([stays]);
  expect(await idsOf('bert')).toEqual([serviceId]);
});

test('the same customer again applies the rest and makes no history entry', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna' });

  const { data } = await app.graphql(AssociateServiceDocument, {
    input: { serviceId, customerId: 'anna', disposition: 'sold' },
  });

  expect(data?.associateService).toMatchObject({
    service: { version: 2, disposition: 'sold' },
    association: null,
  });
  expect(await app.sql('select count(*)::int as entries from association')).toEqual([{ entries: 1 }]);
});

test('a completed service can be moved', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { contactKey: '+33145678900' });
  await app.graphql(CompleteServiceDocument, { input: { serviceId } });

  const { data } = await app.graphql(AssociateServiceDocument, { input: { serviceId, customerId: 'anna' } });

  expect(data?.associateService).toMatchObject({
    service: { status: 'COMPLETED', customerId: 'anna', contactKey: '+33145678900', version: 3 },
    association: { fromCustomerId: null, toCustomerId: 'anna' },
  });
});

test('absent is unchanged, null clears, and a null value removes the extension', async () => {
  await using app = await createTestApp();
  await defineFeedbackAndSatisfaction(app);
  const serviceId = await startService(app, {
    customerId: 'anna',
    contactKey: 'key',
    disposition: 5,
    dispositionDesc: 'kept',
    extensions: [
      { schemaName: 'Feedback', value: feedback },
      { schemaName: 'Satisfaction', value: satisfaction },
    ],
  });

  const { data } = await app.graphql(AssociateServiceDocument, {
    input: {
      serviceId,
      customerId: 'bert',
      contactKey: null,
      disposition: null,
      timestamp: null,
      reason: null,
      expectedVersion: null,
      extensions: [{ schemaName: 'feedback', value: null }],
    },
  });

  expect(data?.associateService).toMatchObject({
    service: { contactKey: null, disposition: null, dispositionDesc: 'kept' },
  });
  const found = await app.graphql(ServiceDocument, { id: serviceId });
  expect(found.data?.service?.extensions).toMatchObject([
    { schemaName: 'Satisfaction', value: satisfaction },
  ]);
});

test('null for the list of extensions leaves them alone', async () => {
  await using app = await createTestApp();
  await defineFeedbackAndSatisfaction(app);
  const extensions = [{ schemaName: 'Feedback', value: feedback }];
  const serviceId = await startService(app, { customerId: 'anna', extensions });

  await app.graphql(AssociateServiceDocument, { input: { serviceId, customerId: 'bert', extensions: null } });

  const found = await app.graphql(ServiceDocument, { id: serviceId });
  expect(found.data?.service?.extensions).toMatchObject([{ schemaName: 'Feedback', value: feedback }]);
});

test('a stale expectedVersion answers Conflict and changes nothing', async () => {
  await using app = await createTestApp();
  const serviceId = await startService(app, { customerId: 'anna' });
  await app.graphql(AssociateServiceDocument, {
    input: { serviceId, customerId: 'bert', expectedVersion: 1 },
  });
  const before = await app.hash();

  const { data } = await app.graphql(AssociateServiceDocument, {
    input: { serviceId, customerId: 'carl', expectedVersion: 1 },
  });

  expect(data?.associateService).toEqual({
    __typename: 'Conflict',
    code: 'STALE_VERSION',
    message: `Service ${serviceId} has version 2, not 1.`,
  });
  expect(await app.hash()).toBe(before);
});

test('an unknown service answers NotFound and changes nothing', async () => {
  await using app = await createTestApp();
  const before = await app.hash();

  const { data } = await app.graphql(AssociateServiceDocument, {
    input: { serviceId: '9223372036854775807', customerId: 'anna' },
  });

  expect(data?.associateService).toEqual({
    __typename: 'NotFound',
    code: 'NOT_FOUND',
    message: 'There is no service 9223372036854775807.',
  });
  expect(await app.hash()).toBe(before);
});
