import {
  cancelPurge,
  findPurge,
  listPurges,
  type Purge as PurgeRow,
  type StartedPurge,
  startPurge,
} from '../domain/purges.js';
import { serviceId } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';
import { retryInputs } from './service-inputs.js';

const PurgeOperation = builder.enumType('PurgeOperation', {
  description: 'What a purge is of. Whatever it is, only services that were started before a given time.',
  values: {
    ALL: { description: 'All services.' },
    STARTED: { description: 'Services that are active.' },
    STARTED_ANONYMOUS: { description: 'Services that are active and have no customer.' },
    COMPLETED: { description: 'Services that are completed.' },
    COMPLETED_ANONYMOUS: { description: 'Services that are completed and have no customer.' },
  } as const,
});

const PurgeStatus = builder.enumType('PurgeStatus', {
  description: 'How far a purge is.',
  values: {
    RUNNING: { description: 'Services are being deleted, batch by batch.' },
    DONE: { description: 'There is nothing more to delete.' },
    CANCELLED: { description: 'It was ended; what was deleted by then stays so.' },
  } as const,
});

const purgeOf = 'What it is of.';
const startedTo = 'Only services that were started before then.';

const Purge = builder.objectRef<PurgeRow>('Purge').implement({
  description: 'Services that are deleted for good, in batches that go on after a crash.',
  fields: (t) => ({
    id: t.id({ description: 'The purge’s id.', resolve: ({ id }) => String(id) }),
    operation: t.expose('operation', { type: PurgeOperation, description: purgeOf }),
    startedTo: t.expose('startedTo', { type: 'DateTime', description: startedTo }),
    dryRun: t.exposeBoolean('isDryRun', { description: 'Whether it only counts.' }),
    status: t.expose('status', { type: PurgeStatus, description: 'How far it is.' }),
    matched: t.expose('matched', {
      type: 'Long',
      description: 'How many services there were to delete when it began.',
    }),
    deleted: t.expose('deleted', { type: 'Long', description: 'How many services it has deleted by now.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was done or cancelled; null while it is running.',
    }),
  }),
});

const PurgeServicesInput = builder.inputType('PurgeServicesInput', {
  description: 'Which services are to be deleted.',
  fields: (t) => ({
    operation: t.field({ type: PurgeOperation, required: true, description: purgeOf }),
    startedTo: t.field({
      type: 'DateTime',
      required: true,
      description: `${startedTo} Not in the future.`,
    }),
    dryRun: t.boolean({ defaultValue: false, description: 'Only counts, and deletes nothing.' }),
    ...retryInputs(t),
  }),
});

const CancelPurgeInput = builder.inputType('CancelPurgeInput', {
  description: 'A purge that is to end.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The purge.' }) }),
});

const PurgeServicesPayload = builder.objectRef<StartedPurge>('PurgeServicesPayload').implement({
  description: 'The purge has begun.',
  fields: (t) => ({
    purge: t.expose('purge', {
      type: Purge,
      description: 'The purge. Ask for it again to see how far it is.',
    }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

const CancelPurgePayload = builder.objectRef<{ purge: PurgeRow }>('CancelPurgePayload').implement({
  description: 'The purge deletes nothing more.',
  fields: (t) => ({ purge: t.expose('purge', { type: Purge, description: 'The purge as it ended.' }) }),
});

builder.queryFields((t) => ({
  purge: t.field({
    type: Purge,
    nullable: true,
    description: 'One purge; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The purge’s id.' }) },
    resolve: (_, { id }, { db }) => findPurge(db, parseOrThrow(serviceId, 'id', id)),
  }),
  purges: t.field({
    type: [Purge],
    description: 'The 20 newest purges, the newest first.',
    resolve: (_, _args, { db }) => listPurges(db),
  }),
}));

builder.mutationFields((t) => ({
  purgeServices: t.field({
    type: PurgeServicesPayload,
    description:
      'Begins to delete services with all that hangs on them, those alone that there are by now. Their events stay.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The purge, or why there is none.' },
    },
    args: {
      input: t.arg({ type: PurgeServicesInput, required: true, description: 'What is to be deleted.' }),
    },
    resolve: async (_, { input: fields }, { db, origin, sweeper }) => {
      const started = await startPurge(db, origin, { fields, faults: [] });
      sweeper.wake();
      return started;
    },
  }),
  cancelPurge: t.field({
    type: CancelPurgePayload,
    description: 'Ends a purge behind the batch that it is at. A Conflict when it is not running.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The purge, or why it is not cancelled.' },
    },
    args: { input: t.arg({ type: CancelPurgeInput, required: true, description: 'The purge.' }) },
    resolve: async (_, { input }, { db, origin }) => ({
      purge: await cancelPurge(db, origin, parseOrThrow(serviceId, 'id', input.id)),
    }),
  }),
}));
