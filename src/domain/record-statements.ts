import { given } from '../db/batches.js';
import { Prisma } from '../generated/prisma/client.js';

const { tenant } = given;

type Keyed = { idempotency_key: string | null | undefined };

export function hasKey({ idempotency_key: key }: Keyed): boolean {
  return Boolean(key);
}

/**
 * A key that is stored already lets nothing be done again. One that is being stored at the same
 * moment fails the whole statement at its primary key.
 */
export const hasFreeKey = Prisma.sql`(c.idempotency_key is null or not exists (
    select from idempotency_key k where k.tenant = ${tenant} and k.key = c.idempotency_key))`;

/** An entry of history where the owner changed, one event, and the key that lets the call be repeated. */
export function recordsWritten(has: { moves: boolean; keys: boolean }): Prisma.Sql {
  return Prisma.sql`${has.moves ? historyWritten : Prisma.empty} events_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, state_id, task_id, recorded_at)
    select ${tenant}, w.id, w.version, w.event, w.customer_id,
      case when w.version = w.associated_version then w.prev_customer_id else w.customer_id end,
      ${stateId}, ${taskId}, w.recorded_at
    from written w
  ) ${has.keys ? keysWritten : Prisma.empty}`;
}

const historyWritten = Prisma.sql`history_written as (
    insert into association (tenant, service_id, version, kind, from_customer_id, to_customer_id,
      reason, actor, principal, front, request_id, occurred_at, recorded_at)
    select ${tenant}, w.id, w.version, w.association, w.prev_customer_id, w.customer_id,
      w.reason, w.actor, w.principal, w.front, w.request_id, w.occurred_at, w.recorded_at
    from written w where w.version = w.associated_version
  ),`;

/** The part that an act is about: the one that it starts, or else ends, or else extends. */
const stateId = Prisma.raw(partOf('state'));
const taskId = Prisma.raw(partOf('task'));

function partOf(kind: 'state' | 'task'): string {
  return `case when w.${kind}_start is not null then w.next_${kind}_id - 1
    else coalesce((w.${kind}_end->>'id')::int,
      case when w.extensions->0->>'scope' = '${kind.toUpperCase()}' then (w.extensions->0->>'owner_id')::int end) end`;
}

const keysWritten = Prisma.sql`, keys_written as (
    insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
    select ${tenant}, w.idempotency_key, w.command_hash, jsonb_build_object(
      'serviceId', w.id::text, 'version', w.version, 'stateId', ${stateId}, 'taskId', ${taskId}), w.recorded_at
    from written w where w.idempotency_key is not null
  )`;
