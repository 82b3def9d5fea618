import type { Registry } from '../db/registry.js';
import { showExtension } from '../domain/extensions.js';
import { type MappedField, shownCode } from '../domain/field-mappings.js';
import { durationOf, type Status, statusOf } from '../domain/parts.js';
import type { Extension, ExtensionScope, Prisma, Service, State, Task } from '../generated/prisma/client.js';
import type { View } from './query.js';

/** What was loaded with a service. */
export type Loaded = { extensions?: Extension[]; states?: State[]; tasks?: Task[] };

export type ShownService = Service & Loaded;

/** What a resource is shown by: what was asked for, what was loaded with it, by its owner, and how. */
export type Showing = {
  view: View;
  registry: Registry;
  tasksByState: ReadonlyMap<number | null, readonly Task[]>;
  extensionsByOwner: ReadonlyMap<string, readonly Extension[]>;
};

export function showingOf(view: View, { extensions = [], tasks = [] }: Loaded, registry: Registry): Showing {
  const ownerOf = ({ scope, ownerId }: Extension) => ownerKey(scope, ownerId);
  return {
    view,
    registry,
    tasksByState: groupBy(tasks, ({ stateId }) => stateId),
    extensionsByOwner: groupBy(extensions, ownerOf),
  };
}

function ownerKey(scope: ExtensionScope, id: number): string {
  return `${scope} ${id}`;
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/**
 * A service in the legacy shape (legacy contract, resources), as JSON text: its id is a JSON number
 * of 64 bits. What a service does not have is absent.
 */
export function serviceJson(service: ShownService, view: View, registry: Registry): string {
  const showing = showingOf(view, service, registry);
  const { states = [], tasks = [] } = service;
  return withServiceId(service.id, {
    service_type: shown(registry, 'Service.type', service.serviceType),
    customer_id: service.customerId ?? undefined,
    contact_key: service.contactKey ?? undefined,
    est_duration: numberOf(service.estDuration),
    duration: durationOf(service) ?? undefined,
    disposition: shown(registry, 'Service.disposition', service.disposition),
    disposition_desc: service.dispositionDesc ?? undefined,
    started: startedOf('Service', service, registry),
    completed: completedOf('Service', service, registry),
    ...byStatus('states', view.states, states, (state) => stateMembers(state, showing)),
    ...byStatus('tasks', view.tasks, tasks, (task) => taskMembers(task, showing)),
    ...extensionMembers('SERVICE', 0, showing),
  });
}

/** A state on its own, that says which service it belongs to; as serviceJson. */
export function stateJson(state: State, showing: Showing): string {
  return withServiceId(state.serviceId, stateMembers(state, showing));
}

/** A task on its own, as stateJson. */
export function taskJson(task: Task, showing: Showing): string {
  return withServiceId(task.serviceId, taskMembers(task, showing));
}

function withServiceId(id: bigint, members: object): string {
  return `{"service_id":${id},${JSON.stringify(members).slice(1)}`;
}

function stateMembers(state: State, showing: Showing): object {
  const { view, registry } = showing;
  const tasks = showing.tasksByState.get(state.id) ?? [];
  return {
    state_id: state.id,
    state_type: shown(registry, 'State.type', state.stateType),
    est_duration: numberOf(state.estDuration),
    duration: durationOf(state) ?? undefined,
    started: Object.assign(startedOf('State', state, registry), {
      previous_state_id: state.previousStateId ?? undefined,
    }),
    completed: completedOf('State', state, registry),
    ...byStatus('tasks', view.tasks, tasks, (task) => taskMembers(task, showing)),
    ...extensionMembers('STATE', state.id, showing),
  };
}

function taskMembers(task: Task, showing: Showing): object {
  const { registry } = showing;
  return {
    task_id: task.id,
    task_type: shown(registry, 'Task.type', task.taskType),
    state_id: task.stateId ?? undefined,
    est_duration: numberOf(task.estDuration),
    duration: durationOf(task) ?? undefined,
    started: startedOf('Task', task, registry),
    completed: completedOf('Task', task, registry),
    ...extensionMembers('TASK', task.id, showing),
  };
}

/** `active_states` and its like, each where it was asked for. */
function byStatus<Part extends { completedAt: Date | null }>(
  name: 'states' | 'tasks',
  asked: readonly Status[],
  parts: readonly Part[],
  members: (part: Part) => object,
): object {
  return Object.fromEntries(
    asked.map((status) => [
      `${status.toLowerCase()}_${name}`,
      parts.filter((part) => statusOf(part) === status).map(members),
    ]),
  );
}

/** From entries, since a name may be one that an object has already. */
function extensionMembers(
  scope: ExtensionScope,
  ownerId: number,
  { extensionsByOwner, registry }: Showing,
): object {
  const own = extensionsByOwner.get(ownerKey(scope, ownerId)) ?? [];
  return Object.fromEntries(
    own.map((extension) => {
      const { name, value } = showExtension(registry, extension);
      return [name, value];
    }),
  );
}

type Entity = 'Service' | 'State' | 'Task';

function startedOf(entity: Entity, part: Service | State | Task, registry: Registry): object {
  return {
    session_id: part.sessionId ?? undefined,
    interaction_id: part.interactionId ?? undefined,
    application_type: shown(registry, `${entity}.application_type`, part.applicationType),
    application_id: numberOf(part.applicationId),
    resource_type: shown(registry, `${entity}.resource_type`, part.resourceType),
    resource_id: numberOf(part.resourceId),
    media_type: shown(registry, `${entity}.media_type`, part.mediaType),
    timestamp: part.startedAt,
  };
}

function completedOf(entity: Entity, part: Service | State | Task, registry: Registry): object | undefined {
  if (!part.completedAt) return undefined;
  return {
    session_id: part.endSessionId ?? undefined,
    interaction_id: part.endInteractionId ?? undefined,
    application_type: shown(registry, `${entity}.application_type`, part.endApplicationType),
    application_id: numberOf(part.endApplicationId),
    resource_type: shown(registry, `${entity}.resource_type`, part.endResourceType),
    resource_id: numberOf(part.endResourceId),
    media_type: shown(registry, `${entity}.media_type`, part.endMediaType),
    timestamp: part.completedAt,
    disposition: shown(registry, `${entity}.disposition`, part.disposition),
    disposition_desc: part.dispositionDesc ?? undefined,
  };
}

function shown(registry: Registry, field: MappedField, code: Prisma.JsonValue): unknown {
  return code === null ? undefined : shownCode(registry, field, code);
}

/** No integer beyond a double's is ever stored there: the rules refuse it. */
function numberOf(value: bigint | null): number | undefined {
  return value === null ? undefined : Number(value);
}

/** Says that the call acted before, with the same idempotency key, and not again. */
export function replayedHeader({ replayed }: { replayed: boolean }): Record<string, string> {
  return replayed ? { 'idempotency-replayed': 'true' } : {};
}
