import DataLoader from 'dataloader';
import type { RequestContext } from '../context.js';
import type { Db } from '../db/database.js';
import { type ChangeEvent, encodeCursor, eventCursor, type Topic } from '../domain/events.js';
import { Faults, nullable, serviceId } from '../domain/rules.js';
import { customerId } from '../domain/service-fields.js';
import { findServices } from '../domain/services.js';
import type { Service as ServiceRow } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { afterArg, Event } from './events.js';
import { Service } from './services.js';

const Change = builder.objectRef<ChangeEvent>('Change').implement({
  description: 'What has changed, told to those who follow it.',
  fields: (t) => ({
    cursor: t.string({
      description: 'The place of the event, for `after`: who goes on there misses none and gets none twice.',
      resolve: encodeCursor,
    }),
    event: t.field({ type: Event, description: 'What happened.', resolve: (event) => event }),
    service: t.field({
      type: Service,
      nullable: true,
      description:
        'The service as it was at most a second before this is told, and never before the event; null once it is deleted.',
      resolve: (event, _, { db }) => serviceOf(event, db),
    }),
  }),
});

/** What was read for the first who is told of an event serves all who are handed it within this time. */
const sharedMilliseconds = 1_000;
const readings = new Map<ChangeEvent, Promise<ServiceRow | null>>();

function serviceOf(event: ChangeEvent, db: Db): Promise<ServiceRow | null> {
  const known = readings.get(event);
  if (known) return known;
  const reading = loaderOf(db).load(event.serviceId);
  readings.set(event, reading);
  const forget = () => readings.delete(event);
  setTimeout(forget, sharedMilliseconds).unref();
  // The next one tries again.
  reading.catch(forget);
  return reading;
}

const gatherMilliseconds = 5;

/** Services that are asked for at about the same moment are read at once: of a tenant they share the registry. */
const loaders = new WeakMap<Db['registry'], DataLoader<bigint, ServiceRow | null>>();

function loaderOf(db: Db): DataLoader<bigint, ServiceRow | null> {
  const known = loaders.get(db.registry);
  if (known) return known;
  const loader = new DataLoader<bigint, ServiceRow | null>(
    async (ids) => {
      const found = new Map((await findServices(db, ids)).map((service) => [service.id, service]));
      return ids.map((id) => found.get(id) ?? null);
    },
    {
      // What is read now is out of date with the next event.
      cache: false,
      maxBatchSize: 1_000,
      // Each of those who are told has the credentials looked at anew before, one some milliseconds after the other.
      batchScheduleFn: (read) => setTimeout(read, gatherMilliseconds),
    },
  );
  loaders.set(db.registry, loader);
  return loader;
}

/**
 * @param faults of what the topic is made of
 * @throws Invalid, listing every fault; Gone, Overloaded, Unavailable
 */
function follow(
  { db, changes }: RequestContext,
  topic: Topic,
  given: string | null | undefined,
  faults: Faults,
): Promise<AsyncIterable<ChangeEvent>> {
  const after = faults.check(nullable(eventCursor), ['after'], given) ?? null;
  faults.throwIfAny();
  return changes.follow(db, { topic, after });
}

builder.subscriptionFields((t) => ({
  service: t.field({
    type: Change,
    description: 'Every change of one service, its deletion too. There may be none of that id yet.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of the service.' }),
      after: t.arg.string({ description: `${afterArg} Without one those come that happen from now on.` }),
    },
    subscribe: (_, { id: given, after }, context) => {
      const faults = new Faults();
      const id = faults.check(serviceId, ['id'], given);
      return follow(context, `service:${id}`, after, faults);
    },
    resolve: (event) => event,
  }),
  customerServices: t.field({
    type: Change,
    description:
      'Every change of the services of a customer: of those that are associated with it, and when one comes or leaves.',
    args: {
      customerId: t.arg.id({ required: true, description: 'The customer’s id: 1 to 64 characters.' }),
      after: t.arg.string({ description: `${afterArg} Without one those come that happen from now on.` }),
    },
    subscribe: (_, { customerId: given, after }, context) => {
      const faults = new Faults();
      const id = faults.check(customerId, ['customerId'], given);
      return follow(context, `customer:${id}`, after, faults);
    },
    resolve: (event) => event,
  }),
}));
