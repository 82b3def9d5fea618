import type { Db } from '../db/database.js';
import { prepared } from '../db/statement-names.js';
import { Gone } from '../errors.js';
import { type Event, Prisma } from '../generated/prisma/client.js';
import { accept, type Rule, refuse } from './rules.js';

/** A place in the feed, whose order is that of the members: what comes after it was committed later. */
export type EventPosition = {
  /** The writing transaction: decimal digits, since it has 64 bits. */
  xid: string;
  serviceId: bigint;
  version: number;
};

/** What happened to a service or to a part of it, at its place in the feed. */
export type ChangeEvent = EventPosition & Omit<Event, 'tenant' | keyof EventPosition>;

export type EventQuery = {
  /** Null for the oldest that is kept. */
  after: EventPosition | null;
  /** At most so many. */
  first: number;
};

/**
 * The tenant's events behind a position, oldest first. Those of a transaction are listed once all that began
 * before it have ended: one that commits late is never behind what was listed already. A transaction that is left
 * open anywhere on the PostgreSQL server holds up the feed, and skips nothing.
 * @throws Gone where events behind the position are kept no longer, or where it is of another database
 */
export async function listEvents(db: Db, { after, first }: EventQuery): Promise<ChangeEvent[]> {
  const { tenant } = db;
  const rows = await db.read<Row>(Prisma.sql`
    ${prepared.read} with start as materialized (${after ? behind(tenant, after) : oldest(tenant)})
    select start.is_gone as "isGone", ${asListed}
    from start left join lateral (${nextEvents(tenant, first)}) as e on true
    order by e.xid, e.service_id, e.version`);
  requireKept(rows);
  return rows.flatMap(decode);
}

/** Of those who are further behind so many changes in all would have to be read for a few. */
const farthest = 100_000;

/** @throws Gone where so much lies behind the position that it is better to begin anew */
export async function requireNear(db: Db, position: EventPosition): Promise<void> {
  const { tenant } = db;
  const rows = await db.read(Prisma.sql`
    ${prepared.read} with start as materialized (${behind(tenant, position)})
    select from start cross join lateral (${nextEvents(tenant, farthest + 1)}) as e offset ${farthest}`);
  if (rows.length > 0) throw new Gone(`More than ${farthest} changes have come since that cursor.`);
}

/** The events of a topic among the next ones of a tenant. */
export type TopicPage = {
  events: ChangeEvent[];
  /** Up to where it was looked. */
  upTo: EventPosition;
  /** Whether there may be more behind that. */
  hasMore: boolean;
};

/**
 * As `listEvents`, but that `most` events are looked at, of which those of the topic are answered.
 * @throws Gone
 */
export async function listEventsOf(
  db: Db,
  topic: Topic,
  { after, most }: { after: EventPosition; most: number },
): Promise<TopicPage> {
  const { tenant } = db;
  const rows = await db.read<Row>(Prisma.sql`
    ${prepared.read} with start as materialized (${behind(tenant, after)}), page as materialized (
      select e.*, count(*) over ()::int as looked,
        row_number() over (order by e.xid desc, e.service_id desc, e.version desc) = 1 as is_last
      from start cross join lateral (${nextEvents(tenant, most)}) as e
    )
    select start.is_gone as "isGone", ${asListed}, e.looked, ${isOf(topic)} as "isOwn"
    from start left join page e on e.is_last or ${isOf(topic)}
    order by e.xid, e.service_id, e.version`);
  requireKept(rows);
  const last = rows.at(-1);
  return {
    events: rows.filter(({ isOwn }) => isOwn).flatMap(decode),
    upTo: last ? (decode(last)[0] ?? after) : after,
    hasMore: last?.looked === most,
  };
}

const asListed = Prisma.raw(`
  e.xid::text as xid, e.service_id as "serviceId", e.version, e.type::text as type,
  e.customer_id as "customerId", e.prev_customer_id as "previousCustomerId",
  e.state_id as "stateId", e.task_id as "taskId", e.recorded_at as "recordedAt"`);

/** Behind `start`, where that is not gone. */
function nextEvents(tenant: string, most: number): Prisma.Sql {
  return Prisma.sql`
    select e.* from event e
    where not start.is_gone and e.tenant = ${tenant}
      and (e.xid, e.service_id, e.version) > (start.xid, start.service_id, start.version)
      and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.xid, e.service_id, e.version limit ${most}`;
}

function isOf(topic: Topic): Prisma.Sql {
  const id = topic.slice(topic.indexOf(':') + 1);
  return topic.startsWith('service:')
    ? Prisma.sql`e.service_id = ${id}::text::bigint`
    : Prisma.sql`coalesce(${id}::text in (e.customer_id, e.prev_customer_id), false)`;
}

function requireKept([row]: readonly Row[]): void {
  if (row?.isGone) throw new Gone('Events behind that cursor are kept no longer.');
}

/** A moment, for those who want what comes from then on. */
export type Moment = {
  /** The newest that could be read then. What came later is behind it. */
  position: EventPosition;
  /** Whether an event had been committed then: behind the position are such too, while transactions are open. */
  isPast: (event: EventPosition) => boolean;
};

export async function currentMoment(db: Db): Promise<Moment> {
  const [row] = await db.read<{ snapshot: string }>(
    Prisma.sql`${prepared.read} select pg_current_snapshot()::text as snapshot`,
  );
  // `xmin:xmax:xip,xip`: what ran then lies between the two, and is listed.
  const [, xmin, xmax, running] = /^(\d+):(\d+):([\d,]*)$/.exec(row?.snapshot ?? '') ?? [];
  if (xmin === undefined || xmax === undefined) throw new Error('PostgreSQL has answered no snapshot.');
  const open = new Set(running?.split(','));
  return {
    position: { xid: String(BigInt(xmin) - 1n), serviceId: mostServiceId, version: mostVersion },
    isPast: ({ xid }) => compareDigits(xid, xmax) < 0 && !open.has(xid),
  };
}

/** What events can be followed by. */
export type Topic = `service:${string}` | `customer:${string}`;

/** A service that moves is followed by its former customer too, who sees it leave. */
export function topicsOf({ serviceId, customerId, previousCustomerId }: ChangeEvent): Topic[] {
  const customers = new Set([customerId, previousCustomerId].filter((id) => id !== null));
  return [`service:${serviceId}`, ...[...customers].map((id) => `customer:${id}` as const)];
}

/** Negative where `a` comes before `b`, 0 where they are the same. */
export function comparePositions(a: EventPosition, b: EventPosition): number {
  return compareDigits(a.xid, b.xid) || compare(a.serviceId, b.serviceId) || a.version - b.version;
}

/** Without leading zeros they are in the order of their number, then of themselves. */
function compareDigits(a: string, b: string): number {
  return a.length - b.length || compare(a, b);
}

/** A position as callers carry it: opaque, and safe in an address. */
export function encodeCursor({ xid, serviceId, version }: EventPosition): string {
  return Buffer.from(`${xid}.${serviceId}.${version}`).toString('base64url');
}

/** Undefined when the text is no cursor of ours. */
export function decodeCursor(text: string): EventPosition | undefined {
  const [, xid, serviceId, version] =
    /^(\d{1,20})\.(\d{1,19})\.(\d{1,10})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (xid === undefined || serviceId === undefined || version === undefined) return undefined;
  const position = { xid: String(BigInt(xid)), serviceId: BigInt(serviceId), version: Number(version) };
  return canBeCompared(position) ? position : undefined;
}

export const eventCursor: Rule<EventPosition> = (value) => {
  const decoded = typeof value === 'string' ? decodeCursor(value) : undefined;
  return decoded ? accept(decoded) : refuse('must be a cursor that came with an event');
};

const mostXid = 2n ** 64n - 1n;
const mostServiceId = 2n ** 63n - 1n;
const mostVersion = 2 ** 31 - 1;

/** PostgreSQL refuses to compare with what is beyond its types. */
function canBeCompared({ xid, serviceId, version }: EventPosition): boolean {
  return BigInt(xid) <= mostXid && serviceId <= mostServiceId && version <= mostVersion;
}

function compare<Value extends bigint | string>(a: Value, b: Value): number {
  return a < b ? -1 : Number(a > b);
}

/** As the driver answers it; there is one without an event where there is none. */
type Row = { isGone: boolean; isOwn?: boolean; looked?: number } & (
  | { xid: null }
  | (Omit<ChangeEvent, 'serviceId'> & { serviceId: string })
);

function decode(row: Row): ChangeEvent[] {
  if (row.xid === null) return [];
  const { isGone: _gone, isOwn: _own, looked: _looked, serviceId, ...event } = row;
  return [{ ...event, serviceId: BigInt(serviceId) }];
}

/** What this server has handed out lies behind no transaction that is under way, or yet to begin. */
function behind(tenant: string, { xid, serviceId, version }: EventPosition): Prisma.Sql {
  return Prisma.sql`
    select p.*, p.xid >= pg_snapshot_xmin(pg_current_snapshot()) or exists (
      select from event_horizon h
      where h.tenant = ${tenant} and (h.xid, h.service_id, h.version) > (p.xid, p.service_id, p.version)
    ) as is_gone
    from (select ${xid}::text::xid8 as xid, ${serviceId}::bigint as service_id, ${version}::int as version) as p`;
}

/** Behind what is gone, so that nothing is listed that has gaps behind it. */
function oldest(tenant: string): Prisma.Sql {
  return Prisma.sql`
    select coalesce(h.xid, '0') as xid, coalesce(h.service_id, 0) as service_id, coalesce(h.version, 0) as version,
      false as is_gone
    from (values (true)) as one left join event_horizon h on h.tenant = ${tenant}`;
}
