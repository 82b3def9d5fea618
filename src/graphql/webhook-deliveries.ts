import { Faults, serviceId } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import {
  deadCursor,
  discardDeliveries,
  encodeDeadCursor,
  type Handled,
  listDead,
  readChoice,
  replayDeliveries,
  type WebhookDelivery,
} from '../domain/webhook-deliveries.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { readPage, toConnection } from './connections.js';
import { EventType } from './event-types.js';

const DeadDelivery = builder.objectRef<WebhookDelivery>('DeadDelivery').implement({
  description: 'A change that a webhook could not be told of. It is kept for 30 days.',
  fields: (t) => ({
    serviceId: t.id({
      description: 'The service that changed.',
      resolve: ({ serviceId: id }) => String(id),
    }),
    version: t.exposeInt('version', { description: 'The version that the service had then.' }),
    type: t.expose('type', { type: EventType, description: 'What happened.' }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it happened.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    lastFailure: t.exposeString('lastFailure', {
      nullable: true,
      description: 'Why the last attempt failed.',
    }),
    diedAt: t.field({
      type: 'DateTime',
      description: 'When the last attempt failed.',
      // The list is of those that have died.
      resolve: ({ diedAt }) => diedAt as Date,
    }),
  }),
});

const DeadDeliveryEdge = builder.edgeObject({
  type: DeadDelivery,
  name: 'DeadDeliveryEdge',
  description: 'A dead delivery with its place in the list.',
});

const DeadDeliveryConnection = builder.connectionObject(
  {
    type: DeadDelivery,
    name: 'DeadDeliveryConnection',
    description: 'A page of dead deliveries: the one that died first comes first.',
  },
  DeadDeliveryEdge,
);

builder.queryField('deadDeliveries', (t) =>
  t.connection(
    {
      type: DeadDelivery,
      description: 'What a webhook could not be told of.',
      args: { webhookId: t.arg.id({ required: true, description: 'The webhook.' }) },
      resolve: async (_, { webhookId, ...args }, { db }) => {
        const faults = new Faults();
        const { size, ...place } = readPage(args, deadCursor, faults);
        faults.throwIfAny();
        const id = parseOrThrow(serviceId, 'webhookId', webhookId);
        const deliveries = await listDead(db, id, { limit: size + 1, ...place });
        return toConnection(deliveries, { size, ...place }, encodeDeadCursor);
      },
    },
    DeadDeliveryConnection,
  ),
);

function choiceInput(name: string, description: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({
      webhookId: t.id({ required: true, description: 'The webhook.' }),
      serviceId: t.id({ description: 'Only the one of this service; together with `version`.' }),
      version: t.int({ description: 'Only the one of this version of the service.' }),
    }),
  });
}

function handledPayload(name: string, description: string, count: string) {
  return builder.objectRef<Handled>(name).implement({
    description,
    fields: (t) => ({
      count: t.exposeInt('count', { description: count }),
      remaining: t.expose('remaining', {
        type: 'Long',
        description: 'How many are dead still: one call is of at most 10000.',
      }),
    }),
  });
}

const ReplayDeliveriesInput = choiceInput('ReplayDeliveriesInput', 'Dead deliveries that are tried again.');
const DiscardDeliveriesInput = choiceInput('DiscardDeliveriesInput', 'Dead deliveries that nobody needs.');
const ReplayDeliveriesPayload = handledPayload(
  'ReplayDeliveriesPayload',
  'They are tried again, as often as new ones.',
  'How many are tried again.',
);
const DiscardDeliveriesPayload = handledPayload(
  'DiscardDeliveriesPayload',
  'They are no more.',
  'How many were discarded.',
);

builder.mutationFields((t) => ({
  replayDeliveries: t.field({
    type: ReplayDeliveriesPayload,
    description: 'Lets dead deliveries of a webhook be tried again, one or all, the oldest first.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'How many are tried again, or why none is.' },
    },
    args: { input: t.arg({ type: ReplayDeliveriesInput, required: true, description: 'Which ones.' }) },
    resolve: async (_, { input }, { db, origin, courier }) => {
      const handled = await replayDeliveries(db, origin, readChoice({ ...input }));
      courier.wakeForNew();
      return handled;
    },
  }),
  discardDeliveries: t.field({
    type: DiscardDeliveriesPayload,
    description: 'Removes dead deliveries of a webhook, one or all.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'How many were removed, or why none was.' },
    },
    args: { input: t.arg({ type: DiscardDeliveriesInput, required: true, description: 'Which ones.' }) },
    resolve: (_, { input }, { db }) => discardDeliveries(db, readChoice({ ...input })),
  }),
}));
