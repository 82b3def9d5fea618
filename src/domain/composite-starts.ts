import { createHash } from 'node:crypto';
import type { Db } from '../db/database.js';
import { afterAct, asUnavailable } from '../db/failures.js';
import type { Registry } from '../db/registry.js';
import {
  Conflict,
  DomainError,
  type Fault,
  Invalid,
  NotFound,
  OutcomeUnknown,
  type Path,
  Unavailable,
} from '../errors.js';
import { Prisma, type Service, type State, type Task } from '../generated/prisma/client.js';
import type { StateStart, TaskStart } from './columns.js';
import { storedForms } from './field-mappings.js';
import { type Attempt, findOutcome, hashCommand, idempotencyKey } from './idempotency.js';
import { Faults } from './rules.js';
import { type Act, readStart, type ServiceInput } from './service-fields.js';
import { Full } from './service-refusals.js';
import { checkWrite, hashOf, type Origin, type ServiceWrite, writeService } from './service-writes.js';
import { readServiceStart } from './services.js';
import { newState, readStateStart } from './states.js';
import { newTask, readTaskStart } from './tasks.js';

/** What is to be found or else started: a service, a state in it, and a task in it or in that state. */
export type CompositeInput = {
  service: ServiceInput;
  state: ServiceInput;
  task: ServiceInput | null;
  /** The task belongs to the state. */
  isTaskOfState: boolean;
  /** The service is started even where there is one. */
  isNewService: boolean;
  /** What the front itself found wrong with the entry. */
  faults: readonly Fault[];
};

export type CompositeStart = {
  serviceId: bigint;
  serviceCreated: boolean;
  stateId: number;
  stateCreated: boolean;
  /** Absent where no task was asked for. */
  task?: { id: number; created: boolean };
};

/**
 * Finds an active service of the same customer, type and contact key, the newest of several, and in
 * it an active state and task of the given types; starts what there is not. Callers at the same
 * moment get the same ones (legacy contract, operations). What is found is left as it is.
 * @param givenKey with it the same call again answers what the first one did
 * @param inputs one entry after the other; the faults of all come first, and let nothing be done
 * @throws Invalid, listing every fault with its entry; Conflict or OutcomeUnknown where an entry fails behind
 *   others that were done; Unavailable
 */
export async function startComposite(
  db: Db,
  origin: Origin,
  inputs: readonly CompositeInput[],
  givenKey: unknown,
): Promise<{ starts: CompositeStart[]; replayed: boolean }> {
  const faults = new Faults();
  const key = faults.check(idempotencyKey, ['idempotencyKey'], givenKey ?? undefined) ?? null;
  const entries = inputs.map((input, index) =>
    readEntry(withKey(input, key, index), origin, faults, ['services', index]),
  );
  const call = key === null ? null : { key, commandHash: hashCommand(inputs), receivedAt: origin.receivedAt };
  const before = call && faults.list.length === 0 ? await findOutcome(db, call) : undefined;
  if (before !== undefined) return { starts: fromOutcome(before), replayed: true };
  const found = await checkEntries(db, origin, entries);
  if (faults.list.length + found.length > 0) throw new Invalid([...faults.list, ...found]);
  const starts: CompositeStart[] = [];
  try {
    for (const entry of entries) starts.push(await startEntry(db, origin, entry));
  } catch (error) {
    throw starts.length === 0 ? error : behindDone(error, starts.length, entries.length);
  }
  const kept = call && (await afterAct(() => keepOutcome(db, call, starts)));
  return kept ?? { starts, replayed: false };
}

/** Each entry is an act of its own: what fails behind the first one cannot say that nothing was done. */
function behindDone(error: unknown, done: number, count: number): unknown {
  const failure = asUnavailable(error) ?? error;
  const told = `Of the ${count} entries ${done} ${done === 1 ? 'was' : 'were'} done`;
  if (failure instanceof Unavailable) {
    return new OutcomeUnknown(`${told}; of the others it is unknown.`, { cause: error });
  }
  if (!(failure instanceof DomainError)) return failure;
  return new Conflict(`${told}; the next one was refused: ${failure.message}`, { cause: error });
}

/** Each entry that creates a service does so once, also where the call broke off before its outcome was kept. */
function withKey(input: CompositeInput, key: string | null, index: number): CompositeInput {
  if (key === null) return input;
  const own = `composite ${createHash('sha256').update(key).digest('base64url')} ${index}`;
  return {
    ...input,
    service: { ...input.service, fields: { ...input.service.fields, idempotencyKey: own } },
  };
}

/** The outcome of the same call, where that was kept meanwhile. */
async function keepOutcome(db: Db, call: Attempt, starts: readonly CompositeStart[]) {
  const outcome = JSON.stringify(starts.map((start) => ({ ...start, serviceId: String(start.serviceId) })));
  const kept = await db.write(Prisma.sql`
    insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
    values (${db.tenant}, ${call.key}, ${call.commandHash}, ${outcome}::jsonb, ${call.receivedAt})
    on conflict do nothing returning key`);
  const before = kept.length > 0 ? undefined : await findOutcome(db, call);
  return before === undefined ? null : { starts: fromOutcome(before), replayed: true };
}

/** As keepOutcome writes it. */
function fromOutcome(outcome: unknown): CompositeStart[] {
  const starts = outcome as (Omit<CompositeStart, 'serviceId'> & { serviceId: string })[];
  return starts.map((start) => ({ ...start, serviceId: BigInt(start.serviceId) }));
}

/** What starts a state or a task says nothing of its service. */
type Part = Act & Pick<ServiceWrite, 'columns'>;

type Entry = {
  service: ServiceWrite;
  state: Part & { stateStart: StateStart };
  task: (Part & { taskStart: TaskStart }) | null;
  isTaskOfState: boolean;
  isNewService: boolean;
};

function readEntry(input: CompositeInput, origin: Origin, faults: Faults, path: Path): Entry {
  const within = <T>(
    part: 'service' | 'state' | 'task',
    given: ServiceInput,
    read: (own: Faults) => T,
  ): T => {
    const own = new Faults(given.faults);
    const value = read(own);
    for (const { path: place, ...fault } of own.list) faults.add([...path, part, ...place], fault);
    return value;
  };
  const { service, state, task } = input;
  for (const { path: place, ...fault } of input.faults) faults.add([...path, ...place], fault);
  return {
    service: within('service', service, (own) => readServiceStart(service, origin, own)),
    state: within('state', state, (own) => {
      const act = readStart(state, origin, own, newState);
      return { columns: {}, stateStart: readStateStart(state, act.occurredAt, own), ...act };
    }),
    task:
      task &&
      within('task', task, (own) => {
        const act = readStart(task, origin, own, newTask);
        return { columns: {}, taskStart: readTaskStart(task, act.occurredAt, own), ...act };
      }),
    isTaskOfState: input.isTaskOfState,
    isNewService: input.isNewService,
  };
}

/** What the registry has against the entries: one that is out of date is reloaded, not believed. */
async function checkEntries(db: Db, origin: Origin, entries: readonly Entry[]): Promise<Fault[]> {
  let registry = await db.registry.current();
  for (;;) {
    const faults: Fault[] = [];
    for (const [index, entry] of entries.entries()) {
      const found = await checkEntry(db, registry, entry, origin);
      faults.push(...found.map((fault) => ({ ...fault, path: ['services', index, ...fault.path] })));
    }
    const newer = faults.length > 0 ? await db.registry.newerThan(registry) : null;
    if (!newer) return faults;
    registry = newer;
  }
}

/** All of it together, as it is written where nothing is found; what is wrong with one part is told of that. */
async function checkEntry(db: Db, registry: Registry, entry: Entry, origin: Origin): Promise<Fault[]> {
  const together = await checkWrite(db, registry, writeOfAll(entry), origin);
  if (together.length === 0) return [];
  const { service, state, task } = entry;
  const parts = { service, state: { ...state, event: 'STATE_STARTED' as const } };
  const all = task ? { ...parts, task: { ...task, event: 'TASK_STARTED' as const } } : parts;
  const faults: Fault[] = [];
  for (const [part, write] of Object.entries(all)) {
    const found = await checkWrite(db, registry, write, origin);
    faults.push(...found.map((fault) => ({ ...fault, path: [part, ...fault.path] })));
  }
  return faults.length > 0 ? faults : [...together];
}

/** Others that find or start the same are met again, each time with one of them done. */
const mostAttempts = 100;

async function startEntry(db: Db, origin: Origin, entry: Entry): Promise<CompositeStart> {
  const started = await findStarted(db, origin, entry);
  if (started) return started;
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    try {
      const match = entry.isNewService ? { turn: null, found: null } : await findMatch(db, entry);
      return match.found
        ? await completeMatch(db, origin, entry, match.found)
        : await startAll(db, origin, entry, match.turn);
    } catch (error) {
      // Somebody else was first, or the service has ended or gone: the next look tells.
      if (
        !(error instanceof Conflict || error instanceof NotFound) ||
        error instanceof Full ||
        error.code === 'IDEMPOTENCY_KEY_REUSED'
      )
        throw error;
    }
  }
  throw new Unavailable('Such services change too fast: try again.');
}

type Turn = { key: string; turn: number };
type Found = { service: Service; state: State | undefined; task: Task | null };

/** The turn is read first: a service that is created behind it costs a second look, and no second service. */
async function findMatch(db: Db, entry: Entry): Promise<{ turn: Turn; found: Found | null }> {
  const { prisma, tenant } = db;
  const { customer_id, contact_key, service_type } = entry.service.columns;
  const registry = await db.registry.current();
  const types = formsOf(registry, 'Service.type', service_type);
  const owner = { customerId: asText(customer_id), contactKey: asText(contact_key) };
  const key = createHash('sha256')
    .update(JSON.stringify([owner.customerId, owner.contactKey, types?.map(String).sort() ?? null]))
    .digest('base64url');
  const taken = await prisma.compositeStart.findUnique({ where: { tenant_key: { tenant, key } } });
  const turn = { key, turn: taken?.turn ?? 0 };
  const newest = [{ startedAt: 'desc' as const }, { id: 'desc' as const }];
  const active = { completedAt: null };
  const service = await prisma.service.findFirst({
    where: { tenant, ...owner, ...active, OR: equalsAny('serviceType', types) },
    orderBy: newest,
    include: {
      states: {
        where: {
          ...active,
          OR: equalsAny('stateType', formsOf(registry, 'State.type', entry.state.stateStart.state_type)),
        },
        orderBy: newest,
        take: 1,
      },
    },
  });
  if (!service) return { turn, found: null };
  const { states, ...found } = service;
  const [state] = states;
  if (!entry.task || (entry.isTaskOfState && !state))
    return { turn, found: { service: found, state, task: null } };
  const task = await prisma.task.findFirst({
    where: {
      tenant,
      serviceId: service.id,
      ...active,
      ...(entry.isTaskOfState && state ? { stateId: state.id } : {}),
      OR: equalsAny('taskType', formsOf(registry, 'Task.type', entry.task.taskStart.task_type)),
    },
    orderBy: newest,
  });
  return { turn, found: { service: found, state, task } };
}

type Code = StateStart['state_type'];

/** Every form that the type may be stored in; undefined where there is none. */
function formsOf(
  registry: Registry,
  field: Parameters<typeof storedForms>[1],
  type: Code,
): readonly (number | string)[] | undefined {
  if (typeof type !== 'number' && typeof type !== 'string') return undefined;
  const forms = storedForms(registry, field, type);
  // What is none of a mapped field's values was refused before.
  return forms.ok ? forms.value : undefined;
}

/** A type that is not given matches services, states and tasks without one. */
function equalsAny<Name extends string>(name: Name, forms: readonly (number | string)[] | undefined) {
  const values = forms ?? [Prisma.DbNull];
  return values.map((value) => ({ [name]: { equals: value } }) as Record<Name, { equals: typeof value }>);
}

function asText(value: ServiceWrite['columns']['customer_id']): string | null {
  return value === null || value === undefined ? null : String(value);
}

async function startAll(db: Db, origin: Origin, entry: Entry, turn: Turn | null): Promise<CompositeStart> {
  const write = { ...writeOfAll(entry), ...(turn ? { composite: turn } : {}) };
  const { service, stateId, taskId } = await writeService(db, origin, write, new Faults());
  return startOf(entry, { serviceId: service.id, stateId, taskId });
}

function writeOfAll({ service, state, task, isTaskOfState }: Entry): ServiceWrite {
  return {
    ...service,
    stateStart: state.stateStart,
    ...(task ? { taskStart: taskOf(task.taskStart, isTaskOfState ? 0 : null) } : {}),
    extensions: [...service.extensions, ...state.extensions, ...(task?.extensions ?? [])],
  };
}

function startOf(
  { task }: Entry,
  { serviceId, stateId, taskId }: { serviceId: bigint; stateId: number | null; taskId: number | null },
): CompositeStart {
  return {
    serviceId,
    serviceCreated: true,
    stateId: stateId ?? 0,
    stateCreated: true,
    ...(task ? { task: { id: taskId ?? 0, created: true } } : {}),
  };
}

/** What the same call created before it broke off. */
async function findStarted(
  db: Db,
  { receivedAt }: Origin,
  entry: Entry,
): Promise<CompositeStart | undefined> {
  const { idempotencyKey: key } = entry.service;
  if (!key) return undefined;
  const commandHash = hashOf(writeOfAll(entry));
  const outcome = await findOutcome(db, { key, commandHash, receivedAt });
  if (outcome === undefined) return undefined;
  // As the write statement builds it.
  const { serviceId, ...ids } = outcome as { serviceId: string; stateId: number; taskId: number };
  return startOf(entry, { serviceId: BigInt(serviceId), ...ids });
}

/** What is missing in a service that was found is started in one act, unless it changed since. */
async function completeMatch(db: Db, origin: Origin, entry: Entry, found: Found): Promise<CompositeStart> {
  const { service } = found;
  const stateId = found.state?.id ?? service.nextStateId;
  const missing = missingParts(entry, found, stateId);
  const [first] = missing;
  if (first) {
    const extensions = missing.flatMap((part) => part.extensions);
    const write = { ...Object.assign({}, ...missing), event: first.event, extensions };
    const key = { id: service.id, expectedVersion: service.version };
    await writeService(db, origin, { ...write, ...key }, new Faults());
  }
  const task = { id: found.task?.id ?? service.nextTaskId, created: !found.task };
  return {
    serviceId: service.id,
    serviceCreated: false,
    stateId,
    stateCreated: !found.state,
    ...(entry.task ? { task } : {}),
  };
}

function missingParts({ state, task, isTaskOfState }: Entry, found: Found, stateId: number): ServiceWrite[] {
  const parts: ServiceWrite[] = [];
  if (!found.state) parts.push({ ...state, event: 'STATE_STARTED' });
  if (task && !found.task) {
    const taskStart = taskOf(task.taskStart, isTaskOfState ? stateId : null);
    parts.push({ ...task, taskStart, event: 'TASK_STARTED' });
  }
  return parts;
}

/** A task goes to the state of its entry where it is to belong to that. */
function taskOf(start: TaskStart, stateId: number | null): TaskStart {
  return stateId === null ? start : { ...start, state_id: stateId };
}
