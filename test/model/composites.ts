import type { Act, CompositeEntry, CompositeStart, Given, Refusal } from './acts.js';
import { faultsOf, hasOperation } from './inputs.js';
import type { Rules } from './model.js';
import {
  type CompositeSuccess,
  findDone,
  type Item,
  isSameCommand,
  newService,
  type Refused,
  type Service,
  type Started,
  type World,
} from './world.js';

/** Which of the services an entry finds; undefined for none. */
export type FindService = (services: readonly Service[], entry: CompositeEntry) => Service | undefined;

/** An active one of the same customer, type and contact key, the newest of several. */
export const findService: FindService = (services, { service: { fields } }) =>
  newestOf(
    services.filter(
      ({ fields: own, isGone }) =>
        !isGone &&
        isSame(own['customerId'], fields['customerId']) &&
        isSame(own['contactKey'], fields['contactKey']) &&
        isSame(own['serviceType'], fields['serviceType']),
    ),
  );

/** Does one entry after the other, or nothing where one is refused. */
export function performComposite(
  world: World,
  start: CompositeStart,
  rules: Rules,
): CompositeSuccess | Refused {
  const done = findDone(world, start);
  if (done && 'starts' in done.outcome && isSameCommand(done.command, start)) {
    return { ...done.outcome, replayed: true };
  }
  const refusals: Refusal[] = [
    ...(hasOperation(start) ? [] : ['NOT_FOUND' as const]),
    ...start.entries.flatMap((entry) => faultsOfEntry(world, entry, rules)),
    ...(done ? ['IDEMPOTENCY_KEY_REUSED' as const] : []),
  ];
  if (refusals.length > 0) return { refusals };

  const starts = start.entries.map((entry) => startEntry(world, entry, rules));
  const outcome = { starts, replayed: false };
  const { idempotencyKey } = start;
  if (idempotencyKey !== null) world.done.set(idempotencyKey, { at: world.now, command: start, outcome });
  return outcome;
}

/** What is wrong with an entry is so, whatever of it is found. */
function faultsOfEntry(world: World, entry: CompositeEntry, rules: Rules): Refusal[] {
  const service = newService(world);
  const acts = [
    actOf('startService', 'SERVICE', entry.service),
    actOf('startState', 'STATE', entry.state),
    ...(entry.task ? [actOf('startTask', 'TASK', entry.task)] : []),
  ];
  return acts.flatMap((act) => [...faultsOf(act, world.now), ...rules[act.kind](service, act, world.now)]);
}

function startEntry(world: World, entry: CompositeEntry, rules: Rules): Started {
  const { services } = world;
  const found = entry.isNewService ? undefined : rules.findService(services, entry);
  const service = found ?? newService(world);
  if (!found) services.push(service);
  const { state, task } = findParts(service, entry);
  const number = state ?? service.states.length;
  const acts = [
    ...(found ? [] : [actOf('startService', 'SERVICE', entry.service)]),
    ...(state === undefined ? [actOf('startState', 'STATE', entry.state)] : []),
    ...(entry.task && task === undefined ? [startTask(entry.task, entry.isTaskOfState ? number : null)] : []),
  ];
  const started = {
    index: services.indexOf(service),
    ...{ isServiceCreated: !found, state: number, isStateCreated: state === undefined },
    ...{ task: entry.task && (task ?? service.tasks.length), isTaskCreated: task === undefined },
  };
  startAll(service, acts, world.now, rules);
  return started;
}

/** The numbers of the state and the task that there are. */
function findParts({ states, tasks }: Service, { state, task, isTaskOfState }: CompositeEntry) {
  const found = newestOf(
    states.filter(({ fields }) => isSame(fields['stateType'], state.fields['stateType'])),
  );
  const number = found && states.indexOf(found);
  const foundTask =
    task &&
    newestOf(
      tasks.filter(
        ({ fields }) =>
          isSame(fields['taskType'], task.fields['taskType']) &&
          (!isTaskOfState || fields['stateId'] === (number ?? states.length)),
      ),
    );
  return { state: number, task: foundTask ? tasks.indexOf(foundTask) : undefined };
}

/** In one act, or none where there is nothing to start. */
function startAll(service: Service, acts: readonly Act[], now: number, rules: Rules): void {
  const [first] = acts;
  if (!first) return;
  service.version += 1;
  service.updatedAt = now;
  service.events.push(`${first.scope}_STARTED`);
  for (const act of acts) rules[act.kind](service, act, now);
}

function startTask({ fields, extensions }: Given, stateId: number | null): Act {
  return actOf('startTask', 'TASK', {
    fields: stateId === null ? fields : { ...fields, stateId },
    extensions,
  });
}

function actOf(kind: Act['kind'], scope: Act['scope'], given: Given): Act {
  const none = { serviceId: null, part: null, expectedVersion: null, idempotencyKey: null };
  return { kind, front: '8.5', scope, ...given, ...none };
}

/** Of those that are active. */
function newestOf<T extends Item>(items: readonly T[]): T | undefined {
  const active = items.filter(({ completed }) => !completed);
  return active.toSorted((a, b) => a.started.at - b.started.at).at(-1);
}

/** `100` and `"100"` are one type; what has none is found by none. */
function isSame(one: unknown, other: unknown): boolean {
  return String(one ?? null) === String(other ?? null) && (one == null) === (other == null);
}
