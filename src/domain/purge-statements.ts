import { Prisma, type PurgeOperation } from '../generated/prisma/client.js';

/** Whether a service `s` is one that the purge `p` is of. */
const isMatched = Prisma.raw(`
  s.started_at < p.started_to and case p.operation
    when 'STARTED' then s.completed_at is null
    when 'STARTED_ANONYMOUS' then s.completed_at is null and s.customer_id is null
    when 'COMPLETED' then s.completed_at is not null
    when 'COMPLETED_ANONYMOUS' then s.completed_at is not null and s.customer_id is null
    else true end`);

/** Every column of `purge` under its Prisma name, so that a row is a Prisma `Purge`. */
const asPrismaPurge = Prisma.raw(`
  tenant, id, operation::text as operation, started_to as "startedTo", is_dry_run as "isDryRun",
  status::text as status, matched, deleted, last_id as "lastId", max_id as "maxId", principal,
  request_id as "requestId", created_at as "createdAt", finished_at as "finishedAt"`);

export type PurgeStart = {
  operation: PurgeOperation;
  startedTo: Date;
  isDryRun: boolean;
  key: string | null;
  commandHash: string;
  principal: string | null;
  requestId: string;
  receivedAt: Date;
};

/** Counts what matches and remembers the newest service at one moment. Does nothing where the key is taken. */
export function startStatement(tenant: string, start: PurgeStart): Prisma.Sql {
  const { operation, startedTo, isDryRun, key, commandHash, principal, requestId, receivedAt } = start;
  const finishedAt = isDryRun ? receivedAt : null;
  return Prisma.sql`
    with p as materialized (
      select ${operation}::purge_operation as operation, ${startedTo}::timestamptz as started_to
      where not exists (select from idempotency_key where tenant = ${tenant} and key = ${key})
    ), begun as (
      insert into purge (tenant, operation, started_to, is_dry_run, status, matched, max_id,
        principal, request_id, created_at, finished_at)
      select ${tenant}, p.operation, p.started_to, ${isDryRun}::boolean,
        ${isDryRun ? 'DONE' : 'RUNNING'}::purge_status,
        (select count(*) from service s where s.tenant = ${tenant} and ${isMatched}),
        (select coalesce(max(s.id), 0) from service s where s.tenant = ${tenant}),
        ${principal}, ${requestId}, ${receivedAt}, ${finishedAt}::timestamptz
      from p
      returning *
    ), keys_written as (
      insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
      select ${tenant}, ${key}, ${commandHash}, jsonb_build_object('purgeId', id::text), ${receivedAt}
      from begun where ${key}::text is not null
    )
    select ${asPrismaPurge} from begun`;
}

/**
 * One batch: the next ids in their order, whether they match or not, so that it is bounded work.
 * The purge's own row is locked first: whoever finds it locked leaves the batch to the one that has
 * it. Services are locked in the order of their ids, as the statements that write to them do, and
 * are looked at as they are once they are locked. What hangs on them goes by its foreign keys.
 */
export function advanceStatement(
  tenant: string,
  { id, ids, now }: { id: bigint; ids: number; now: Date },
): Prisma.Sql {
  return Prisma.sql`
    with p as materialized (
      select * from purge where tenant = ${tenant} and id = ${id} and status = 'RUNNING'
      for update skip locked
    ), span as materialized (
      select count(*) as ids, max(id) as last_id from (
        select s.id from service s
        where s.tenant = ${tenant} and s.id > (select last_id from p) and s.id <= (select max_id from p)
        order by s.id limit ${ids}
      ) as next
    ), matched as materialized (
      select s.id from service s cross join p
      where s.tenant = ${tenant} and s.id > (select last_id from p) and s.id <= (select last_id from span)
        and ${isMatched}
      order by s.id
      for update of s
    ), gone as (
      delete from service s using matched m where s.tenant = ${tenant} and s.id = m.id
      returning s.id, s.version, s.customer_id
    ), ${deletionsTold(tenant, 'SERVICE_DELETED', now)}, batch as materialized (
      select span.ids < ${ids} as is_done, span.last_id, (select count(*) from gone) as deleted from span
    )
    update purge set
      deleted = purge.deleted + batch.deleted,
      last_id = case when batch.is_done then purge.max_id else batch.last_id end,
      status = case when batch.is_done then 'DONE' else 'RUNNING' end::purge_status,
      finished_at = case when batch.is_done then ${now}::timestamptz end
    from p, batch
    where purge.tenant = p.tenant and purge.id = p.id
    returning batch.deleted, batch.is_done as "isDone"`;
}

/** The part of a statement that writes one event for each of the services in `gone`. */
export function deletionsTold(
  tenant: string,
  event: 'SERVICE_DELETED' | 'SERVICE_EXPIRED',
  now: Date,
): Prisma.Sql {
  return Prisma.sql`events_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
    select ${tenant}, g.id, g.version + 1, ${event}::event_type, g.customer_id, g.customer_id, ${now}::timestamptz
    from gone g
  )`;
}

/** Waits for a batch that is being done. */
export function cancelStatement(tenant: string, id: bigint, now: Date): Prisma.Sql {
  return Prisma.sql`
    update purge set status = 'CANCELLED', finished_at = ${now}
    where tenant = ${tenant} and id = ${id} and status = 'RUNNING'
    returning ${asPrismaPurge}`;
}
