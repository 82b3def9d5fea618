import type { RequestContext } from '../context.js';
import { durationOf, statusOf, type TaskFilter } from '../domain/parts.js';
import { Faults, nullable } from '../domain/rules.js';
import { parseOrThrow, typesFilter } from '../domain/services.js';
import type { PartKey } from '../domain/states.js';
import { findTask, listTasks } from '../domain/tasks.js';
import { builder } from './builder.js';
import { checkedBeforehand } from './mutation-arguments.js';
import { encodePartKey, partKey } from './part-ids.js';
import { described } from './service-descriptions.js';
import { code, endOf, ServiceEvent, startOf } from './service-events.js';
import { Service, Status } from './services.js';
import { State } from './states.js';

export const Task = builder.prismaObject('Task', {
  description: 'A piece of work within a service, in one of its states or in none.',
  fields: (t) => ({
    id: t.id({ description: 'The service’s id and the number, like `1500:0`.', resolve: encodePartKey }),
    number: t.exposeInt('id', {
      description: 'Counted from 0 within the service: `task_id` of the legacy contract.',
    }),
    serviceId: t.id({
      description: 'The service that the task belongs to.',
      resolve: ({ serviceId }) => String(serviceId),
    }),
    stateId: t.id({
      nullable: true,
      description: 'The state that the task belongs to; null for none.',
      resolve: ({ serviceId, stateId: id }) => (id === null ? null : encodePartKey({ serviceId, id })),
    }),
    taskType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.taskType,
      resolve: ({ taskType }, _, context) => code('Task.type', taskType, context),
    }),
    status: t.field({
      type: Status,
      description: 'Whether the task is still being worked on.',
      resolve: statusOf,
    }),
    estDuration: t.expose('estDuration', {
      type: 'Long',
      nullable: true,
      description: described.estDuration,
    }),
    duration: t.field({
      type: 'Long',
      nullable: true,
      description: described.duration,
      resolve: durationOf,
    }),
    disposition: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.disposition,
      resolve: ({ disposition }, _, context) => code('Task.disposition', disposition, context),
    }),
    dispositionDesc: t.exposeString('dispositionDesc', {
      nullable: true,
      description: described.dispositionDesc,
    }),
    started: t.field({
      type: ServiceEvent,
      description: 'The start.',
      resolve: (task) => startOf('Task', task),
    }),
    completed: t.field({
      type: ServiceEvent,
      nullable: true,
      description: 'The end; null while the task is active.',
      resolve: (task) => endOf('Task', task),
    }),
  }),
});

const mostListed = 1_000;

const taskFilterArgs = builder.args((t) => ({
  status: t.field({ type: Status, description: 'Only active or only completed tasks.' }),
  types: t.field({
    type: ['TypeCode'],
    description: 'Only tasks of these types, 1 to 100, given as those of services are.',
  }),
}));

type TaskListArgs = {
  status?: TaskFilter['status'] | null;
  types?: readonly (number | string)[] | null | undefined;
  stateId?: string | null | undefined;
};

builder.prismaObjectField(Service, 'tasks', (t) =>
  t.loadableGroup({
    type: Task,
    description:
      'The tasks of the service, of all its states and of none, by their start, then their number.',
    args: {
      ...taskFilterArgs,
      stateId: t.arg.id({ description: 'Only tasks of this state of the service.' }),
    },
    extensions: checkedBeforehand((args: TaskListArgs, { db }, faults) => readFilter(db, args, faults)),
    // One statement for all services that the list is asked of at one place of the query.
    byPath: true,
    load: async (serviceIds: bigint[], { db, budget }, args) => {
      const { state, ...filter } = orThrow((faults) => readFilter(db, args, faults));
      if (!state) return listTasks(db, budget, serviceIds, filter);
      const owners = serviceIds.filter((id) => id === state.serviceId);
      return owners.length === 0 ? [] : listTasks(db, budget, owners, { ...filter, stateIds: [state.id] });
    },
    group: ({ serviceId }) => serviceId,
    resolve: ({ id }) => id,
  }),
);

builder.prismaObjectField(State, 'tasks', (t) =>
  t.loadableGroup({
    type: Task,
    description: 'The tasks of the state, by their start, then their number.',
    args: taskFilterArgs,
    extensions: checkedBeforehand((args: TaskListArgs, { db }, faults) => readFilter(db, args, faults)),
    byPath: true,
    load: (stateIds: string[], { db, budget }, args) => {
      const states = stateIds.map((id) => parseOrThrow(partKey('state'), 'id', id));
      const services = [...new Set(states.map(({ serviceId }) => serviceId))];
      const filter = orThrow((faults) => readFilter(db, args, faults));
      // Of many states the tasks are sorted out here: a statement takes a limited number of values.
      const isFew = states.length <= mostListed;
      const wanted = isFew ? { ...filter, stateIds: states.map(({ id }) => id) } : filter;
      return listTasks(db, budget, services, wanted);
    },
    group: ({ serviceId, stateId }) => encodePartKey({ serviceId, id: stateId ?? -1 }),
    resolve: encodePartKey,
  }),
);

function readFilter(
  { registry }: RequestContext['db'],
  { status, types, stateId }: TaskListArgs,
  faults: Faults,
): TaskFilter & { state?: PartKey | undefined } {
  const wanted = faults.check(nullable(typesFilter(registry.loaded, 'Task.type')), ['types'], types);
  const state = stateId ? faults.check(partKey('state'), ['stateId'], stateId) : undefined;
  return { status: status ?? undefined, types: wanted ?? undefined, state };
}

function orThrow<T>(read: (faults: Faults) => T): T {
  const faults = new Faults();
  const value = read(faults);
  faults.throwIfAny();
  return value;
}

builder.queryField('task', (t) =>
  t.prismaField({
    type: Task,
    nullable: true,
    description: 'One task; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The id of the task, like `1500:0`.' }) },
    resolve: (query, _, { id }, { db }) => findTask(db, parseOrThrow(partKey('task'), 'id', id), query),
  }),
);
