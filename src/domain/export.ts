import type { Db } from '../db/database.js';
import type { Prisma } from '../generated/prisma/client.js';
import { stateQuery, taskQuery } from './parts.js';

/** Which services are exported: those of which an event lies in the range. */
export type ExportFilter = {
  events: 'any' | 'started' | 'completed';
  state: 'any' | 'active' | 'inactive';
  /** Inclusive. */
  from: Date;
  /** Exclusive. */
  to: Date;
};

/** How many services one statement looks at, so that a filter that few pass makes none of them slow. */
const windowSize = 10_000;
const pageSize = 200;

/** Of extensions, so that a few large services take no more memory than many small ones. */
const largestPage = 4 * 1024 * 1024;

/** All that hangs on a service. */
const everything = {
  extensions: { orderBy: { nameKey: 'asc' } },
  states: stateQuery({}),
  tasks: taskQuery({}),
} satisfies Prisma.ServiceInclude;

type Exported = Prisma.ServiceGetPayload<{ include: typeof everything }>;

/**
 * All services that pass, by their ids, a page at a time: each as it is when its page is read. What is
 * started, changed or deleted meanwhile moves none of the others. Reads no further than it is asked to.
 */
export async function* exportServices(db: Db, filter: ExportFilter): AsyncGenerator<Exported[]> {
  for await (const page of idsOf(db, filter, pageSize)) {
    for (const ids of await splitBySize(db, page)) {
      const where = { tenant: db.tenant, id: { in: ids }, AND: conditions(filter) };
      yield await db.prisma.service.findMany({ include: everything, where, orderBy: { id: 'asc' } });
    }
  }
}

/** The ids alone. */
export function exportServiceIds(db: Db, filter: ExportFilter): AsyncGenerator<{ id: bigint }[]> {
  return idsOf(db, filter, windowSize);
}

function idsOf(db: Db, filter: ExportFilter, size: number): AsyncGenerator<{ id: bigint }[]> {
  return pagesOf(db, filter, size, (page) => db.prisma.service.findMany({ ...page, select: { id: true } }));
}

async function splitBySize({ prisma, tenant }: Db, page: readonly { id: bigint }[]): Promise<bigint[][]> {
  const sums = await prisma.extension.groupBy({
    by: ['serviceId'],
    where: { tenant, serviceId: { in: page.map(({ id }) => id) } },
    _sum: { sizeBytes: true },
  });
  const sizes = new Map(sums.map(({ serviceId, _sum }) => [serviceId, _sum.sizeBytes ?? 0]));
  const groups: bigint[][] = [];
  let room = 0;
  for (const { id } of page) {
    const size = sizes.get(id) ?? 0;
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = largestPage;
    }
    groups.at(-1)?.push(id);
    room -= size;
  }
  return groups;
}

type Page = Pick<Prisma.ServiceFindManyArgs, 'where' | 'orderBy' | 'take'>;

async function* pagesOf<Item extends { id: bigint }>(
  db: Db,
  filter: ExportFilter,
  size: number,
  read: (page: Page) => Promise<Item[]>,
): AsyncGenerator<Item[]> {
  let seen = 0n;
  let end: bigint | undefined;
  do {
    end = await findEndOfWindow(db, seen);
    let page: Item[];
    do {
      const id = { gt: seen, ...(end === undefined ? {} : { lte: end }) };
      const where = { tenant: db.tenant, id, AND: conditions(filter) };
      page = await read({ where, orderBy: { id: 'asc' }, take: size });
      if (page.length > 0) yield page;
      seen = page.at(-1)?.id ?? seen;
    } while (page.length === size && seen !== end);
    seen = end ?? seen;
  } while (end !== undefined);
}

/** The id up to which the next window goes; undefined for the last one. */
async function findEndOfWindow({ prisma, tenant }: Db, seen: bigint): Promise<bigint | undefined> {
  const last = await prisma.service.findFirst({
    where: { tenant, id: { gt: seen } },
    orderBy: { id: 'asc' },
    skip: windowSize - 1,
    select: { id: true },
  });
  return last?.id;
}

function conditions({ events, state, from, to }: ExportFilter): Prisma.ServiceWhereInput[] {
  const range = { gte: from, lt: to };
  const started = { startedAt: range };
  const completed = { completedAt: range };
  return [
    { any: { OR: [started, completed] }, started, completed }[events],
    { any: {}, active: { completedAt: null }, inactive: { completedAt: { not: null } } }[state],
  ];
}
