import { type Act, type Extension, eventFields, type Kind, type Refusal } from './acts.js';
import {
  assign,
  end,
  endPart,
  endParts,
  findable,
  needsType,
  occasionOf,
  recordOwner,
  startPart,
} from './changes.js';
import { type FindService, findService } from './composites.js';
import { deleteRecord, mergeExtension, replaceExtensions, updateRecord } from './extensions.js';
import { faultsOf, hasOperation } from './inputs.js';
import { givenExpiry, type IsPurged, isPurged, usualExpiry } from './lifetimes.js';
import {
  findDone,
  isSameCommand,
  newService,
  type Outcome,
  ownerOf,
  type Service,
  type Success,
  type World,
} from './world.js';

/**
 * Does to the service what the contract says, and answers why it must not. What is refused may leave
 * any change: it is thrown away.
 */
export type Rule = (service: Service, act: Act, now: number) => Refusal[];

export type Rules = Record<Kind, Rule> & { findService: FindService; isPurged: IsPurged };

/** Written from the contract, not from the gateway. */
export const contract: Rules = {
  startService(service, act, now) {
    assign(service.fields, act.fields, [
      ...['customerId', 'contactKey', 'serviceType', 'estDuration', 'autoCompleteAfter'],
    ]);
    service.expiresAt = usualExpiry(service.fields, now);
    expire(service, act, now);
    service.started = occasionOf(act, now);
    recordOwner(service, act, now, 'START', null);
    return [
      ...findable(service),
      ...needsType(act, 'serviceType'),
      ...replaceExtensions(service.extensions, act),
    ];
  },

  associateService(service, act, now) {
    const former = ownerOf(service);
    assign(service.fields, act.fields, ['customerId']);
    if (ownerOf(service) !== former) recordOwner(service, act, now, 'ASSOCIATE', former);
    return contract.updateService(service, act, now);
  },

  updateService(service, act, now) {
    const names = ['serviceType', 'contactKey', 'estDuration', 'disposition', 'dispositionDesc'];
    assign(service.fields, act.fields, [...names, 'autoCompleteAfter']);
    expire(service, act, now);
    assign(service.started.fields, act.fields, eventFields);
    return [...findable(service), ...replaceExtensions(service.extensions, act)];
  },

  completeService(service, act, now) {
    const refusals = end(service, act, now);
    endParts(service);
    expire(service, act, now);
    return [...refusals, ...replaceExtensions(service.extensions, act)];
  },

  undoAssociation(service, act, now) {
    const newest = service.history.at(-1);
    if (!newest || newest.kind === 'START') return ['CONFLICT'];
    assign(service.fields, { customerId: newest.from }, ['customerId']);
    recordOwner(service, act, now, 'UNDO', newest.to);
    return findable(service).map(() => 'CONFLICT');
  },

  startState(service, act, now) {
    return startPart(service, service.states, act, now);
  },

  completeState(service, act, now) {
    const state = service.states[act.part ?? 0];
    return [...endPart(state, act, now), ...replaceExtensions(state?.extensions ?? [], act)];
  },

  transitionState(service, act, now) {
    const from = service.states[act.part ?? 0];
    const fields = { ...act.fields, previousStateId: act.part };
    return [...endPart(from, act, now), ...startPart(service, service.states, { ...act, fields }, now)];
  },

  startTask(service, act, now) {
    return startPart(service, service.tasks, act, now);
  },

  completeTask(service, act, now) {
    const task = service.tasks[act.part ?? 0];
    return [...endPart(task, act, now), ...replaceExtensions(task?.extensions ?? [], act)];
  },

  setExtension: onOwner(replaceExtensions),
  mergeExtension: onOwner(mergeExtension),
  updateExtensionRecord: onOwner(updateRecord),
  deleteExtensionRecord: onOwner(deleteRecord),

  setServiceExpiry(service, act, now) {
    return expire(service, act, now) ? [] : ['INVALID'];
  },

  deleteService(service) {
    service.isGone = true;
    return [];
  },

  findService,
  isPurged,
};

/** Does the act to the world, or nothing where it is refused, and answers what must come of it. */
export function perform(world: World, act: Act, rules: Rules = contract): Outcome {
  const done = findDone(world, act);
  if (done && 'version' in done.outcome && isSameCommand(done.command, act)) {
    return replay(world, act, done.outcome);
  }
  const index = indexOf(world, act);
  const found = world.services[index];
  const known = found && !found.isGone ? found : undefined;
  const isThere = known !== undefined || act.kind === 'startService';
  // What is not there is stood in for, since there may be more to refuse.
  const service = known ? structuredClone(known) : newService(world);
  service.version += 1;
  service.updatedAt = world.now;
  service.events.push(eventOf(act));
  const refusals: Refusal[] = [
    ...faultsOf(act, world.now),
    ...(isThere && hasOperation(act) ? [] : ['NOT_FOUND' as const]),
    ...(done ? ['IDEMPOTENCY_KEY_REUSED' as const] : []),
    ...(known && isStale(known, act) ? ['STALE_VERSION' as const] : []),
    ...rules[act.kind](service, act, world.now),
  ];
  if (refusals.length > 0) return { refusals };

  world.services[index] = service;
  const outcome = { index, version: service.version, part: partOf(service, act), replayed: false };
  const { idempotencyKey } = act;
  if (idempotencyKey !== null) world.done.set(idempotencyKey, { at: world.now, command: act, outcome });
  return outcome;
}

/** A service that is gone since cannot be answered with. */
function replay({ services }: World, { kind }: Act, outcome: Success): Outcome {
  const isGone = services[outcome.index]?.isGone && kind !== 'deleteService';
  return isGone ? { refusals: ['NOT_FOUND'] } : { ...outcome, replayed: true };
}

function eventOf({ kind, scope }: Act): string {
  if (/Association$|^associate/.test(kind)) return 'SERVICE_ASSOCIATED';
  if (/^start/.test(kind)) return `${scope}_STARTED`;
  if (/^complete/.test(kind)) return `${scope}_COMPLETED`;
  if (kind === 'transitionState') return 'STATE_TRANSITIONED';
  return kind === 'deleteService' ? 'SERVICE_DELETED' : `${scope}_UPDATED`;
}

function isStale({ version }: Service, { expectedVersion }: Act): boolean {
  return expectedVersion !== null && expectedVersion !== version;
}

/** A start gets the next place; what is not there has none. */
function indexOf({ services }: World, { kind, serviceId }: Act): number {
  return kind === 'startService' ? services.length : services.findIndex(({ id }) => id === serviceId);
}

function partOf({ states, tasks }: Service, { kind, part }: Act): number | null {
  if (kind === 'startTask') return tasks.length - 1;
  if (kind === 'startState' || kind === 'transitionState') return states.length - 1;
  return /^complete(State|Task)$/.test(kind) ? part : null;
}

function onOwner(write: (stored: Extension[], act: Act) => Refusal[]): Rule {
  return (service, act) => {
    const parts = act.scope === 'STATE' ? service.states : service.tasks;
    const owner = act.scope === 'SERVICE' ? service : parts[act.part ?? 0];
    return [...(owner ? [] : ['NOT_FOUND' as const]), ...write(owner?.extensions ?? [], act)];
  };
}

/** Whether the act says when the service expires. */
function expire(service: Service, { fields }: Act, now: number): boolean {
  const expiresAt = givenExpiry(fields, now);
  if (expiresAt !== undefined) service.expiresAt = expiresAt;
  return expiresAt !== undefined;
}
