import type { Db } from '../db/database.js';
import { NotFound } from '../errors.js';
import type { Prisma, Task } from '../generated/prisma/client.js';
import { type AnswerBudget, rowBytes } from './answer-budget.js';
import type { TaskStart } from './columns.js';
import { type TaskFilter, taskQuery } from './parts.js';
import { Faults, nullable } from './rules.js';
import { partId, readAct, readEnd, readPart, readStartEvent, type ServiceInput } from './service-fields.js';
import { type Origin, type WrittenService, writeService } from './service-writes.js';
import type { PartKey } from './states.js';

/**
 * Starts a task in a service that is active, in one of its states or in none. Its number counts on
 * from those that the service had.
 * @param input `timestamp` is the start; the extensions are the new task's
 * @throws Invalid, listing every fault; Conflict in a completed service; NotFound of the service or
 *   of the state; Unavailable, OutcomeUnknown
 */
export async function startTask(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults, newTask);
  const taskStart = readTaskStart(input, act.occurredAt, faults);
  return writeService(db, origin, { event: 'TASK_STARTED', columns: {}, taskStart, ...act }, faults);
}

export const newTask = { scope: 'TASK', ownerId: null } as const;

export function readTaskStart(input: ServiceInput, startedAt: Date, faults: Faults): TaskStart {
  const { fields, requiresType } = input;
  const state = faults.check(nullable(partId), ['stateId'], fields['stateId']);
  return Object.assign(
    readStartEvent(input, startedAt, faults),
    readPart('task', { fields, path: [], requiresType }, faults),
    { state_id: state ?? null },
  );
}

/**
 * Completes a task, once.
 * @param input `taskId` names it within its service; `timestamp` is the end, not before the start
 * @throws Invalid, listing every fault; Conflict when it is completed; NotFound, Unavailable, OutcomeUnknown
 */
export async function completeTask(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const id = faults.require(partId, ['taskId'], input.fields['taskId'], 0);
  const act = readAct(input, origin, faults, { scope: 'TASK', ownerId: id });
  const taskEnd = { id, ...readEnd(input, act, faults) };
  return writeService(db, origin, { event: 'TASK_COMPLETED', columns: {}, taskEnd, ...act }, faults);
}

/** What to load beside a task: Prisma's `include`, or what Pothos makes of a selection. */
export type TaskQuery = { include?: Prisma.TaskInclude };

export async function findTask<Q extends TaskQuery>(
  { prisma, tenant }: Db,
  key: PartKey,
  query: Q,
): Promise<Prisma.TaskGetPayload<Q> | null> {
  const where = { tenant_serviceId_id: { tenant, ...key } };
  // Prisma's type for an include that is yet a type parameter cannot be resolved here.
  return (await prisma.task.findUnique({ ...query, where })) as Prisma.TaskGetPayload<Q> | null;
}

/** @throws NotFound */
export async function getTask<Q extends TaskQuery>(
  db: Db,
  key: PartKey,
  query: Q,
): Promise<Prisma.TaskGetPayload<Q>> {
  const task = await findTask(db, key, query);
  if (!task) throw new NotFound(`Service ${key.serviceId} has no task ${key.id}.`);
  return task;
}

/**
 * The tasks of several services by their start, then their number. One statement.
 * @throws AnswerTooLarge
 */
export function listTasks(
  { prisma, tenant }: Db,
  budget: AnswerBudget,
  serviceIds: readonly bigint[],
  filter: TaskFilter,
): Promise<Task[]> {
  const { where, orderBy } = taskQuery(filter);
  return budget.inTurn(async () => {
    const tasks = await prisma.task.findMany({
      where: { tenant, serviceId: { in: [...serviceIds] }, ...where },
      orderBy,
      take: budget.take(),
    });
    budget.read(tasks.length * rowBytes);
    return tasks;
  });
}
