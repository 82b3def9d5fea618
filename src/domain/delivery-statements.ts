import { prepared } from '../db/statement-names.js';
import { Prisma } from '../generated/prisma/client.js';

/** One webhook, and the gateway that works for it. */
export type Held = { tenant: string; id: bigint; owner: string };

/**
 * Lets the gateway have what nobody works for, and keep what it has. Times are the database's: clocks of
 * gateways need not agree. In a database that was restored on another server the place in the feed can be one that
 * is yet to come.
 */
export function leaseStatement(owner: string, seconds: number): Prisma.Sql {
  return Prisma.sql`
    ${prepared.write} with free as materialized (
      select tenant, id from webhook
      where status = 'ENABLED' and (owner = ${owner} or leased_until is null or leased_until <= clock_timestamp())
      order by tenant, id
      for no key update skip locked
    )
    update webhook w set owner = ${owner}, leased_until = clock_timestamp() + ${seconds} * interval '1 second',
      feed_xid = least(w.feed_xid, pg_snapshot_xmax(pg_current_snapshot())),
      feed_service_id = case when w.feed_xid > pg_snapshot_xmax(pg_current_snapshot()) then 0 else w.feed_service_id end,
      past = case when pg_snapshot_xmax(w.past) <= pg_snapshot_xmax(pg_current_snapshot()) then w.past end
    from free f where w.tenant = f.tenant and w.id = f.id
    returning w.tenant`;
}

export function releaseStatement(owner: string): Prisma.Sql {
  return Prisma.sql`update webhook set owner = null, leased_until = null where owner = ${owner}`;
}

/** Whether `w` is what its owner may still work for. */
const isHeld = Prisma.raw(`w.status = 'ENABLED' and w.leased_until > clock_timestamp()`);

/** An event `e` that `w` has not taken. */
const isUntaken = Prisma.raw(
  '(e.xid, e.service_id, e.version) > (w.feed_xid, w.feed_service_id, w.feed_version)',
);

/** That no transaction in flight can come before any more, either. */
const isNext = Prisma.raw('e.xid < pg_snapshot_xmin(pg_current_snapshot())');

/** What there is to do for each webhook of the gateway: a look at the front of two indexes. */
export function lookStatement(owner: string, now: Date): Prisma.Sql {
  return Prisma.sql`
    ${prepared.read} select * from (
      select w.tenant, w.id, w.failing_since is not null as "isFailing",
        (select e.version from event e where e.tenant = w.tenant and ${isUntaken} and ${isNext}
          order by e.xid, e.service_id, e.version limit 1) is not null as "hasEvents",
        (w.resume_at is null or w.resume_at <= ${now}) and
          (select d.version from webhook_delivery d
          where d.tenant = w.tenant and d.webhook_id = w.id and d.next_attempt_at <= ${now}
          order by d.next_attempt_at limit 1) is not null as "hasDue"
      from webhook w where w.owner = ${owner} and ${isHeld}
    ) as work
    where "hasEvents" or "hasDue"
    order by tenant, id`;
}

/**
 * Makes deliveries of the next events and remembers how far that is, both or neither. Of each service the first
 * one is due at once, the others wait for it. Events of a restored database may be deliveries already.
 */
export function takeStatement({ tenant, id, owner }: Held, now: Date, most: number): Prisma.Sql {
  return Prisma.sql`
    ${prepared.write} with w as materialized (
      select * from webhook w
      where w.tenant = ${tenant} and w.id = ${id} and w.owner = ${owner} and ${isHeld}
      for no key update
    ), next as materialized (
      select e.* from w cross join lateral (
        select * from event e where e.tenant = ${tenant} and ${isUntaken} and ${isNext}
        order by e.xid, e.service_id, e.version limit ${most}
      ) as e
    ), wanted as (
      select n.*, row_number() over (partition by n.service_id order by n.version) = 1 and not exists (
        select from webhook_delivery d
        where d.tenant = ${tenant} and d.webhook_id = ${id} and d.service_id = n.service_id
          and d.version < n.version and d.died_at is null
      ) as is_first
      from next n, w
      where (cardinality(w.event_types) = 0 or n.type = any(w.event_types))
        and (w.past is null or not pg_visible_in_snapshot(n.xid, w.past))
        and not exists (
          select from webhook_delivery d
          where d.tenant = ${tenant} and d.webhook_id = ${id} and d.service_id = n.service_id and d.version = n.version)
    ), taken as (
      insert into webhook_delivery (tenant, webhook_id, service_id, version, type, customer_id, prev_customer_id,
        state_id, task_id, recorded_at, next_attempt_at, created_at)
      select ${tenant}, ${id}, n.service_id, n.version, n.type, n.customer_id, n.prev_customer_id,
        n.state_id, n.task_id, n.recorded_at, case when n.is_first then ${now}::timestamptz end, ${now}
      from wanted n
    ), last as (
      select xid, service_id, version from next order by xid desc, service_id desc, version desc limit 1
    )
    update webhook w set feed_xid = last.xid, feed_service_id = last.service_id, feed_version = last.version,
      past = case when pg_snapshot_xmax(w.past) > last.xid then w.past end
    from last where w.tenant = ${tenant} and w.id = ${id}
    returning (select count(*) from next) as events`;
}

/**
 * Deliveries to be sent now, each the first of its service. One that comes before it can still be among the
 * events that are not taken, or cannot be yet: of two transactions that wait for each other the one that began
 * first may write last.
 * @param busy services of which one is on its way
 */
export function dueStatement(
  { tenant, id, owner }: Held,
  { now, busy, most }: { now: Date; busy: readonly bigint[]; most: number },
): Prisma.Sql {
  return Prisma.sql`
    ${prepared.read} select d.tenant, d.webhook_id as "webhookId", d.service_id as "serviceId", d.version, d.type::text as type,
      d.customer_id as "customerId", d.prev_customer_id as "previousCustomerId", d.state_id as "stateId",
      d.task_id as "taskId", d.recorded_at as "recordedAt", d.attempts,
      w.url, w.secret, w.previous_secret as "previousSecret", w.previous_secret_until as "previousSecretUntil"
    from webhook w join webhook_delivery d on d.tenant = w.tenant and d.webhook_id = w.id
    where w.tenant = ${tenant} and w.id = ${id} and w.owner = ${owner} and ${isHeld}
      and (w.resume_at is null or w.resume_at <= ${now})
      and d.tenant = ${tenant} and d.webhook_id = ${id} and d.next_attempt_at <= ${now}
      and d.service_id <> all(${busy.map(String)}::text[]::bigint[])
      and not exists (
        select from webhook_delivery p
        where p.tenant = ${tenant} and p.webhook_id = ${id} and p.service_id = d.service_id
          and p.version < d.version and p.died_at is null)
      and not exists (
        select from event e
        where e.tenant = ${tenant} and e.service_id = d.service_id and e.version < d.version and ${isUntaken}
          and (cardinality(w.event_types) = 0 or e.type = any(w.event_types)))
    order by d.next_attempt_at, d.service_id
    limit ${most}`;
}

/** What came of one attempt, as JSON. */
export type SettledAttempt = {
  service_id: string;
  version: number;
  /** That had failed before it: what is settled already is not settled again. */
  attempts: number;
  /** Null when it was delivered. */
  failure: string | null;
  /** Null when it was delivered, and when it is dead. */
  next_attempt_at: Date | null;
};

export type Settlement = {
  now: Date;
  attempts: readonly SettledAttempt[];
  /** The receiver wants nothing before; null when it said nothing of that. */
  resumeAt: Date | null;
  /** The receiver wants nothing any more. */
  isGone: boolean;
  /** Those that have failed since before are given up. */
  failedBefore: Date;
};

/**
 * Takes away what was delivered, says when the rest is tried again, and lets the next one of a service follow.
 * Does nothing for a gateway that does not work for the webhook any more.
 */
export function settleStatement({ tenant, id, owner }: Held, settlement: Settlement): Prisma.Sql {
  const { now, attempts, resumeAt, isGone, failedBefore } = settlement;
  const isDelivered = attempts.some(({ failure }) => failure === null);
  const lastFailure = attempts.findLast(({ failure }) => failure !== null)?.failure ?? null;
  const failure = isDelivered ? null : lastFailure;
  return Prisma.sql`
    ${prepared.write} with w as materialized (
      select * from webhook
      where tenant = ${tenant} and id = ${id} and owner = ${owner} and leased_until > clock_timestamp()
      for no key update
    ), attempt as materialized (
      select a.* from w, jsonb_to_recordset(${JSON.stringify(attempts)}::jsonb) as a(
        service_id bigint, version int, attempts int, failure text, next_attempt_at timestamptz)
    ), delivered as (
      delete from webhook_delivery d using attempt a
      where d.tenant = ${tenant} and d.webhook_id = ${id} and d.service_id = a.service_id
        and d.version = a.version and a.failure is null
      returning d.service_id, d.version
    ), failed as (
      update webhook_delivery d set attempts = d.attempts + 1, last_failure = a.failure,
        next_attempt_at = a.next_attempt_at,
        died_at = case when a.next_attempt_at is null then ${now}::timestamptz end
      from attempt a
      where d.tenant = ${tenant} and d.webhook_id = ${id} and d.service_id = a.service_id
        and d.version = a.version and a.failure is not null and d.attempts = a.attempts and d.died_at is null
      returning d.service_id, d.version, d.died_at
    ), freed as (
      select service_id, version from delivered
      union all select service_id, version from failed where died_at is not null
    ), followed as (
      update webhook_delivery d set next_attempt_at = coalesce(d.next_attempt_at, ${now})
      from freed f
      where d.tenant = ${tenant} and d.webhook_id = ${id} and d.service_id = f.service_id and d.version = (
        select min(n.version) from webhook_delivery n
        where n.tenant = ${tenant} and n.webhook_id = ${id} and n.service_id = f.service_id
          and n.version <> f.version and n.died_at is null)
    ), noted as (
      update webhook set
        failing_since = case when ${failure}::text is not null then coalesce(w.failing_since, ${now}) end,
        last_failure = ${failure},
        resume_at = coalesce(${resumeAt}::timestamptz, w.resume_at),
        status = case
          when ${isGone} and w.status = 'ENABLED' then 'GONE'::webhook_status
          when ${failure}::text is not null and w.failing_since < ${failedBefore} and w.status = 'ENABLED' then 'FAILED'::webhook_status
          else w.status end
      from w
      where webhook.tenant = w.tenant and webhook.id = w.id and (
        w.failing_since is not null or ${failure}::text is not null or ${resumeAt}::timestamptz is not null or ${isGone})
      returning webhook.status
    )
    select coalesce((select status from noted), w.status)::text as status,
      (select count(*) from failed where died_at is not null) as dead
    from w`;
}
