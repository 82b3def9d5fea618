import { given } from '../db/batches.js';
import { Prisma } from '../generated/prisma/client.js';
import { columnAssignments, columnNames, columnValues, partEnd, partStarts } from './columns.js';

const { tenant } = given;

type PartKind = keyof typeof partStarts;

/** The part of a write statement that adds the states or tasks that its commands start. */
export function startsPart(kind: PartKind): Prisma.Sql {
  const types = partStarts[kind];
  const table = Prisma.raw(kind);
  return Prisma.sql`${table}s_started as (
    insert into ${table} (tenant, service_id, id, ${columnNames(types)})
    select ${tenant}, w.id, w.next_${table}_id - 1, ${columnValues(types, `w.${kind}_start`)}
    from written w where w.${table}_start is not null
  )`;
}

/** The part of a write statement that ends states or tasks: one by its id, or all that are open. */
export function endsPart(kind: PartKind): Prisma.Sql {
  const table = Prisma.raw(kind);
  const json = `w.${kind}_end`;
  // All that are open end with their service.
  const earliestEnd = `p.started_at, case when not ${json} ? 'id' then w.completed_at end`;
  return Prisma.sql`${table}s_ended as (
    update ${table} p set ${columnAssignments(partEnd, { json, row: 'p', earliestEnd })}
    from written w
    where p.tenant = ${tenant} and p.service_id = w.id and p.completed_at is null
      and w.${table}_end is not null and p.id = coalesce((w.${table}_end->>'id')::int, p.id)
  )`;
}

/** Limit of ours: so many states and so many tasks a service may ever have. */
export const mostParts = 10_000;
const most = Prisma.raw(String(mostParts));

/**
 * The condition that what a command says of states and tasks fits the service: none is started in
 * one that is completed or full, those that it names are there, and the one that it ends is open and began
 * before its end. Parts are never taken away alone: each number below the next one is there.
 */
export const holdsParts = Prisma.sql`
    (c.state_start is null and c.task_start is null or s.completed_at is null)
    and (c.state_start is null or s.next_state_id < ${most})
    and (c.task_start is null or s.next_task_id < ${most})
    and coalesce((c.state_start->>'previous_state_id')::int < s.next_state_id, true)
    and coalesce((c.task_start->>'state_id')::int < s.next_state_id + (c.state_start is not null)::int, true)
    and ${isOpen('state')} and ${isOpen('task')}
    and not exists (
      select from jsonb_to_recordset(c.extensions) as given(scope extension_scope, owner_id int)
      where given.scope = 'STATE' and given.owner_id >= s.next_state_id
        or given.scope = 'TASK' and given.owner_id >= s.next_task_id)`;

function isOpen(kind: PartKind): Prisma.Sql {
  const table = Prisma.raw(kind);
  return Prisma.sql`(c.${table}_end->>'id' is null or exists (
    select from ${table} p
    where p.tenant = ${tenant} and p.service_id = s.id and p.id = (c.${table}_end->>'id')::int
      and p.completed_at is null and (c.is_timed is not true or c.occurred_at >= p.started_at)))`;
}
