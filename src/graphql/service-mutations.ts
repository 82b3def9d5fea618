import { type Deletion, deleteService } from '../domain/deletions.js';
import type { WrittenService } from '../domain/service-writes.js';
import { completeService, setServiceExpiry, startService, updateService } from '../domain/services.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { Association } from './associations.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';
import {
  actInputs,
  dispositionInputs,
  eventInputs,
  expiryInputs,
  historyInputs,
  retryInputs,
  serviceIdInput,
  serviceInputs,
  startInputs,
  timeInputs,
  toServiceInput,
  versionInputs,
} from './service-inputs.js';
import { Service } from './services.js';

const StartServiceInput = builder.inputType('StartServiceInput', {
  description: 'A new service. One of `customerId` and `contactKey` is required.',
  fields: (t) => ({
    customerId: t.id({ description: 'The customer; absent while it is not known. 1 to 64 characters.' }),
    businessUnit: t.string({
      description: 'The business unit that serves; the GroupId header when absent. 1 to 64 characters.',
    }),
    ...startInputs(t),
    ...historyInputs(t),
    ...serviceInputs(t),
  }),
});

const UpdateServiceInput = builder.inputType('UpdateServiceInput', {
  description: 'What to change of a service: an absent field stays as it is, `null` clears it.',
  fields: (t) => ({ ...actInputs(t), ...serviceInputs(t) }),
});

const CompleteServiceInput = builder.inputType('CompleteServiceInput', {
  description: 'The end of a service.',
  fields: (t) => ({
    ...actInputs(t),
    ...timeInputs(t),
    ...eventInputs(t),
    ...dispositionInputs(t),
    ...expiryInputs(t),
  }),
});

const SetServiceExpiryInput = builder.inputType('SetServiceExpiryInput', {
  description: 'When a service is to be deleted. One of `ttl` and `expirationTime` is required.',
  fields: (t) => ({
    serviceId: serviceIdInput(t),
    ...expiryInputs(t),
    ...versionInputs(t),
    ...retryInputs(t),
  }),
});

const DeleteServiceInput = builder.inputType('DeleteServiceInput', {
  description: 'Which service to delete.',
  fields: (t) => ({ serviceId: serviceIdInput(t), ...versionInputs(t), ...retryInputs(t) }),
});

const StartServicePayload = builder.objectRef<WrittenService>('StartServicePayload').implement({
  description: 'The service was started.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The new service.' }),
    association: t.expose('association', {
      type: Association,
      nullable: true,
      description: 'The first entry in the history of its owners.',
    }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

const UpdateServicePayload = builder.objectRef<WrittenService>('UpdateServicePayload').implement({
  description: 'The service was updated.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

const CompleteServicePayload = builder.objectRef<WrittenService>('CompleteServicePayload').implement({
  description: 'The service was completed.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

const SetServiceExpiryPayload = builder.objectRef<WrittenService>('SetServiceExpiryPayload').implement({
  description: 'The expiry was set.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

const DeleteServicePayload = builder.objectRef<Deletion>('DeleteServicePayload').implement({
  description: 'The service was deleted.',
  fields: (t) => ({
    serviceId: t.exposeID('serviceId', { description: 'The service that is gone.' }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

builder.mutationField('startService', (t) =>
  t.field({
    type: StartServicePayload,
    description: 'Starts a service, with a customer or anonymous under a contact key.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The new service, or why there is none.' },
    },
    args: { input: t.arg({ type: StartServiceInput, required: true, description: 'The new service.' }) },
    resolve: (_, { input }, { db, origin, businessUnit }) =>
      startService(
        db,
        origin,
        toServiceInput({ ...input, businessUnit: input.businessUnit ?? businessUnit }),
      ),
  }),
);

builder.mutationField('updateService', (t) =>
  t.field({
    type: UpdateServicePayload,
    description: 'Updates fields and extensions of a service, active or completed, in one atomic act.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The updated service, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: UpdateServiceInput, required: true, description: 'What to change.' }) },
    resolve: (_, { input }, { db, origin }) => updateService(db, origin, toServiceInput(input)),
  }),
);

builder.mutationField('completeService', (t) =>
  t.field({
    type: CompleteServicePayload,
    description:
      'Completes a service, once, and its open states and tasks with it. `timestamp` is the end, not before the start.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The completed service, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: CompleteServiceInput, required: true, description: 'The end.' }) },
    resolve: (_, { input }, { db, origin }) => completeService(db, origin, toServiceInput(input)),
  }),
);

builder.mutationField('setServiceExpiry', (t) =>
  t.field({
    type: SetServiceExpiryPayload,
    description: 'Says anew when a service, active or completed, is to be deleted.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The service, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: SetServiceExpiryInput, required: true, description: 'The expiry.' }) },
    resolve: (_, { input }, { db, origin }) => setServiceExpiry(db, origin, toServiceInput(input)),
  }),
);

builder.mutationField('deleteService', (t) =>
  t.field({
    type: DeleteServicePayload,
    description: 'Deletes a service with its states, tasks, extensions and history, for good.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'That it is gone, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: DeleteServiceInput, required: true, description: 'The service.' }) },
    resolve: (_, { input }, { db, origin }) => deleteService(db, origin, toServiceInput(input)),
  }),
);
