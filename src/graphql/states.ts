import type { Db } from '../db/database.js';
import { durationOf, type PartFilter, statusOf } from '../domain/parts.js';
import { Faults, nullable } from '../domain/rules.js';
import { parseOrThrow, typesFilter } from '../domain/services.js';
import { findState, listStates } from '../domain/states.js';
import { builder } from './builder.js';
import { checkedBeforehand } from './mutation-arguments.js';
import { encodePartKey, partKey } from './part-ids.js';
import { described } from './service-descriptions.js';
import { code, endOf, ServiceEvent, startOf } from './service-events.js';
import { Service, Status } from './services.js';

export const State = builder.prismaObject('State', {
  description: 'A phase of a service, like waiting for an agent. Its tasks and extensions hang on it.',
  fields: (t) => ({
    id: t.id({ description: 'The service’s id and the number, like `1500:0`.', resolve: encodePartKey }),
    number: t.exposeInt('id', {
      description: 'Counted from 0 within the service: `state_id` of the legacy contract.',
    }),
    serviceId: t.id({
      description: 'The service that the state belongs to.',
      resolve: ({ serviceId }) => String(serviceId),
    }),
    stateType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.stateType,
      resolve: ({ stateType }, _, context) => code('State.type', stateType, context),
    }),
    status: t.field({
      type: Status,
      description: 'Whether the state is still being worked on.',
      resolve: statusOf,
    }),
    previousStateId: t.id({
      nullable: true,
      description: 'The state that came before, where the start named one.',
      resolve: ({ serviceId, previousStateId: id }) =>
        id === null ? null : encodePartKey({ serviceId, id }),
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
      resolve: ({ disposition }, _, context) => code('State.disposition', disposition, context),
    }),
    dispositionDesc: t.exposeString('dispositionDesc', {
      nullable: true,
      description: described.dispositionDesc,
    }),
    started: t.field({
      type: ServiceEvent,
      description: 'The start.',
      resolve: (state) => startOf('State', state),
    }),
    completed: t.field({
      type: ServiceEvent,
      nullable: true,
      description: 'The end; null while the state is active.',
      resolve: (state) => endOf('State', state),
    }),
  }),
});

builder.prismaObjectField(Service, 'states', (t) =>
  t.loadableGroup({
    type: State,
    description: 'The states of the service, by their start, then their number.',
    args: {
      status: t.arg({ type: Status, description: 'Only active or only completed states.' }),
      types: t.arg({
        type: ['TypeCode'],
        description: 'Only states of these types, 1 to 100, given as those of services are.',
      }),
    },
    extensions: checkedBeforehand((args: StateListArgs, { db }, faults) => readFilter(db, args, faults)),
    // One statement for all services that the list is asked of at one place of the query.
    byPath: true,
    load: (serviceIds: bigint[], { db, budget }, args) => {
      const faults = new Faults();
      const filter = readFilter(db, args, faults);
      faults.throwIfAny();
      return listStates(db, budget, serviceIds, filter);
    },
    group: ({ serviceId }) => serviceId,
    resolve: ({ id }) => id,
  }),
);

type StateListArgs = {
  status?: PartFilter['status'] | null;
  types?: readonly (number | string)[] | null | undefined;
};

function readFilter({ registry }: Db, { status, types }: StateListArgs, faults: Faults): PartFilter {
  const wanted = faults.check(nullable(typesFilter(registry.loaded, 'State.type')), ['types'], types);
  return { status: status ?? undefined, types: wanted ?? undefined };
}

builder.queryField('state', (t) =>
  t.prismaField({
    type: State,
    nullable: true,
    description: 'One state; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The id of the state, like `1500:0`.' }) },
    resolve: (query, _, { id }, { db }) => findState(db, parseOrThrow(partKey('state'), 'id', id), query),
  }),
);
