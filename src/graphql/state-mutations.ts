import type { WrittenService } from '../domain/service-writes.js';
import { completeState, getState, startState, transitionState } from '../domain/states.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { namePart, nameStateOf } from './part-ids.js';
import { described } from './service-descriptions.js';
import {
  actInputs,
  dispositionInputs,
  eventInputs,
  startInputs,
  timeInputs,
  toServiceInput,
  versionInputs,
} from './service-inputs.js';
import { Service } from './services.js';
import { State } from './states.js';

const StartStateInput = builder.inputType('StartStateInput', {
  description: 'A new state of a service that is active. The extensions are the new state’s.',
  fields: (t) => ({
    ...actInputs(t),
    ...timeInputs(t),
    stateType: t.field({ type: 'TypeCode', description: described.stateType }),
    previousStateId: t.id({ description: 'The state that came before, one of the same service.' }),
    estDuration: t.field({ type: 'Long', description: described.estDuration }),
    ...eventInputs(t),
  }),
});

const CompleteStateInput = builder.inputType('CompleteStateInput', {
  description: 'The end of a state. The extensions are the state’s.',
  fields: (t) => ({
    stateId: t.id({ required: true, description: 'The state, like `1500:0`.' }),
    ...startInputs(t),
    ...versionInputs(t),
    ...timeInputs(t),
    ...eventInputs(t),
    ...dispositionInputs(t),
  }),
});

const TransitionFromInput = builder.inputType('TransitionFromInput', {
  description: 'The state that a transition ends.',
  fields: (t) => ({
    stateId: t.id({ required: true, description: 'The state, like `1500:0`.' }),
    ...dispositionInputs(t),
  }),
});

const TransitionToInput = builder.inputType('TransitionToInput', {
  description: 'The state that a transition starts.',
  fields: (t) => ({
    stateType: t.field({ type: 'TypeCode', description: described.stateType }),
    estDuration: t.field({ type: 'Long', description: described.estDuration }),
  }),
});

const TransitionStateInput = builder.inputType('TransitionStateInput', {
  description:
    'The end of one state and the start of the next. Time and event are those of both, the extensions are the new state’s.',
  fields: (t) => ({
    ...actInputs(t),
    ...timeInputs(t),
    from: t.field({
      type: TransitionFromInput,
      required: true,
      description: 'The state that ends, one of the service.',
    }),
    to: t.field({ type: TransitionToInput, required: true, description: 'The state that starts.' }),
    ...eventInputs(t),
  }),
});

const StartStatePayload = payload('StartStatePayload', {
  description: 'The state was started.',
  state: 'The new state.',
});

const CompleteStatePayload = payload('CompleteStatePayload', {
  description: 'The state was completed.',
  state: 'The state as it now is.',
});

function payload(name: string, texts: { description: string; state: string }) {
  return builder.objectRef<WrittenService>(name).implement({
    description: texts.description,
    fields: (t) => ({
      state: t.prismaField({
        type: State,
        description: texts.state,
        resolve: (query, written, _, { db }) => getState(db, stateKey(written), query),
      }),
      service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
      replayed: t.exposeBoolean('replayed', { description: described.replayed }),
    }),
  });
}

type Transition = WrittenService & { fromId: number };

const TransitionStatePayload = builder.objectRef<Transition>('TransitionStatePayload').implement({
  description: 'One state was completed and the next was started.',
  fields: (t) => ({
    completedState: t.prismaField({
      type: State,
      description: 'The state that ended, as it now is.',
      resolve: (query, { service, fromId }, _, { db }) =>
        getState(db, { serviceId: service.id, id: fromId }, query),
    }),
    state: t.prismaField({
      type: State,
      description: 'The new state; its `previousStateId` is the one that ended.',
      resolve: (query, written, _, { db }) => getState(db, stateKey(written), query),
    }),
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

/** Every act on a state says which. */
function stateKey({ service, stateId }: WrittenService) {
  return { serviceId: service.id, id: stateId ?? 0 };
}

builder.mutationField('startState', (t) =>
  t.field({
    type: StartStatePayload,
    description: 'Starts a state of a service that is active. Numbers count on from 0, without a gap.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The new state, or why there is none.' },
    },
    args: { input: t.arg({ type: StartStateInput, required: true, description: 'The new state.' }) },
    resolve: (_, { input: { previousStateId, ...input } }, { db, origin }) => {
      const previous = nameStateOf(String(input.serviceId), ['previousStateId'], previousStateId);
      return startState(
        db,
        origin,
        toServiceInput({ ...input, previousStateId: previous.id }, previous.faults),
      );
    },
  }),
);

builder.mutationField('completeState', (t) =>
  t.field({
    type: CompleteStatePayload,
    description: 'Completes a state, once. Its tasks go on. `timestamp` is the end, not before the start.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The completed state, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: CompleteStateInput, required: true, description: 'The end.' }) },
    resolve: (_, { input }, { db, origin }) => {
      const { serviceId, id, faults } = namePart('state', ['stateId'], input.stateId);
      return completeState(db, origin, toServiceInput({ ...input, serviceId, stateId: id }, faults));
    },
  }),
);

builder.mutationField('transitionState', (t) =>
  t.field({
    type: TransitionStatePayload,
    description: 'Completes one state and starts the next in one atomic act.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The new state, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: TransitionStateInput, required: true, description: 'The transition.' }) },
    resolve: async (_, { input }, { db, origin }) => {
      const from = nameStateOf(String(input.serviceId), ['from', 'stateId'], input.from.stateId);
      const fields = { ...input, from: { ...input.from, stateId: from.id } };
      const written = await transitionState(db, origin, toServiceInput(fields, from.faults));
      return { ...written, fromId: from.id ?? 0 };
    },
  }),
);
