import { Prisma } from '../generated/prisma/client.js';
import { deletionsTold } from './purge-statements.js';

/** What is due in one tenant. */
export type Due = { tenant: string; hasIdle: boolean; hasExpired: boolean; purges: bigint[] };

/**
 * The tenants in which something is due, of all there are: a look at the front of each one's indexes.
 * Whether there is any row is asked by the first one, in order: planned for any time, `exists` counts
 * on a third of all services being due, and reads the whole table when none is.
 * In maintenance nobody can touch a service, so that none is idle, nor deleted unseen.
 */
export function dueStatement(now: Date): Prisma.Sql {
  return Prisma.sql`
    select * from (
      select t.id as tenant,
        m.mode = 'PRODUCTION' and (select s.id from service s where s.tenant = t.id and ${isIdle(now)}
          order by s.auto_complete_at limit 1) is not null as "hasIdle",
        m.mode = 'PRODUCTION' and (select s.id from service s where s.tenant = t.id and s.expires_at <= ${now}
          order by s.expires_at limit 1) is not null as "hasExpired",
        array(select p.id from purge p where p.tenant = t.id and p.status = 'RUNNING' order by p.id) as purges
      from tenant t, server m
    ) as due
    where "hasIdle" or "hasExpired" or purges <> '{}'
    order by tenant`;
}

/** Idleness counts anew from the end of a maintenance. */
function isIdle(now: Date): Prisma.Sql {
  return Prisma.sql`s.auto_complete_at <= ${now} and coalesce(s.auto_complete_after * interval '1 second' +
    (select changed_at from server where changed_at > created_at), '-infinity') <= ${now}`;
}

/** Services that are to be completed; those that are being written to are left alone. */
export function idleStatement(tenant: string, now: Date, most: number): Prisma.Sql {
  return Prisma.sql`
    select id, version from service s where tenant = ${tenant} and ${isIdle(now)}
    order by auto_complete_at limit ${most}
    for no key update skip locked`;
}

/**
 * Deletes services that have expired, each with its event. Those that are being written to, or that
 * another gateway is at, are left alone. What hangs on a service goes by its foreign keys.
 */
export function expireStatement(tenant: string, now: Date, most: number): Prisma.Sql {
  return Prisma.sql`
    with expired as materialized (
      select id from service where tenant = ${tenant} and expires_at <= ${now}
      order by expires_at limit ${most}
      for update skip locked
    ), gone as (
      delete from service s using expired e where s.tenant = ${tenant} and s.id = e.id
      returning s.id, s.version, s.customer_id
    ), ${deletionsTold(tenant, 'SERVICE_EXPIRED', now)}
    select id from gone`;
}

/** A table whose rows are only kept for a time. */
export type Aging = { table: string; column: string };

/** The oldest first, of all tenants. */
export function dropStatement({ table, column }: Aging, before: Date, most: number): Prisma.Sql {
  const [name, time] = [Prisma.raw(table), Prisma.raw(column)];
  return Prisma.sql`
    delete from ${name} where ctid = any(array(
      select ctid from ${name} where ${time} < ${before} order by ${time} limit ${most} for update skip locked))`;
}

/**
 * The same of events, and how far they are gone now, in the order of the feed. Gateways whose clocks differ
 * write times in another order: what is left before that point is kept, but no longer answered. What webhooks have
 * yet to take stays as long.
 */
export function dropEventsStatement(before: Date, most: number): Prisma.Sql {
  return Prisma.sql`
    with gone as (
      delete from event where ctid = any(array(
        select ctid from event e where recorded_at < ${before} and not exists (
          select from webhook w where w.tenant = e.tenant and w.status = 'ENABLED'
            and (w.feed_xid, w.feed_service_id, w.feed_version) < (e.xid, e.service_id, e.version))
        order by recorded_at limit ${most} for update skip locked))
      returning tenant, xid, service_id, version
    ), remembered as (
      insert into event_horizon as h (tenant, xid, service_id, version)
      select distinct on (tenant) tenant, xid, service_id, version from gone
      order by tenant, xid desc, service_id desc, version desc
      on conflict (tenant) do update
        set xid = excluded.xid, service_id = excluded.service_id, version = excluded.version
        where (h.xid, h.service_id, h.version) < (excluded.xid, excluded.service_id, excluded.version)
    )
    select count(*)::int as count from gone`;
}
