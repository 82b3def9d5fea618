import type pg from 'pg';
import type { Logger } from '../logger.js';

/**
 * Brings the feed of events of a database that comes from another server, by dump and restore, into the order of
 * this one's transactions: those that it knows the events by may be far in the future here. A webhook that has yet
 * to be told of some may be told of others again that another one has yet to be told of. Cursors of the former
 * server are gone as far as they can be told from those of this one.
 */
export async function adoptRestoredFeed(client: pg.Client, logger: Logger): Promise<void> {
  const { rows } = await client.query<{ tenant: string }>(foreignFeeds);
  for (const { tenant } of rows) {
    await client.query('begin isolation level repeatable read');
    for (const statement of adoption) await client.query(statement, [tenant]);
    await client.query('commit');
    logger.info(
      { tenant },
      'the events come from another server: who follows them by a cursor has to begin anew',
    );
  }
}

/** No row that can be seen is of a transaction that is yet to begin. */
const isForeign = '>= pg_snapshot_xmax(pg_current_snapshot())';

const foreignFeeds = `
  select t.id as tenant from tenant t
  where (select e.xid from event e where e.tenant = t.id order by e.xid desc limit 1) ${isForeign}
    or exists (select from event_horizon h where h.tenant = t.id and h.xid ${isForeign})
    or exists (select from webhook w where w.tenant = t.id and w.feed_xid ${isForeign})`;

/** Two transactions that have ended for everybody, and the one behind them. */
const [earlier, later, next] = [2, 1, 0].map(
  (back) => `(pg_snapshot_xmin(pg_current_snapshot())::text::bigint - ${back})::text::xid8`,
);

/** Whether the webhook `w` has yet to be told of the event `e`. */
const isUntold = '(w.feed_xid, w.feed_service_id, w.feed_version) < (e.xid, e.service_id, e.version)';

const adoption = [
  // Both by the places as they were.
  `with moved as (
     update event e set xid = case when exists (
         select from webhook w where w.tenant = e.tenant and ${isUntold}) then ${later} else ${earlier} end
     where e.tenant = $1 and e.xid ${isForeign}
   )
   update webhook w set feed_service_id = 0, feed_version = 0, feed_xid = case when exists (
       select from event e where e.tenant = w.tenant and e.xid ${isForeign} and ${isUntold}) then ${later} else ${next} end
   where w.tenant = $1 and w.feed_xid ${isForeign}`,
  `insert into event_horizon (tenant, xid, service_id, version) values ($1, ${earlier}, 0, 0)
   on conflict (tenant) do update set xid = excluded.xid, service_id = 0, version = 0`,
];
