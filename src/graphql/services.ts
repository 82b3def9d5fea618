import { durationOf, statusOf } from '../domain/parts.js';
import { serviceId } from '../domain/rules.js';
import { findService, parseOrThrow } from '../domain/services.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';
import { code, endOf, ServiceEvent, startOf } from './service-events.js';

export const Status = builder.enumType('Status', {
  description: 'Whether a service, a state or a task is still being worked on.',
  values: {
    ACTIVE: { description: 'Started and not completed.' },
    COMPLETED: {
      description: 'Completed. A service can still be updated and associated, and extensions written.',
    },
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
      type: Status,
      description: 'Whether the service is still being worked on.',
      resolve: statusOf,
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
    serviceType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.serviceType,
      resolve: ({ serviceType }, _, context) => code('Service.type', serviceType, context),
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
      resolve: durationOf,
    }),
    disposition: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.disposition,
      resolve: ({ disposition }, _, context) => code('Service.disposition', disposition, context),
    }),
    dispositionDesc: t.exposeString('dispositionDesc', {
      nullable: true,
      description: described.dispositionDesc,
    }),
    started: t.field({
      type: ServiceEvent,
      description: 'The start; later updates of its fields show here.',
      resolve: (service) => startOf('Service', service),
    }),
    completed: t.field({
      type: ServiceEvent,
      nullable: true,
      description: 'The end; null while the service is active.',
      resolve: (service) => endOf('Service', service),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the service is deleted with all that hangs on it; null for never.',
    }),
    autoCompleteAfter: t.expose('autoCompleteAfter', {
      type: 'Long',
      nullable: true,
      description: described.autoCompleteAfter,
    }),
    autoCompleteAt: t.expose('autoCompleteAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the service is completed unless something of it changes before; null for never.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the gateway took the newest change, by its own clock.',
    }),
  }),
});

builder.queryField('service', (t) =>
  t.prismaField({
    type: Service,
    nullable: true,
    description: 'One service; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The id of the service.' }) },
    resolve: (query, _, { id }, { db }) => findService(db, parseOrThrow(serviceId, 'id', id), query),
  }),
);
