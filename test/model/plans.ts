import {
  type Act,
  type Command,
  type CompositeEntry,
  type Extension,
  type Fields,
  type Front,
  type Kind,
  type Operation,
  operations,
  present,
  type Scope,
} from './acts.js';
import { type CompositePlan, compositeOf } from './composite-plans.js';
import { faultsOf, hasOperation } from './inputs.js';
import { idleAt, isPurged } from './lifetimes.js';
import { at, base, newKey, timed, unknownPart } from './planning.js';
import { type Item, livingOf, type Service, type World } from './world.js';

/** A call that names services by the order of their starts, and versions by what they are by then. */
export type Plan = Deed | Repeat | CompositePlan | PurgePlan | SweepPlan;

type Deed = {
  kind: Kind;
  front: Front;
  /** Where it would come to nothing, an act that is to be possible is left out. */
  aim: 'what is possible' | 'whatever there is' | 'an unknown service' | 'an unknown part';
  service: number;
  part: number;
  scope: Scope;
  fields: Fields;
  extensions: Extension[];
  expects: 'any version' | 'the version' | 'another version';
  isKeyed: boolean;
};

/** A call with a key again, over the same front or another one, the same or another command. */
type Repeat = { kind: 'repeat'; call: number; front: Front; isChanged: boolean };

/** Of what was started before one of the services, or with it, or until now. */
export type PurgePlan = {
  kind: 'purgeServices';
  front: Front;
  operation: Operation;
  limit: 'now' | 'ahead' | 'with a service' | 'just behind a service';
  service: number;
  /** Whether the operation is one that takes the service. */
  isFitting: boolean;
  isDryRun: boolean;
  isKeyed: boolean;
  /** What deletes: batches of so many ids, a sweep at once, or the next sweep that comes. */
  drive: number | 'a sweep' | 'the next sweep';
};

/** Where nothing is due soon, the clock stays where it is. */
export type SweepPlan = {
  kind: 'sweep';
  until: 'now' | 'just before something is due' | 'something is due' | 'a while later';
};

/** How long the clock goes on before it, and what filters the lists are looked at with behind it. */
export type Step = { plan: Plan; waitMilliseconds: number; look: Look };

/** The filters, and which of the owners has its list filtered over REST. */
export type Look = {
  types: string[];
  from: string;
  to: string;
  stateId: number;
  owner: number;
  isCompleted: boolean | undefined;
};

/** The call that the plan comes to in this world. */
export function commandOf(world: World, plan: Exclude<Plan, SweepPlan>): Command | undefined {
  switch (plan.kind) {
    case 'repeat':
      return repeatOf(world, plan);
    case 'startComposite':
      return compositeOf(world, plan);
    case 'purgeServices':
      return purgeOf(world, plan);
    default:
      return deedOf(world, plan);
  }
}

const unknownService = '999999999999';

function deedOf(world: World, deed: Deed): Act | undefined {
  const services = deed.aim === 'what is possible' ? livingOf(world) : world.services;
  const service = deed.aim === 'an unknown service' ? undefined : at(services, deed.service);
  const isStart = deed.kind === 'startService';
  if (deed.aim === 'what is possible' && !isStart && !isPossible(deed, service)) return undefined;

  const parts = partsFor(deed, service);
  const isUnknown = deed.aim === 'an unknown part' || parts.length === 0;
  const version = (service?.version ?? 1) - (deed.expects === 'another version' ? 1 : 0);
  return {
    kind: deed.kind,
    front: deed.front,
    serviceId: isStart ? null : (service?.id ?? unknownService),
    part: needsPart(deed) ? (isUnknown ? unknownPart : deed.part % parts.length) : null,
    fields: fieldsOf(world, deed, service),
    extensions: deed.extensions,
    scope: deed.scope,
    expectedVersion: isStart || deed.expects === 'any version' ? null : version,
    idempotencyKey: newKey(world, deed),
  };
}

/** But for what is wrong with the input itself. */
function isPossible(deed: Deed, service: Service | undefined): boolean {
  const { kind, scope, extensions } = deed;
  if (!service) return false;
  const part = at(partsFor(deed, service), deed.part);
  if (kind === 'undoAssociation') return service.history.length > 1;
  if (kind === 'completeService' || /^start/.test(kind)) return !service.completed;
  if (/^(complete|transition)/.test(kind)) return part?.completed === null;
  const owner = scope === 'SERVICE' ? service : part;
  return /Record$/.test(kind)
    ? owner?.extensions.some(({ name }) => name === extensions[0]?.name) === true
    : !!owner;
}

function partsFor({ kind, scope }: Deed, service: Service | undefined): readonly Item[] {
  return (kind === 'completeTask' || scope === 'TASK' ? service?.tasks : service?.states) ?? [];
}

function needsPart({ kind, scope }: Deed): boolean {
  return /^complete(State|Task)$|^transition/.test(kind) || (/Extension/.test(kind) && scope !== 'SERVICE');
}

/** With states that there are, and times from now on. */
function fieldsOf(world: World, { fields: given }: Deed, service: Service | undefined): Fields {
  const { previousStateId, stateId, ...fields } = timed(world, given);
  const states = service?.states.length ?? 0;
  const within = (number: Fields[string] | undefined) => {
    if (typeof number !== 'number' || number === unknownPart) return number;
    return states === 0 ? undefined : number % states;
  };
  return { ...fields, ...present({ previousStateId: within(previousStateId), stateId: within(stateId) }) };
}

function purgeOf(world: World, plan: PurgePlan): Command {
  const { kind, front, isDryRun, limit } = plan;
  const service = at(livingOf(world), plan.service);
  const started = service?.started.at ?? base;
  const startedTo = {
    now: world.now,
    ahead: world.now + 1,
    'with a service': started,
    'just behind a service': started + 1,
  }[limit];
  const fitting = operations.filter((one) => service && plan.isFitting && isPurged(service, one));
  const operation = at(fitting, operations.indexOf(plan.operation)) ?? plan.operation;
  const idempotencyKey = newKey(world, plan);
  return { kind, front, operation, startedTo: new Date(startedTo).toISOString(), isDryRun, idempotencyKey };
}

const longestMilliseconds = 2 * 24 * 60 * 60 * 1_000;

/** To where the clock goes before the sweep. */
export function sweepTimeOf(world: World, { until }: SweepPlan): number {
  const { now } = world;
  const due = livingOf(world)
    .flatMap((service) => [service.expiresAt, idleAt(service)])
    .filter((at) => at !== null && at > now && at < now + longestMilliseconds) as number[];
  const next = due.length === 0 ? now : Math.min(...due);
  const times = { now, 'something is due': next, 'a while later': now + 2 * 60 * 60 * 1_000 };
  return until === 'just before something is due' ? Math.max(now, next - 1) : times[until];
}

function repeatOf(world: World, plan: Repeat): Command | undefined {
  const done = at([...world.done.values()], plan.call);
  return done && againOf(done.command, plan);
}

function againOf(made: Command, { front, isChanged }: Repeat): Command {
  if (made.kind === 'startComposite') {
    return isChanged ? { ...made, entries: changedEntries(made.entries) } : made;
  }
  if (made.kind === 'purgeServices') {
    const elsewhere = hasOperation({ ...made, front }) ? { ...made, front } : made;
    return isChanged ? { ...elsewhere, isDryRun: !made.isDryRun } : elsewhere;
  }
  const changed = isChanged ? { ...made, ...changeOf(made) } : made;
  const elsewhere = { ...changed, front };
  const isPortable = hasOperation(elsewhere) && made.extensions.length === 0;
  return isPortable && faultsOf(elsewhere, base).length === 0 && hasTypes(made) ? elsewhere : changed;
}

function changedEntries(entries: CompositeEntry[]): CompositeEntry[] {
  return entries.map((entry) => ({
    ...entry,
    service: { ...entry.service, fields: { ...entry.service.fields, sessionId: 'another' } },
  }));
}

function changeOf({ kind, fields, extensions: [extension] }: Act): Partial<Act> {
  if (/Extension/.test(kind) && extension)
    return { extensions: [{ ...extension, value: { text: 'another' } }] };
  if (kind === 'setServiceExpiry') return { fields: { ttl: 5 } };
  if (kind === 'deleteService') return { expectedVersion: 77 };
  return kind === 'undoAssociation' ? {} : { fields: { ...fields, sessionId: 'another' } };
}

function hasTypes({ kind, fields }: Act): boolean {
  if (kind === 'setServiceExpiry' || kind === 'deleteService') return true;
  return ['serviceType', 'stateType', 'taskType'].some((name) => fields[name] != null);
}
