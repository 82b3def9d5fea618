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

/** Reads services with what hangs on them: one statement, whatever there is. */
export async function readServices(
  db: Db,
  { where, orderBy, limit }: Selection,
  beside: Beside,
): Promise<ReadService[]> {
  const rows = await db.prisma.$queryRaw<{ row: unknown[]; beside: (unknown[][] | null)[] }[]>(Prisma.sql`
    ${prepared.read} select ${serviceArray} as row, json_build_array(${Prisma.join([
      beside.extensions ? extensionsOf(db.tenant, beside.extensions) : nothing,
      beside.states ? partsOf('state', db.tenant, beside.states) : nothing,
      beside.tasks ? partsOf('task', db.tenant, beside.tasks) : nothing,
      beside.associations ? associationsOf(db.tenant, beside.associations) : nothing,
    ])}) as beside
    from service s where s.tenant = ${db.tenant} and ${where}
    ${orderBy ? Prisma.sql`order by ${orderBy}` : Prisma.empty}
    ${limit === undefined ? Prisma.empty : Prisma.sql`limit ${limit}`}`);
  return rows.map(({ row, beside: [extensions, states, tasks, associations] }) => ({
    ...decodeService(row),
    ...(beside.extensions && { extensions: (extensions ?? []).map(decodeExtension) }),
    ...(beside.states && { states: (states ?? []).map(decodeState) }),
    ...(beside.tasks && { tasks: (tasks ?? []).map(decodeTask) }),
    ...(beside.associations && { associations: (associations ?? []).map(decodeAssociation) }),
  }));
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

function extensionsOf(tenant: string, wanted: NonNullable<Beside['extensions']>): Prisma.Sql {
  const conditions = wanted.map(({ scope, nameKeys }) =>
    nameKeys
      ? Prisma.sql`e.scope = ${scope}::extension_scope and e.name_key = any(${nameKeys}::text[])`
      : Prisma.sql`e.scope = ${scope}::extension_scope`,
  );
  return Prisma.sql`(
    select json_agg(${extensionArray} order by e.name_key)
    from extension e
    where e.tenant = ${tenant} and e.service_id = s.id and (${Prisma.join(conditions, ' or ')}))`;
}

/** By their start, then their number. */
function partsOf(kind: 'state' | 'task', tenant: string, { status }: { status?: Status }): Prisma.Sql {
  const isListed = status ? Prisma.sql`and ${hasStatus('p', status)}` : Prisma.empty;
  return Prisma.sql`(
    select json_agg(${partArrays[kind]} order by p.started_at, p.id)
    from ${Prisma.raw(kind)} p where p.tenant = ${tenant} and p.service_id = s.id ${isListed})`;
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
