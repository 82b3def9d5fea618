import { serviceId } from '../domain/rules.js';
import { findService, parseOrThrow, serviceDuration } from '../domain/services.js';
import type { Service as ServiceRow } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';

type ServiceEvent = Pick<
  ServiceRow,
  | 'sessionId'
  | 'interactionId'
  | 'applicationType'
  | 'applicationId'
  | 'resourceType'
  | 'resourceId'
  | 'mediaType'
> & { timestamp: Date };

const ServiceEvent = builder.objectRef<ServiceEvent>('ServiceEvent').implement({
  description: 'The start or the end of a service: when, and who reported it from where.',
  fields: (t) => ({
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'When it happened.' }),
    sessionId: t.exposeString('sessionId', { nullable: true, description: described.sessionId }),
    interactionId: t.exposeString('interactionId', { nullable: true, description: described.interactionId }),
    applicationType: t.expose('applicationType', {
      type: 'TypeCode',
      nullable: true,
      description: described.applicationType,
    }),
    applicationId: t.expose('applicationId', {
      type: 'Long',
      nullable: true,
      description: described.applicationId,
    }),
    resourceType: t.expose('resourceType', {
      type: 'TypeCode',
      nullable: true,
      description: described.resourceType,
    }),
    resourceId: t.expose('resourceId', { type: 'Long', nullable: true, description: described.resourceId }),
    mediaType: t.expose('mediaType', { type: 'TypeCode', nullable: true, description: described.mediaType }),
  }),
});

export const ServiceStatus = builder.enumType('ServiceStatus', {
  description: 'Whether a service is still being worked on.',
  values: {
    ACTIVE: { description: 'Started and not completed.' },
    COMPLETED: { description: 'Completed; it can still be updated and associated.' },
  } as const,
});

export const Service = builder.prismaObject('Service', {
  description:
    'One commitment to a customer, like a claim, an order or a call-back. It may last minutes or months.',
  fields: (t) => ({
    id: t.id({
      description: 'The 64-bit number that the gateway assigned, the same as in REST.',
      resolve: ({ id }) => String(id),
    }),
    version: t.exposeInt('version', {
      description:
        '1 at the start, one more with every acknowledged change; what `expectedVersion` is compared with.',
    }),
    status: t.field({
      type: ServiceStatus,
      description: 'Whether the service is still being worked on.',
      resolve: ({ completedAt }) => (completedAt ? 'COMPLETED' : 'ACTIVE'),
    }),
    customerId: t.exposeID('customerId', {
      nullable: true,
      description: 'The customer that the service is associated with; null while it is anonymous.',
    }),
    contactKey: t.exposeString('contactKey', { nullable: true, description: described.contactKey }),
    businessUnit: t.exposeString('businessUnit', {
      nullable: true,
      description: 'The business unit that the service belongs to.',
    }),
    serviceType: t.expose('serviceType', {
      type: 'TypeCode',
      nullable: true,
      description: described.serviceType,
    }),
    estDuration: t.expose('estDuration', {
      type: 'Long',
      nullable: true,
      description: described.estDuration,
    }),
    duration: t.field({
      type: 'Long',
      nullable: true,
      description: 'From the start to the end, in milliseconds; null while the service is active.',
      resolve: serviceDuration,
    }),
    disposition: t.expose('disposition', {
      type: 'TypeCode',
      nullable: true,
      description: described.disposition,
    }),
    dispositionDesc: t.exposeString('dispositionDesc', {
      nullable: true,
      description: described.dispositionDesc,
    }),
    started: t.field({
      type: ServiceEvent,
      description: 'The start; later updates of its fields show here.',
      resolve: (service) => ({ ...service, timestamp: service.startedAt }),
    }),
    completed: t.field({
      type: ServiceEvent,
      nullable: true,
      description: 'The end; null while the service is active.',
      resolve: (service) => service.completedAt && endOf(service, service.completedAt),
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the gateway took the newest change, by its own clock.',
    }),
  }),
});

function endOf(service: ServiceRow, completedAt: Date): ServiceEvent {
  return {
    timestamp: completedAt,
    sessionId: service.endSessionId,
    interactionId: service.endInteractionId,
    applicationType: service.endApplicationType,
    applicationId: service.endApplicationId,
    resourceType: service.endResourceType,
    resourceId: service.endResourceId,
    mediaType: service.endMediaType,
  };
}

builder.queryField('service', (t) =>
  t.prismaField({
    type: Service,
    nullable: true,
    description: 'One service; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The id of the service.' }) },
    resolve: (query, _, { id }, { db }) => findService(db, parseOrThrow(serviceId, 'id', id), query),
  }),
);
