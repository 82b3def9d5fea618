import type { Db } from '../db/database.js';
import { prepared } from '../db/statement-names.js';
import {
  type Association,
  type Extension,
  type ExtensionScope,
  Prisma,
  type Service,
  type State,
  type Task,
} from '../generated/prisma/client.js';
import { type AnswerBudget, mostAnswerBytes, rowBytes } from './answer-budget.js';
import { associationRow, extensionRow, serviceRow, stateRow, taskRow } from './columns.js';
import type { Status } from './parts.js';
import { rowArray, rowDecoder } from './rows.js';

/** What is read with services, in the same statement. */
export type Beside = {
  /** Of the services, their states or their tasks; of these names alone where some are given. */
  extensions?: readonly { scope: ExtensionScope; nameKeys?: readonly string[] }[];
  states?: { status?: Status };
  tasks?: { status?: Status };
  associations?: AssociationPage;
};

/** A page of each service's history, as Prisma would be asked for it. */
export type AssociationPage = {
  where: { version: { gt: number; lt: number } };
  orderBy: { version: 'asc' | 'desc' };
  take: number;
};

/** A service with what was asked for beside it. */
export type ReadService = Service & {
  extensions?: Extension[];
  states?: State[];
  tasks?: Task[];
  associations?: Association[];
};

/** Which services, as `s`, and in which order. */
export type Selection = { where: Prisma.Sql; orderBy?: Prisma.Sql; limit?: number | undefined };

/** Services of which there cannot be too much: of each there are at most 256 KiB of extensions. */
export const fewServices = 32;
/** The same without anything that can be many or large beside them. */
const shortServices = 512;

/** Of the states and of the tasks of a service as many as are read without a look at how many there are. */
const fewParts = 500;

/**
 * Reads services with what hangs on them: one statement, unless there turn out to be many, or many states or
 * tasks of one. Those are read anew, after their size is known, which costs more than the few that most lists
 * have. A call reads one list after the other: it holds no more than one connection.
 * @throws AnswerTooLarge before PostgreSQL sends more of it than the call may yet read
 */
export async function readServices(
  db: Db,
  budget: AnswerBudget,
  selection: Selection,
  beside: Beside,
): Promise<ReadService[]> {
  const { limit = Number.POSITIVE_INFINITY } = selection;
  const most = isShort(beside) ? shortServices : fewServices;
  return budget.inTurn(async () => {
    const statement = readFew(db, { ...selection, limit: Math.min(limit, most + 1) }, beside);
    const few = decode(await db.read<Row>(statement), beside);
    const isAll = few.length <= most && few.every((service) => hasFewParts(service, beside));
    return counted(isAll ? few : await readMany(db, budget, selection, beside), budget);
  });
}

function hasFewParts({ nextStateId, nextTaskId }: Service, { states, tasks }: Beside): boolean {
  return (!states || nextStateId <= fewParts) && (!tasks || nextTaskId <= fewParts);
}

/** @throws AnswerTooLarge */
async function readMany(
  db: Db,
  budget: AnswerBudget,
  selection: Selection,
  beside: Beside,
): Promise<ReadService[]> {
  const rows = await db.read<Row>(readWithin(db, budget, selection, beside));
  // Too much: nothing is left to the other lists of the call.
  if (rows[0]?.row === null) budget.read(Number.POSITIVE_INFINITY);
  return decode(rows, beside);
}

/** @throws AnswerTooLarge */
function counted(services: ReadService[], budget: AnswerBudget): ReadService[] {
  budget.read(services.reduce((sum, service) => sum + sizeOf(service), 0));
  return services;
}

type Row = { row: unknown[] | null; beside: (unknown[][] | null)[] };

function isShort({ extensions, states, tasks, associations }: Beside): boolean {
  return !extensions && !states && !tasks && !associations;
}

/** A service with many states or tasks comes without them. */
function readFew({ tenant }: Db, selection: Selection, beside: Beside): Prisma.Sql {
  return Prisma.sql`
    ${prepared.read} select ${serviceArray} as row, ${besideArray(tenant, beside, fewParts)} as beside
    from service s where ${selected(tenant, selection)}`;
}

/** Answers rows of nothing where there is too much of them. */
function readWithin(
  { tenant }: Db,
  { room }: AnswerBudget,
  selection: Selection,
  beside: Beside,
): Prisma.Sql {
  // More are too many, whatever they are.
  const { limit = Math.floor(mostAnswerBytes / rowBytes) + 1 } = selection;
  return Prisma.sql`
    ${prepared.read} with page as materialized (
      select s.* from service s where ${selected(tenant, { ...selection, limit })}
    ), page_size as materialized (
      select sum(${rowBytes}::bigint * (${rowsOf(beside)})
        + ${beside.extensions ? extensionBytesOf(tenant, beside.extensions) : Prisma.sql`0`}) <= ${room} as fits
      from page s
    )
    select case when fits then ${serviceArray} end as row,
      case when fits then ${besideArray(tenant, beside)} end as beside
    from page s, page_size ${ordered(selection)}`;
}

/** The service itself and what hangs on it, counted without a look at it. */
function rowsOf({ states, tasks, associations }: Beside): Prisma.Sql {
  const counts = [
    '1',
    ...(states ? ['s.next_state_id'] : []),
    ...(tasks ? ['s.next_task_id'] : []),
    ...(associations ? [`least(s.version, ${associations.take})`] : []),
  ];
  return Prisma.raw(counts.join(' + '));
}

function selected(tenant: string, { where, limit, ...order }: Selection): Prisma.Sql {
  return Prisma.sql`s.tenant = ${tenant} and ${where} ${ordered(order)}
    ${limit === undefined ? Prisma.empty : Prisma.sql`limit ${limit}`}`;
}

function ordered({ orderBy }: Pick<Selection, 'orderBy'>): Prisma.Sql {
  return orderBy ? Prisma.sql`order by ${orderBy}` : Prisma.empty;
}

/** @param most states are not read where the service has had more, and tasks alike */
function besideArray(tenant: string, beside: Beside, most?: number): Prisma.Sql {
  return Prisma.sql`json_build_array(${Prisma.join([
    beside.extensions ? extensionsOf(tenant, beside.extensions) : nothing,
    beside.states ? partsOf('state', tenant, { ...beside.states, most }) : nothing,
    beside.tasks ? partsOf('task', tenant, { ...beside.tasks, most }) : nothing,
    beside.associations ? associationsOf(tenant, beside.associations) : nothing,
  ])})`;
}

function sizeOf({ extensions = [], states = [], tasks = [], associations = [] }: ReadService): number {
  const rows = 1 + states.length + tasks.length + associations.length;
  return extensions.reduce((sum, { sizeBytes }) => sum + sizeBytes, rows * rowBytes);
}

function decode(rows: readonly Row[], beside: Beside): ReadService[] {
  return rows.map(({ row, beside: [extensions, states, tasks, associations] }) => {
    const service: ReadService = decodeService(row ?? []);
    if (beside.extensions) service.extensions = (extensions ?? []).map(decodeExtension);
    if (beside.states) service.states = (states ?? []).map(decodeState);
    if (beside.tasks) service.tasks = (tasks ?? []).map(decodeTask);
    if (beside.associations) service.associations = (associations ?? []).map(decodeAssociation);
    return service;
  });
}

export const decodeService = rowDecoder<Service>(serviceRow);
const decodeExtension = rowDecoder<Extension>(extensionRow);
const decodeState = rowDecoder<State>(stateRow);
const decodeTask = rowDecoder<Task>(taskRow);
const decodeAssociation = rowDecoder<Association>(associationRow);

const nothing = Prisma.sql`null`;
const serviceArray = rowArray(serviceRow, 's');
const extensionArray = rowArray(extensionRow, 'e');
const partArrays = { state: rowArray(stateRow, 'p'), task: rowArray(taskRow, 'p') } as const;
const associationArray = rowArray(associationRow, 'a');

type WantedExtensions = NonNullable<Beside['extensions']>;

function extensionsOf(tenant: string, wanted: WantedExtensions): Prisma.Sql {
  return Prisma.sql`(
    select json_agg(${extensionArray} order by e.name_key)
    from extension e where ${areWanted(tenant, wanted)})`;
}

function extensionBytesOf(tenant: string, wanted: WantedExtensions): Prisma.Sql {
  return Prisma.sql`(
    select coalesce(sum(e.size_bytes), 0) from extension e where ${areWanted(tenant, wanted)})`;
}

function areWanted(tenant: string, wanted: WantedExtensions): Prisma.Sql {
  const conditions = wanted.map(({ scope, nameKeys }) =>
    nameKeys
      ? Prisma.sql`e.scope = ${scope}::extension_scope and e.name_key = any(${nameKeys}::text[])`
      : Prisma.sql`e.scope = ${scope}::extension_scope`,
  );
  return Prisma.sql`e.tenant = ${tenant} and e.service_id = s.id and (${Prisma.join(conditions, ' or ')})`;
}

/** By their start, then their number. */
function partsOf(
  kind: 'state' | 'task',
  tenant: string,
  { status, most }: { status?: Status; most: number | undefined },
): Prisma.Sql {
  const isListed = status ? Prisma.sql`and ${hasStatus('p', status)}` : Prisma.empty;
  const areFew = most === undefined ? Prisma.empty : Prisma.raw(`and s.next_${kind}_id <= ${most}`);
  return Prisma.sql`(
    select json_agg(${partArrays[kind]} order by p.started_at, p.id)
    from ${Prisma.raw(kind)} p where p.tenant = ${tenant} and p.service_id = s.id ${isListed} ${areFew})`;
}

export function hasStatus(table: 's' | 'p', status: Status): Prisma.Sql {
  return Prisma.raw(`${table}.completed_at is ${status === 'ACTIVE' ? 'null' : 'not null'}`);
}

function associationsOf(tenant: string, { where, orderBy, take }: AssociationPage): Prisma.Sql {
  const { gt, lt } = where.version;
  const direction = Prisma.raw(orderBy.version);
  return Prisma.sql`(
    select json_agg(page.row order by page.version ${direction}) from (
      select ${associationArray} as row, a.version from association a
      where a.tenant = ${tenant} and a.service_id = s.id and a.version > ${gt} and a.version < ${lt}
      order by a.version ${direction} limit ${take}
    ) as page)`;
}
