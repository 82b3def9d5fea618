import type { WrittenService } from '../domain/service-writes.js';
import { completeTask, getTask, startTask } from '../domain/tasks.js';
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
import { Task } from './tasks.js';

const StartTaskInput = builder.inputType('StartTaskInput', {
  description: 'A new task of a service that is active. The extensions are the new task’s.',
  fields: (t) => ({
    ...actInputs(t),
    ...timeInputs(t),
    taskType: t.field({ type: 'TypeCode', description: described.taskType }),
    stateId: t.id({ description: 'The state that the task belongs to, one of the same service.' }),
    estDuration: t.field({ type: 'Long', description: described.estDuration }),
    ...eventInputs(t),
  }),
});

const CompleteTaskInput = builder.inputType('CompleteTaskInput', {
  description: 'The end of a task. The extensions are the task’s.',
  fields: (t) => ({
    taskId: t.id({ required: true, description: 'The task, like `1500:0`.' }),
    ...startInputs(t),
    ...versionInputs(t),
    ...timeInputs(t),
    ...eventInputs(t),
    ...dispositionInputs(t),
  }),
});

const StartTaskPayload = payload('StartTaskPayload', {
  description: 'The task was started.',
  task: 'The new task.',
});

const CompleteTaskPayload = payload('CompleteTaskPayload', {
  description: 'The task was completed.',
  task: 'The task as it now is.',
});

function payload(name: string, texts: { description: string; task: string }) {
  return builder.objectRef<WrittenService>(name).implement({
    description: texts.description,
    fields: (t) => ({
      task: t.prismaField({
        type: Task,
        description: texts.task,
        resolve: (query, written, _, { db }) => getTask(db, taskKey(written), query),
      }),
      service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
      replayed: t.exposeBoolean('replayed', { description: described.replayed }),
    }),
  });
}

/** Every act on a task says which. */
function taskKey({ service, taskId }: WrittenService) {
  return { serviceId: service.id, id: taskId ?? 0 };
}

builder.mutationField('startTask', (t) =>
  t.field({
    type: StartTaskPayload,
    description:
      'Starts a task of a service that is active, in one of its states or in none. Numbers count on from 0, without a gap.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The new task, or why there is none.' },
    },
    args: { input: t.arg({ type: StartTaskInput, required: true, description: 'The new task.' }) },
    resolve: (_, { input: { stateId, ...input } }, { db, origin }) => {
      const state = nameStateOf(String(input.serviceId), ['stateId'], stateId);
      return startTask(db, origin, toServiceInput({ ...input, stateId: state.id }, state.faults));
    },
  }),
);

builder.mutationField('completeTask', (t) =>
  t.field({
    type: CompleteTaskPayload,
    description: 'Completes a task, once. `timestamp` is the end, not before the start.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The completed task, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: CompleteTaskInput, required: true, description: 'The end.' }) },
    resolve: (_, { input }, { db, origin }) => {
      const { serviceId, id, faults } = namePart('task', ['taskId'], input.taskId);
      return completeTask(db, origin, toServiceInput({ ...input, serviceId, taskId: id }, faults));
    },
  }),
);
