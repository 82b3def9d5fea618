import { type ChangeEvent, encodeCursor, eventCursor, listEvents } from '../domain/events.js';
import { Faults } from '../domain/rules.js';
import { builder } from './builder.js';
import { readPage, toConnection } from './connections.js';
import { EventType } from './event-types.js';

export const Event = builder.objectRef<ChangeEvent>('Event').implement({
  description: 'One change of a service or of a part of it. It says what changed, not what it has become.',
  fields: (t) => ({
    type: t.expose('type', { type: EventType, description: 'What happened.' }),
    serviceId: t.id({
      description: 'The service that changed, or that a part of changed.',
      resolve: ({ serviceId }) => String(serviceId),
    }),
    version: t.exposeInt('version', { description: 'The version that the service got by it.' }),
    customerId: t.exposeID('customerId', {
      nullable: true,
      description: 'The customer of the service since then; null while it is anonymous.',
    }),
    previousCustomerId: t.exposeID('previousCustomerId', {
      nullable: true,
      description: 'The customer of the service before; the same one unless it was moved.',
    }),
    stateId: t.exposeInt('stateId', {
      nullable: true,
      description: 'The number of the state that changed; of a transition that of the new one.',
    }),
    taskId: t.exposeInt('taskId', { nullable: true, description: 'The number of the task that changed.' }),
    time: t.expose('recordedAt', {
      type: 'DateTime',
      description: 'When the gateway took the change, by its own clock.',
    }),
  }),
});

const EventEdge = builder.edgeObject({
  type: Event,
  name: 'EventEdge',
  description: 'An event with its place in the feed.',
});

const EventConnection = builder.connectionObject(
  { type: Event, name: 'EventConnection', description: 'A page of events, the oldest first.' },
  EventEdge,
);

export const afterArg = 'Only events behind this cursor, which came with an event by whichever way.';

builder.queryField('events', (t) =>
  t.field({
    type: EventConnection,
    description:
      'All events in the order of their transactions: none ever appears behind one that was answered before. GONE for a cursor that is older than what is kept.',
    args: {
      first: t.arg.int({ description: 'How many from the front: 1 to 500. 20 when it is not given.' }),
      after: t.arg.string({ description: `${afterArg} Without one the oldest that are kept come first.` }),
    },
    resolve: async (_, args, { db }) => {
      const faults = new Faults();
      const page = readPage(args, eventCursor, faults);
      faults.throwIfAny();
      const { size, after = null } = page;
      return toConnection(await listEvents(db, { after, first: size + 1 }), page, encodeCursor);
    },
  }),
);
