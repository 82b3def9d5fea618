import type { CompositeEntry, CompositeStart, Fields, Front, Given } from './acts.js';
import { at, newKey, timed } from './planning.js';
import { type Item, livingOf, type World } from './world.js';

/** A composite start whose entries are mostly like what there is. */
export type CompositePlan = {
  kind: 'startComposite';
  front: Exclude<Front, 'graphql'>;
  entries: EntryPlan[];
  isKeyed: boolean;
};

export type EntryPlan = CompositeEntry & {
  /** The service whose customer, type and contact key the entry has. */
  like: number | null;
  /** Whether the types of its state and its task are those of some that the service has. */
  likeState: boolean;
  likeTask: boolean;
};

export function compositeOf(world: World, { kind, front, ...plan }: CompositePlan): CompositeStart {
  const entries = plan.entries.map((entry) => entryOf(world, entry));
  return { kind, front, entries, idempotencyKey: newKey(world, plan) };
}

function entryOf(world: World, { like, likeState, likeTask, ...entry }: EntryPlan): CompositeEntry {
  const own = { ...entry, service: { ...entry.service, fields: timed(world, entry.service.fields) } };
  const service = like === null ? undefined : at(livingOf(world), like);
  if (!service) return own;
  const { state, task } = own;
  return {
    ...own,
    service: alike(own.service, service, ['customerId', 'contactKey', 'serviceType']),
    state: likeState ? alike(state, at(service.states, like ?? 0), ['stateType']) : state,
    task: task && likeTask ? alike(task, at(service.tasks, like ?? 0), ['taskType']) : task,
  };
}

/** With these fields as they are there. */
function alike(given: Given, item: Item | undefined, names: readonly string[]): Given {
  if (!item) return given;
  const others = Object.entries(given.fields).filter(([name]) => !names.includes(name));
  const same = names.flatMap((name): [string, Fields[string]][] => {
    const value = item.fields[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...given, fields: Object.fromEntries([...others, ...same]) };
}
