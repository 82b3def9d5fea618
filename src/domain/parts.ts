import type { Cursor } from '../db/paging.js';
import type { Prisma } from '../generated/prisma/client.js';

/** Whether a service, a state or a task is still being worked on. */
export type Status = 'ACTIVE' | 'COMPLETED';

/** Which states or tasks of a service are listed: by their start, then their number. */
export type PartFilter = {
  status?: Status | undefined;
  /** In every form that may be stored. */
  types?: readonly (number | string)[] | undefined;
  /** Inclusive. */
  startedFrom?: Date | undefined;
  /** Exclusive. */
  startedTo?: Date | undefined;
  after?: Cursor | undefined;
};

export type TaskFilter = PartFilter & {
  /** Tasks of these states alone. */
  stateIds?: readonly number[] | undefined;
};

const byStart = [{ startedAt: 'asc' }, { id: 'asc' }] satisfies Prisma.StateOrderByWithRelationInput[];

/** What to load of the states of a service, or of several. */
export function stateQuery(filter: PartFilter) {
  const types = filter.types?.map((type) => ({ stateType: { equals: type } }));
  return {
    where: { AND: [...conditions(filter), types === undefined ? {} : { OR: types }] },
    orderBy: byStart,
  } satisfies Prisma.Service$statesArgs;
}

export function taskQuery(filter: TaskFilter) {
  const types = filter.types?.map((type) => ({ taskType: { equals: type } }));
  const states = filter.stateIds && { in: [...filter.stateIds] };
  return {
    where: {
      AND: [
        ...conditions(filter),
        types === undefined ? {} : { OR: types },
        states ? { stateId: states } : {},
      ],
    },
    orderBy: byStart,
  } satisfies Prisma.Service$tasksArgs;
}

function conditions({ status, startedFrom, startedTo, after }: PartFilter) {
  return [
    status === undefined ? {} : { completedAt: status === 'ACTIVE' ? null : { not: null } },
    startedFrom === undefined ? {} : { startedAt: { gte: startedFrom } },
    startedTo === undefined ? {} : { startedAt: { lt: startedTo } },
    after === undefined ? {} : isBehind(after),
  ];
}

function isBehind({ startedAt, id }: Cursor) {
  return { OR: [{ startedAt: { gt: startedAt } }, { startedAt, id: { gt: Number(id) } }] };
}

export function statusOf({ completedAt }: { completedAt: Date | null }): Status {
  return completedAt ? 'COMPLETED' : 'ACTIVE';
}

/** Whole milliseconds between start and end; null while there is no end. */
export function durationOf({
  startedAt,
  completedAt,
}: {
  startedAt: Date;
  completedAt: Date | null;
}): number | null {
  return completedAt && completedAt.getTime() - startedAt.getTime();
}
