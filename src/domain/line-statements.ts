import type { Statement } from '../db/batches.js';
import { Prisma } from '../generated/prisma/client.js';
import { associationRow, extensionRow, serviceRow, stateRow, taskRow } from './columns.js';
import type { ServiceLine } from './transfer-format.js';

/** A service as a line of an export, and how many parts it has. */
export type WrittenLine = {
  id: string;
  line: string;
  states: number;
  tasks: number;
  extensions: number;
  associations: number;
};

/** The tables below a service: what a line calls their rows, their columns, and in which order they come. */
const parts = [
  { member: 'states', table: 'state', columns: without(stateRow, 'tenant', 'service_id'), order: 'p.id' },
  { member: 'tasks', table: 'task', columns: without(taskRow, 'tenant', 'service_id'), order: 'p.id' },
  {
    member: 'extensions',
    table: 'extension',
    // The others follow from these.
    columns: without(extensionRow, 'tenant', 'service_id', 'name_key', 'size_bytes'),
    order: 'p.scope, p.owner_id, p.name_key collate "C"',
  },
  {
    member: 'associations',
    table: 'association',
    columns: without(associationRow, 'tenant', 'service_id'),
    order: 'p.version',
  },
] as const;

function without(columns: Readonly<Record<string, string>>, ...names: string[]): string[] {
  return Object.keys(columns).filter((name) => !names.includes(name));
}

/** The services of these ids, by their ids. */
export function linesOf(tenant: string, ids: readonly string[]): Statement {
  return { text: selectLines, values: [tenant, `{${ids.join()}}`] };
}

const selectLines = `
  select s.id::text as id,
    concat('{"service":', left(${rowText('s', without(serviceRow, 'tenant'))}, -1),
      ${parts.map(({ member }) => `',"${member}":' || ${member}.rows`).join(', ')}, '}}') as line,
    ${parts.map(({ member }) => `${member}.count as ${member}`).join(', ')}
  from service s
  ${parts
    .map(
      ({ member, table, columns, order }) => `cross join lateral (
        select count(*)::int as count,
          '[' || string_agg(${member === 'extensions' ? valueText(columns) : rowText('p', columns)}, ',' order by ${order}) || ']' as rows
        from ${table} p where p.tenant = $1 and p.service_id = s.id
      ) as ${member}`,
    )
    .join('\n  ')}
  where s.tenant = $1 and s.id = any($2::bigint[])
  order by s.id`;

/** Without what is null. Ids go as text: as JSON numbers they would go through a double in most readers. */
function rowText(table: string, columns: readonly string[]): string {
  return `json_strip_nulls(${rowJson(table, columns)})::text`;
}

/** No column of theirs is null, and what is null within a value stays. */
function valueText(columns: readonly string[]): string {
  return `${rowJson('p', columns)}::text`;
}

function rowJson(table: string, columns: readonly string[]): string {
  const selected = columns.map((name) =>
    table === 's' && name === 'id' ? 's.id::text as id' : `${table}.${name}`,
  );
  return `row_to_json((select r from (select ${selected.join(', ')}) as r))`;
}

/** What a page of services may take, in about the bytes of their lines; a single service may be larger. */
const pageBytes = 4 * 1024 * 1024;
const pageServices = 500;

export type ExportRange = { from: Date | null; to: Date | null };

/** The ids of the next page: as many as fit. */
export function nextIds(tenant: string, after: string, { from, to }: ExportRange): Statement {
  return { text: selectIds, values: [tenant, after, from, to, pageServices, pageBytes] };
}

const isInRange = `($3::timestamptz is null or s.started_at >= $3) and ($4::timestamptz is null or s.started_at < $4)`;

const selectIds = `
  select id::text as id from (
    select s.id, sum(1000 + 500 * (s.next_state_id::bigint + s.next_task_id) + coalesce(e.bytes, 0))
      over (order by s.id rows between unbounded preceding and 1 preceding) as before
    from (
      select * from service s where s.tenant = $1 and s.id > $2 and ${isInRange} order by s.id limit $5
    ) as s
    cross join lateral (
      select sum(size_bytes) as bytes from extension where tenant = $1 and service_id = s.id
    ) as e
  ) as page
  where before is null or before < $6
  order by page.id`;

export function countServices(tenant: string, { from, to }: ExportRange): Statement {
  const text = `select count(*)::text as count from service s where s.tenant = $1 and $2::bigint is null and ${isInRange}`;
  return { text, values: [tenant, null, from, to] };
}

/** The newest id that was given away to a service of any tenant. */
export const lastGivenId: Statement = {
  text: 'select (last_value - (not is_called)::int)::text as id from service_id_seq',
  values: [],
};

/**
 * Inserts services with all that hangs on them, but those whose ids are taken; answers the ids of the others.
 * They go in the order of their ids, so that no two imports wait for each other.
 * @param lines no two of one id
 */
export function insertLines(tenant: string, lines: readonly ServiceLine[]): Prisma.Sql {
  const rows = (member: (typeof parts)[number]['member']) =>
    JSON.stringify(lines.flatMap((line) => line[member].map((row) => ({ ...row, service_id: line.id }))));
  return Prisma.sql`
    with written as (
      insert into service (tenant, ${columnList(serviceRow)})
      select ${tenant}, ${columnList(serviceRow)}
      from jsonb_to_recordset(${JSON.stringify(lines.map(({ service }) => service))}::jsonb)
        as r(${recordOf(serviceRow)})
      order by id
      on conflict (tenant, id) do nothing
      returning id
    ), states_written as (${insertPart('state', stateRow, tenant, rows('states'))}),
    tasks_written as (${insertPart('task', taskRow, tenant, rows('tasks'))}),
    extensions_written as (${insertPart('extension', extensionRow, tenant, rows('extensions'))}),
    associations_written as (${insertPart('association', associationRow, tenant, rows('associations'))})
    select id::text as id from written`;
}

/**
 * Lets services that were there before go on behind what has been told of them, so that no version is told of twice.
 * It goes behind `insertLines` in its transaction: that may have waited for a deletion, whose event it did not see.
 */
export function raiseVersions(tenant: string, ids: readonly string[]): Prisma.Sql {
  return Prisma.sql`
    update service s set version = told.version
    from unnest(${ids}::text[]::bigint[]) as written(id) cross join lateral (
      select greatest(
        (select max(e.version) from event e where e.tenant = ${tenant} and e.service_id = written.id),
        (select max(d.version) from webhook w join webhook_delivery d on d.tenant = w.tenant and d.webhook_id = w.id
          where w.tenant = ${tenant} and d.service_id = written.id)
      ) as version
    ) as told
    where s.tenant = ${tenant} and s.id = written.id and s.version < told.version`;
}

/** `is true` keeps the planner from making a join of it, which for hundreds of services would be a nested loop. */
function insertPart(
  table: string,
  columns: Readonly<Record<string, string>>,
  tenant: string,
  rows: string,
): Prisma.Sql {
  return Prisma.sql`
    insert into ${Prisma.raw(table)} (tenant, ${columnList(columns)})
    select ${tenant}, ${columnList(columns)}
    from jsonb_to_recordset(${rows}::jsonb) as r(${recordOf(columns)})
    where (r.service_id in (select id from written)) is true`;
}

function columnList(columns: Readonly<Record<string, string>>): Prisma.Sql {
  return Prisma.raw(without(columns, 'tenant').join(', '));
}

/** What is text in the application is an enumeration here. */
const enumerations: Readonly<Record<string, string>> = {
  scope: 'extension_scope',
  kind: 'association_kind',
  front: 'front',
};

function recordOf(columns: Readonly<Record<string, string>>): Prisma.Sql {
  const types = without(columns, 'tenant').map((name) => `${name} ${enumerations[name] ?? columns[name]}`);
  return Prisma.raw(types.join(', '));
}

/**
 * No service gets an id any more up to this one. The sequence is locked by a change that changes nothing:
 * between a look at it and `setval` others would take ids, which would be given away again.
 */
export const lockIds = 'alter sequence service_id_seq owned by none';

export function keepIds(upTo: bigint): Prisma.Sql {
  return Prisma.sql`
    select setval('service_id_seq', ${upTo}::bigint) from service_id_seq
    where last_value < ${upTo}::bigint or (last_value = ${upTo}::bigint and not is_called)`;
}
