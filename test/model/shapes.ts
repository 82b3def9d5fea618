import { type Extension, eventFields, type Fields, present } from './acts.js';
import { idleAt } from './lifetimes.js';
import { legacy } from './rest-front.js';
import {
  type Entry,
  type Item,
  livingOf,
  type Occasion,
  ownerOf,
  type Purge,
  type Service,
} from './world.js';

/** Of which of a service's states or tasks a list consists. */
export type PartFilter = {
  isCompleted?: boolean | undefined;
  types?: (string | number)[];
  stateId?: number | undefined;
  number?: number;
};

export type Part = Item & { number: number };

export function partsOf(parts: readonly Item[], filter: PartFilter): Part[] {
  const { isCompleted, types, stateId, number: wanted } = filter;
  return parts
    .map((part, number) => ({ ...part, number }))
    .filter(({ number }) => wanted === undefined || wanted === number)
    .filter(({ completed }) => isCompleted === undefined || isCompleted === (completed !== null))
    .filter(({ fields }) => types === undefined || isOfType(fields, types))
    .filter(({ fields }) => stateId === undefined || fields['stateId'] === stateId)
    .sort((a, b) => a.started.at - b.started.at || a.number - b.number);
}

/** `100` and `"100"` name one type. */
export function isOfType(fields: Fields, types: readonly (string | number)[]): boolean {
  const type = fields['serviceType'] ?? fields['stateType'] ?? fields['taskType'];
  return types.some((one) => String(one) === String(type)) && type !== undefined;
}

/** A service as REST answers it; with all its extensions, states and tasks only where that is asked for. */
export function restService(service: Service, isFull: boolean): object {
  const { disposition, dispositionDesc } = service.fields;
  return {
    service_id: Number(service.id),
    ...restItem(service, isFull),
    // Of states and tasks it is part of the end alone.
    ...legacy(present({ disposition, dispositionDesc })),
    ...(isFull ? { ...statesByStatus(service), ...tasksByStatus(service) } : {}),
  };
}

export function restStates(service: Service, filter: PartFilter, isFull: boolean): object[] {
  return partsOf(service.states, filter).map(({ number, ...state }) => ({
    state_id: number,
    ...restItem(state, isFull),
    ...(isFull ? tasksByStatus(service, number) : {}),
  }));
}

export function restTasks(service: Service, filter: PartFilter, isFull: boolean): object[] {
  return partsOf(service.tasks, filter).map(({ number, ...task }) => ({
    task_id: number,
    ...restItem(task, isFull),
  }));
}

function statesByStatus(service: Service): object {
  return {
    active_states: restStates(service, { isCompleted: false }, true),
    completed_states: restStates(service, { isCompleted: true }, true),
  };
}

function tasksByStatus(service: Service, stateId?: number): object {
  return {
    active_tasks: restTasks(service, { isCompleted: false, stateId }, true),
    completed_tasks: restTasks(service, { isCompleted: true, stateId }, true),
  };
}

function restItem({ fields, started, completed, extensions }: Item, withExtensions: boolean): object {
  const { previousStateId, disposition, dispositionDesc, autoCompleteAfter: _, ...own } = fields;
  return {
    ...legacy(own),
    duration: completed ? completed.at - started.at : undefined,
    started: {
      ...legacy({ ...started.fields, ...present({ previousStateId }) }),
      timestamp: isoTime(started.at),
    },
    completed: completed
      ? {
          ...legacy({ ...completed.fields, ...present({ disposition, dispositionDesc }) }),
          timestamp: isoTime(completed.at),
        }
      : undefined,
    ...(withExtensions ? Object.fromEntries(extensions.map(({ name, value }) => [name, value])) : {}),
  };
}

/** A service as the universe query asks for it. */
export function graphqlService(service: Service, filter: PartFilter): object {
  const numbers = (parts: readonly Item[]) => partsOf(parts, filter).map(({ number }) => ({ number }));
  return {
    id: service.id,
    version: service.version,
    updatedAt: isoTime(service.updatedAt),
    expiresAt: isoTimeOrNull(service.expiresAt),
    autoCompleteAfter: service.fields['autoCompleteAfter'] ?? null,
    autoCompleteAt: isoTimeOrNull(idleAt(service)),
    ...graphqlItem(service, ['customerId', 'contactKey', 'serviceType']),
    associations: { nodes: service.history.map(graphqlEntry) },
    states: partsOf(service.states, {}).map((state) => graphqlState(service, state)),
    tasks: partsOf(service.tasks, {}).map((task) => graphqlTask(service, task)),
    someStates: numbers(service.states),
    someTasks: numbers(service.tasks),
  };
}

export function graphqlState(service: Service, state: Part): object {
  const { previousStateId = null } = state.fields;
  return {
    ...graphqlPart(service, state),
    ...graphqlItem(state, ['stateType']),
    previousStateId: previousStateId === null ? null : `${service.id}:${previousStateId}`,
    tasks: partsOf(service.tasks, { stateId: state.number }).map(({ number }) => ({ number })),
  };
}

export function graphqlTask(service: Service, task: Part): object {
  const { stateId = null } = task.fields;
  return {
    ...graphqlPart(service, task),
    ...graphqlItem(task, ['taskType']),
    stateId: stateId === null ? null : `${service.id}:${stateId}`,
  };
}

function graphqlPart({ id }: Service, { number }: Part): object {
  return { id: `${id}:${number}`, number, serviceId: id };
}

function graphqlItem({ fields, started, completed, extensions }: Item, ownFields: readonly string[]): object {
  return {
    ...nullable(fields, [...ownFields, 'estDuration', 'disposition', 'dispositionDesc']),
    status: completed ? 'COMPLETED' : 'ACTIVE',
    duration: completed ? completed.at - started.at : null,
    started: graphqlOccasion(started),
    completed: completed && graphqlOccasion(completed),
    extensions: [...extensions].sort(byName).map(({ name, value }) => ({ schemaName: name, value })),
  };
}

function byName(a: Extension, b: Extension): number {
  return a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1;
}

function graphqlOccasion({ at, fields }: Occasion): object {
  return { ...nullable(fields, eventFields), timestamp: isoTime(at) };
}

function graphqlEntry({ from, to, occurredAt, recordedAt, ...entry }: Entry): object {
  return {
    ...entry,
    fromCustomerId: from,
    toCustomerId: to,
    occurredAt: isoTime(occurredAt),
    recordedAt: isoTime(recordedAt),
  };
}

function nullable(fields: Fields, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function isoTimeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}

export function graphqlPurge({ isDryRun, startedTo, createdAt, finishedAt, ...purge }: Purge): object {
  const { most: _, ...own } = purge;
  const times = { startedTo: isoTime(startedTo), createdAt: isoTime(createdAt) };
  const status = finishedAt === null ? 'RUNNING' : 'DONE';
  return { ...own, ...times, dryRun: isDryRun, status, finishedAt: isoTimeOrNull(finishedAt) };
}

/** The services of a list: by their start, then their id. */
export type ServiceFilter = {
  customerId?: string;
  /** Anonymous services only. */
  contactKey?: string;
  isCompleted?: boolean | undefined;
  types?: (string | number)[];
  startedFrom?: number;
  startedTo?: number;
};

export function servicesOf(services: readonly Service[], filter: ServiceFilter): Service[] {
  const { customerId, contactKey, isCompleted, types, startedFrom, startedTo } = filter;
  return livingOf({ services })
    .filter((service) => customerId === undefined || ownerOf(service) === customerId)
    .filter((service) => contactKey === undefined || isAnonymousUnder(service, contactKey))
    .filter(({ completed }) => isCompleted === undefined || isCompleted === (completed !== null))
    .filter(({ fields }) => types === undefined || isOfType(fields, types))
    .filter(({ started }) => startedFrom === undefined || started.at >= startedFrom)
    .filter(({ started }) => startedTo === undefined || started.at < startedTo)
    .sort((a, b) => a.started.at - b.started.at || Number(a.id) - Number(b.id));
}

function isAnonymousUnder(service: Service, contactKey: string): boolean {
  return ownerOf(service) === null && service.fields['contactKey'] === contactKey;
}
