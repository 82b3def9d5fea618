import type { BatchStatement } from '../db/database.js';
import { type EventType, type Front, Prisma } from '../generated/prisma/client.js';
import { type ExtensionWrite, maxServiceExtensionBytes } from './extensions.js';

/**
 * The columns that a command writes, by name: an absent one stays as it is, `null` clears.
 * `jsonb` columns hold a type code (integer or string).
 */
const columnTypes = {
  customer_id: 'text',
  contact_key: 'text',
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
  /** Whether `columns.customer_id` is a new owner, to be recorded as such. */
  moves: boolean;
  expected_version: number | null;
  /** The registry that the command was checked against. */
  registry_version: number;
  reason: string | null;
  actor: string | null;
  principal: string | null;
  front: Front;
  request_id: string;
  occurred_at: Date;
  recorded_at: Date;
};

const commandColumns = Prisma.raw(`
  id bigint, event event_type, columns jsonb, extensions jsonb, moves boolean, expected_version int,
  registry_version int, reason text, actor text, principal text, front front, request_id text,
  occurred_at timestamptz, recorded_at timestamptz`);

/**
 * Starts services, each with its extensions, its first history entry and its event. Answers the new
 * services; a command that was checked against another registry than the tenant's does nothing.
 */
export const startServices: BatchStatement<ServiceCommand> = (tenant, commands) => Prisma.sql`
  with command as materialized (
    select nextval('service_id_seq') as service_id, c.*
    from jsonb_to_recordset(${JSON.stringify(commands)}::jsonb) as c(${commandColumns})
    where c.registry_version = (select registry_version from tenant where id = ${tenant})
  ), changed as (
    insert into service (tenant, id, ${names}, updated_at)
    select ${tenant}, c.service_id, ${values}, c.recorded_at from command c
    returning *
  ), written as (
    select command.*, changed.version, changed.customer_id, changed.prev_customer_id
    from command join changed on changed.id = command.service_id
  ), ${extensionsWritten(tenant)}, ${historyWritten(tenant, 'START')}, ${eventsWritten(tenant)}
  select ${asPrismaService} from changed`;

/**
 * Changes services: update-first, so that the row locks in one order and every condition is
 * decided by the database. A command whose service is missing, stale, already completed or over
 * its limits does nothing and answers no row. The former owner comes from the same UPDATE: a read
 * beside it would see another one under concurrent moves.
 */
export const changeServices: BatchStatement<ServiceCommand> = (tenant, commands) => Prisma.sql`
  with command as materialized (
    select c.id as service_id, c.*
    from jsonb_to_recordset(${JSON.stringify(commands)}::jsonb) as c(${commandColumns})
    where c.registry_version = (select registry_version from tenant where id = ${tenant})
    order by c.id
  ), changed as (
    update service s set ${assignments},
      prev_customer_id = s.customer_id, version = s.version + 1, updated_at = c.recorded_at
    from command c
    where s.tenant = ${tenant} and s.id = c.service_id
      and (c.expected_version is null or c.expected_version = s.version)
      and (not c.columns ? 'completed_at'
        or s.completed_at is null and (c.columns->>'completed_at')::timestamptz >= s.started_at)
      and (c.moves or s.customer_id is not null or c.columns->'contact_key' is distinct from 'null')
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
    select command.*, changed.version, changed.customer_id, changed.prev_customer_id
    from command join changed on changed.id = command.service_id
  ), removed as (
    delete from extension e using written w, jsonb_to_recordset(w.extensions) as given(name_key text, value jsonb)
    where e.tenant = ${tenant} and e.service_id = w.service_id and e.scope = 'SERVICE' and e.owner_id = 0
      and e.name_key = given.name_key and given.value is null
  ), ${extensionsWritten(tenant)}, ${historyWritten(tenant, 'ASSOCIATE')}, ${eventsWritten(tenant)}
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

/** A start is always recorded, a move only where the owner is another one than before. */
function historyWritten(tenant: string, kind: 'START' | 'ASSOCIATE'): Prisma.Sql {
  return Prisma.sql`history_written as (
    insert into association (tenant, service_id, version, kind, from_customer_id, to_customer_id,
      reason, actor, principal, front, request_id, occurred_at, recorded_at)
    select ${tenant}, w.service_id, w.version, ${Prisma.raw(`'${kind}'`)}, w.prev_customer_id, w.customer_id,
      w.reason, w.actor, w.principal, w.front, w.request_id, w.occurred_at, w.recorded_at
    from written w
    where ${kind === 'START' ? Prisma.sql`true` : Prisma.sql`w.moves and w.customer_id is distinct from w.prev_customer_id`}
  )`;
}

function eventsWritten(tenant: string): Prisma.Sql {
  return Prisma.sql`events_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
    select ${tenant}, w.service_id, w.version, w.event, w.customer_id, w.prev_customer_id, w.recorded_at
    from written w
  )`;
}

const columns = Object.entries(columnTypes);

const names = Prisma.raw(columns.map(([name]) => name).join(', '));
const values = Prisma.raw(columns.map(([name, type]) => jsonValue(name, type)).join(', '));
const assignments = Prisma.raw(
  columns
    .map(
      ([name, type]) =>
        `${name} = case when c.columns ? '${name}' then ${jsonValue(name, type)} else s.${name} end`,
    )
    .join(', '),
);

function jsonValue(name: string, type: string): string {
  if (type === 'jsonb') return `nullif(c.columns->'${name}', 'null')`;
  return type === 'text' ? `c.columns->>'${name}'` : `(c.columns->>'${name}')::${type}`;
}

/** Every column of `service` under its Prisma name, so that a row is a Prisma `Service`. */
const asPrismaService = Prisma.raw(
  [...columns.map(([name]) => name), 'tenant', 'id', 'version', 'prev_customer_id', 'business_unit']
    .concat('next_state_id', 'next_task_id', 'expires_at', 'auto_complete_after', 'updated_at')
    .map((name) => `${name} as "${prismaName(name)}"`)
    .join(', '),
);

function prismaName(column: string): string {
  if (column === 'prev_customer_id') return 'previousCustomerId';
  return column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
