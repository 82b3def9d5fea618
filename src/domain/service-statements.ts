import type { BatchStatement } from '../db/database.js';
import { type AssociationKind, type EventType, type Front, Prisma } from '../generated/prisma/client.js';
import { type ExtensionWrite, maxServiceExtensionBytes } from './extensions.js';

/**
 * The columns that a command writes, by name: an absent one stays as it is, `null` clears.
 * `jsonb` columns hold a type code (integer or string).
 */
const columnTypes = {
  customer_id: 'text',
  contact_key: 'text',
  business_unit: 'text',
  service_type: 'jsonb',
  session_id: 'text',
  interaction_id: 'text',
  application_type: 'jsonb',
  application_id: 'bigint',
  resource_type: 'jsonb',
  resource_id: 'bigint',
  media_type: 'jsonb',
  est_duration: 'bigint',
  started_at: 'timestamptz',
  disposition: 'jsonb',
  disposition_desc: 'text',
  end_session_id: 'text',
  end_interaction_id: 'text',
  end_application_type: 'jsonb',
  end_application_id: 'bigint',
  end_resource_type: 'jsonb',
  end_resource_id: 'bigint',
  end_media_type: 'jsonb',
  completed_at: 'timestamptz',
} as const;

export type ServiceColumns = { [K in keyof typeof columnTypes]?: string | number | Date | null };

/** A checked act on one service, as the statements take it: JSON, in the database's names. */
export type ServiceCommand = {
  /** Absent on a start: the database assigns it. */
  id?: string;
  event: EventType;
  columns: ServiceColumns;
  extensions: readonly ExtensionWrite[];
  /** How history calls the act, where it may change the owner: to `columns.customer_id`, or back by an undo. */
  association: AssociationKind | null;
  idempotency_key: string | null;
  command_hash: string;
  expected_version: number | null;
  /** The registry that the command was checked against. */
  registry_version: number;
  reason: string | null;
  actor: string | null;
  principal: string | null;
  front: Front;
  request_id: string;
  /** Whether the caller said when it happened. */
  is_timed: boolean;
  occurred_at: Date;
  recorded_at: Date;
};

const commandColumns = Prisma.raw(`
  id bigint, event event_type, columns jsonb, extensions jsonb, association association_kind,
  idempotency_key text, command_hash text, expected_version int,
  registry_version int, reason text, actor text, principal text, front front, request_id text,
  is_timed boolean, occurred_at timestamptz, recorded_at timestamptz`);

/**
 * Starts services, each with its extensions, its first history entry and its event. Answers the new
 * services; a command that was checked against another registry than the tenant's does nothing.
 */
export const startServices: BatchStatement<ServiceCommand> = (tenant, commands) => Prisma.sql`
  with command as materialized (
    select nextval('service_id_seq') as service_id, c.*
    from jsonb_to_recordset(${JSON.stringify(commands)}::jsonb) as c(${commandColumns})
    where ${mayAct(tenant)}
  ), changed as (
    insert into service (tenant, id, ${names}, updated_at)
    select ${tenant}, c.service_id, ${values}, c.recorded_at from command c
    returning *
  ), written as (
    ${writtenCommands}
  ), ${extensionsWritten(tenant)}, ${recordsWritten(tenant)}
  select ${asPrismaService} from changed`;

/**
 * Changes services: update-first, so that the row locks in one order and every condition is
 * decided by the database. A command whose service is missing, stale, already completed or over
 * its limits does nothing and answers no row. The former owner comes from the same UPDATE: a read
 * beside it would see another one under concurrent moves. What extensions there are can only be
 * read beside it, so a command with extensions does nothing where the service changed since the
 * statement began, and is sent again.
 */
export const changeServices: BatchStatement<ServiceCommand> = (tenant, commands) => Prisma.sql`
  with command as materialized (
    select c.id as service_id, c.*
    from jsonb_to_recordset(${JSON.stringify(commands)}::jsonb) as c(${commandColumns})
    where ${mayAct(tenant)}
    order by c.id
  ), changed as (
    update service s set ${assignments},
      customer_id = ${ownerAfter},
      prev_customer_id = case when ${hasMoved} then s.customer_id else s.prev_customer_id end,
      associated_version = case when ${hasMoved} then s.version + 1 else s.associated_version end,
      version = s.version + 1, updated_at = c.recorded_at
    from command c
    where s.tenant = ${tenant} and s.id = c.service_id
      and (c.expected_version is null or c.expected_version = s.version)
      and (c.extensions = '[]' or s.version = (
        select seen.version from service seen where seen.tenant = ${tenant} and seen.id = c.service_id))
      and (not c.columns ? 'completed_at'
        or s.completed_at is null and (c.is_timed is not true or c.occurred_at >= s.started_at))
      and (c.association is distinct from 'UNDO' or s.associated_version > 1)
      and (${ownerAfter} is not null
        or case when c.columns ? 'contact_key' then c.columns->>'contact_key' else s.contact_key end is not null)
      and (c.extensions = '[]' or ${maxServiceExtensionBytes} >= (
        select coalesce(sum(size_bytes), 0) from (
          select size_bytes from jsonb_to_recordset(c.extensions) as given(size_bytes int)
          union all
          select size_bytes from extension kept
          where kept.tenant = ${tenant} and kept.service_id = s.id and not (kept.scope = 'SERVICE' and
            kept.name_key in (select name_key from jsonb_to_recordset(c.extensions) as given(name_key text)))
        ) as sizes))
    returning s.*
  ), written as (
    ${writtenCommands}
  ), removed as (
    delete from extension e using written w, jsonb_to_recordset(w.extensions) as given(name_key text, value jsonb)
    where e.tenant = ${tenant} and e.service_id = w.service_id and e.scope = 'SERVICE' and e.owner_id = 0
      and e.name_key = given.name_key and given.value is null
  ), ${extensionsWritten(tenant)}, ${recordsWritten(tenant)}
  select ${asPrismaService} from changed`;

/** A JSON null in `value` reads as SQL null: the extension that it removes is not written. */
function extensionsWritten(tenant: string): Prisma.Sql {
  return Prisma.sql`extensions_written as (
    insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
    select ${tenant}, w.service_id, 'SERVICE', 0, given.name_key, given.name, given.value, given.size_bytes
    from written w, jsonb_to_recordset(w.extensions) as given(name_key text, name text, value jsonb, size_bytes int)
    where given.value is not null
    on conflict (tenant, service_id, scope, owner_id, name_key)
      do update set name = excluded.name, value = excluded.value, size_bytes = excluded.size_bytes
  )`;
}

/** An entry of history where the owner changed, one event, and the key that lets the call be repeated. */
function recordsWritten(tenant: string): Prisma.Sql {
  return Prisma.sql`history_written as (
    insert into association (tenant, service_id, version, kind, from_customer_id, to_customer_id,
      reason, actor, principal, front, request_id, occurred_at, recorded_at)
    select ${tenant}, w.service_id, w.version, w.association, w.prev_customer_id, w.customer_id,
      w.reason, w.actor, w.principal, w.front, w.request_id, w.occurred_at, w.recorded_at
    from written w where w.version = w.associated_version
  ), events_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
    select ${tenant}, w.service_id, w.version, w.event, w.customer_id,
      case when w.version = w.associated_version then w.prev_customer_id else w.customer_id end, w.recorded_at
    from written w
  ), keys_written as (
    insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
    select ${tenant}, w.idempotency_key, w.command_hash,
      jsonb_build_object('serviceId', w.service_id::text, 'version', w.version), w.recorded_at
    from written w where w.idempotency_key is not null
  )`;
}

/**
 * A key that is stored already lets nothing be done again. One that is being stored at the same
 * moment fails the whole statement at its primary key.
 */
function mayAct(tenant: string): Prisma.Sql {
  return Prisma.sql`
    c.registry_version = (select registry_version from tenant where id = ${tenant})
    and (c.idempotency_key is null or not exists (
      select from idempotency_key k where k.tenant = ${tenant} and k.key = c.idempotency_key))`;
}

const writtenCommands = Prisma.raw(`
  select command.*, changed.version, changed.associated_version, changed.customer_id, changed.prev_customer_id
  from command join changed on changed.id = command.service_id`);

const ownerAfter = Prisma.raw(`
  case c.association when 'UNDO' then s.prev_customer_id when 'ASSOCIATE' then c.columns->>'customer_id'
    else s.customer_id end`);

const hasMoved = Prisma.raw(`
  (c.association = 'UNDO' or c.association = 'ASSOCIATE' and c.columns->>'customer_id' is distinct from s.customer_id)`);

const columns = Object.entries(columnTypes);

const names = Prisma.raw(columns.map(([name]) => name).join(', '));
const values = Prisma.raw(columns.map(([name, type]) => jsonValue(name, type)).join(', '));
const assignments = Prisma.raw(
  columns
    .filter(([name]) => name !== 'customer_id')
    .map(
      ([name, type]) =>
        `${name} = case when c.columns ? '${name}' then ${valueAfter(name, type)} else s.${name} end`,
    )
    .join(', '),
);

/** A clock that runs behind the one that told the start gives no end before it. */
function valueAfter(name: string, type: string): string {
  const value = jsonValue(name, type);
  return name === 'completed_at' ? `greatest(${value}, s.started_at)` : value;
}

function jsonValue(name: string, type: string): string {
  if (type === 'jsonb') return `nullif(c.columns->'${name}', 'null')`;
  return type === 'text' ? `c.columns->>'${name}'` : `(c.columns->>'${name}')::${type}`;
}

/** Every column of `service` under its Prisma name, so that a row is a Prisma `Service`. */
const asPrismaService = Prisma.raw(
  [...columns.map(([name]) => name), 'tenant', 'id', 'version', 'prev_customer_id', 'associated_version']
    .concat('next_state_id', 'next_task_id', 'expires_at', 'auto_complete_after', 'updated_at')
    .map((name) => `${name} as "${prismaName(name)}"`)
    .join(', '),
);

function prismaName(column: string): string {
  if (column === 'prev_customer_id') return 'previousCustomerId';
  return column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
