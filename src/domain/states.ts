import type { Db } from '../db/database.js';
import { NotFound, type Path } from '../errors.js';
import type { Prisma, State } from '../generated/prisma/client.js';
import { type AnswerBudget, rowBytes } from './answer-budget.js';
import type { StateStart } from './columns.js';
import { type PartFilter, stateQuery } from './parts.js';
import { Faults, isObject, nullable } from './rules.js';
import {
  partId,
  readAct,
  readDisposition,
  readEnd,
  readEndEvent,
  readPart,
  readStartEvent,
  type ServiceInput,
} from './service-fields.js';
import { type Origin, type WrittenService, writeService } from './service-writes.js';

/**
 * Starts a state of a service that is active. Its number counts on from those that the service had.
 * @param input `timestamp` is the start; the extensions are the new state's
 * @throws Invalid, listing every fault; Conflict in a completed service; NotFound of the service or
 *   of the previous state; Unavailable, OutcomeUnknown
 */
export async function startState(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults, newState);
  const stateStart = readStateStart(input, act.occurredAt, faults);
  return writeService(db, origin, { event: 'STATE_STARTED', columns: {}, stateStart, ...act }, faults);
}

export function readStateStart(input: ServiceInput, startedAt: Date, faults: Faults): StateStart {
  const { fields, requiresType } = input;
  const previous = faults.check(nullable(partId), ['previousStateId'], fields['previousStateId']);
  return Object.assign(
    readStartEvent(input, startedAt, faults),
    readPart('state', { fields, path: [], requiresType }, faults),
    { previous_state_id: previous ?? null },
  );
}

export const newState = { scope: 'STATE', ownerId: null } as const;

/**
 * Completes a state, once. Its tasks go on.
 * @param input `stateId` names it within its service; `timestamp` is the end, not before the start
 * @throws Invalid, listing every fault; Conflict when it is completed; NotFound, Unavailable, OutcomeUnknown
 */
export async function completeState(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const id = faults.require(partId, ['stateId'], input.fields['stateId'], 0);
  const act = readAct(input, origin, faults, { scope: 'STATE', ownerId: id });
  const stateEnd = { id, ...readEnd(input, act, faults) };
  return writeService(db, origin, { event: 'STATE_COMPLETED', columns: {}, stateEnd, ...act }, faults);
}

/**
 * Completes one state and starts the next in one act. What the event says is said of both.
 * @param input `from` names the state that ends, `to` is the new one; the extensions are the new state's
 * @throws as completeState and startState do
 */
export async function transitionState(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults, newState);
  const from = readMembers(input, 'from', faults);
  const to = readMembers(input, 'to', faults);
  const id = faults.require(partId, ['from', 'stateId'], from['stateId'], 0);
  const stateEnd = {
    id,
    ...readEndEvent(input, act.occurredAt, faults),
    ...readDisposition(from, ['from'], faults),
  };
  const stateStart: StateStart = {
    // What is wrong with the event is told already, of the end.
    ...readStartEvent(input, act.occurredAt, new Faults()),
    ...readPart('state', { fields: to, path: ['to'], requiresType: input.requiresType }, faults),
    previous_state_id: id,
  };
  const write = { event: 'STATE_TRANSITIONED', columns: {}, stateEnd, stateStart, ...act } as const;
  return writeService(db, origin, write, faults);
}

function readMembers(
  { fields }: ServiceInput,
  name: 'from' | 'to',
  faults: Faults,
): Readonly<Record<string, unknown>> {
  const path: Path = [name];
  const value = fields[name];
  if (isObject(value)) return value;
  faults.add(path, { message: value === undefined ? 'is required' : 'must be an object' });
  return { stateId: 0, stateType: 0 };
}

/** A state or a task by its number within its service. */
export type PartKey = { serviceId: bigint; id: number };

/** What to load beside a state: Prisma's `include`, or what Pothos makes of a selection. */
export type StateQuery = { include?: Prisma.StateInclude };

export async function findState<Q extends StateQuery>(
  { prisma, tenant }: Db,
  key: PartKey,
  query: Q,
): Promise<Prisma.StateGetPayload<Q> | null> {
  const where = { tenant_serviceId_id: { tenant, ...key } };
  // Prisma's type for an include that is yet a type parameter cannot be resolved here.
  return (await prisma.state.findUnique({ ...query, where })) as Prisma.StateGetPayload<Q> | null;
}

/** @throws NotFound */
export async function getState<Q extends StateQuery>(
  db: Db,
  key: PartKey,
  query: Q,
): Promise<Prisma.StateGetPayload<Q>> {
  const state = await findState(db, key, query);
  if (!state) throw new NotFound(`Service ${key.serviceId} has no state ${key.id}.`);
  return state;
}

/**
 * The states of several services by their start, then their number. One statement.
 * @throws AnswerTooLarge
 */
export function listStates(
  { prisma, tenant }: Db,
  budget: AnswerBudget,
  serviceIds: readonly bigint[],
  filter: PartFilter,
): Promise<State[]> {
  const { where, orderBy } = stateQuery(filter);
  return budget.inTurn(async () => {
    const states = await prisma.state.findMany({
      where: { tenant, serviceId: { in: [...serviceIds] }, ...where },
      orderBy,
      take: budget.take(),
    });
    budget.read(states.length * rowBytes);
    return states;
  });
}
