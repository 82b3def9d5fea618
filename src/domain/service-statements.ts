import { type BatchStatement, batchStatement, given, waitsAsGiven } from '../db/batches.js';
import { type AssociationKind, type EventType, type Front, Prisma } from '../generated/prisma/client.js';
import {
  columnAssignments,
  columnNames,
  columnValues,
  type PartEnd,
  partEnd,
  type ServiceColumns,
  type StateStart,
  serviceColumns,
  serviceRow,
  serviceStart,
  type TaskStart,
} from './columns.js';
import { type ExtensionWrite, maxServiceExtensionBytes } from './extensions.js';
import { endsPart, holdsParts, startsPart } from './part-statements.js';
import { hasFreeKey, hasKey, recordsWritten } from './record-statements.js';
import { rowArray } from './rows.js';

/** The service as a command left it: an array of its columns. */
export type WrittenRow = { place: number; service: readonly unknown[] };

/** A checked act on one service, as the statements take it: JSON, in the database's names; undefined is null. */
export type ServiceCommand = {
  /** Undefined on a start: the database assigns it. */
  id: string | undefined;
  event: EventType;
  columns: ServiceColumns;
  extensions: readonly ExtensionWrite[];
  /** Of those that are given, together. */
  extension_bytes: number;
  /** The state and the task that the act starts and ends. */
  state_start: StateStart | null | undefined;
  state_end: PartEnd | null | undefined;
  task_start: TaskStart | null | undefined;
  task_end: PartEnd | null | undefined;
  /** What lets a start act only if nobody created a service of its key since `composite_turn` was read. */
  composite_key: string | null | undefined;
  composite_turn: number | null | undefined;
  /** Whether the act depends on more than the service's row. */
  reads_beside: boolean;
  /** How history calls the act, where it may change the owner: to `columns.customer_id`, or back by an undo. */
  association: AssociationKind | null | undefined;
  idempotency_key: string | null | undefined;
  command_hash: string;
  expected_version: number | null | undefined;
  /** The registry that the command was checked against. */
  registry_version: number;
  reason: string | null | undefined;
  actor: string | null | undefined;
  principal: string | null;
  front: Front;
  request_id: string;
  /** Whether the caller said when it happened. */
  is_timed: boolean;
  occurred_at: Date;
  recorded_at: Date;
};

const { tenant } = given;

const commandTypes = {
  place: 'int',
  event: 'event_type',
  columns: 'jsonb',
  extensions: 'jsonb',
  extension_bytes: 'int',
  state_start: 'jsonb',
  state_end: 'jsonb',
  task_start: 'jsonb',
  task_end: 'jsonb',
  composite_key: 'text',
  composite_turn: 'int',
  reads_beside: 'boolean',
  association: 'association_kind',
  idempotency_key: 'text',
  command_hash: 'text',
  expected_version: 'int',
  registry_version: 'int',
  reason: 'text',
  actor: 'text',
  principal: 'text',
  front: 'front',
  request_id: 'text',
  is_timed: 'boolean',
  occurred_at: 'timestamptz',
  recorded_at: 'timestamptz',
} as const satisfies Record<Exclude<keyof ServiceCommand, 'id'> | 'place', string>;

const commandColumns = Prisma.raw(
  ['id bigint', ...Object.entries(commandTypes).map(([name, type]) => `${name} ${type}`)].join(', '),
);

const commandFields = Prisma.raw(
  Object.keys(commandTypes)
    .map((name) => `c.${name}`)
    .join(', '),
);

/**
 * Starts services, each with its extensions, its first history entry and its event. Answers the new
 * services; a command that was checked against another registry than the tenant's does nothing.
 */
export const startServices = starting({ withParts: false });

/**
 * The same with a state and a task each. Of commands with one key that read the same turn only one
 * acts: the row of the key is theirs to wait for, and has another turn then.
 */
export const startServicesAndParts = starting({ withParts: true });

function starting({ withParts }: { withParts: boolean }): BatchStatement<ServiceCommand> {
  return batchStatement(
    { extensions: hasExtensions, keys: hasKey },
    (has) => Prisma.sql`
  with command as materialized (
    select nextval('service_id_seq') as service_id, c.*
    from jsonb_to_recordset(${given.commands}) as c(${commandColumns})
    where ${waitsAsGiven} and ${mayAct}
  ), ${withParts ? turnsTaken : Prisma.empty} changed as (
    insert into service (tenant, id, ${columnNames(serviceColumns)}, next_state_id, next_task_id,
      auto_complete_at, updated_at)
    select ${tenant}, c.service_id, ${columnValues(serviceColumns, 'c.columns')},
      (c.state_start is not null)::int, (c.task_start is not null)::int,
      c.recorded_at + (c.columns->>'auto_complete_after')::bigint * interval '1 second', c.recorded_at
    from command c
    ${withParts ? Prisma.raw('where c.composite_key is null or c.composite_key in (select key from turns)') : Prisma.empty}
    returning *
  ), written as (
    select s.*, ${commandFields} from changed s join command c on c.service_id = s.id
  ), ${withParts ? Prisma.sql`${startsPart('state')}, ${startsPart('task')},` : Prisma.empty}
  ${has.extensions ? extensionsWritten : Prisma.empty}
  ${recordsWritten({ ...has, moves: true })}
  ${writtenServices}`,
  );
}

const turnsTaken = Prisma.sql`turns as (
    insert into composite_start (tenant, key, turn, updated_at)
    select ${tenant}, c.composite_key, c.composite_turn + 1, c.recorded_at
    from command c where c.composite_key is not null
    on conflict (tenant, key) do update set turn = excluded.turn, updated_at = excluded.updated_at
      where composite_start.turn = excluded.turn - 1
    returning key
  ),`;

/**
 * Changes services: update-first, so that the row locks in one order and every condition is
 * decided by the database. A command whose service is missing, stale, already completed or over
 * its limits does nothing and answers no row. The former owner comes from the same UPDATE: a read
 * beside it would see another one under concurrent moves. What lies beside the service's row, like
 * its extensions, can only be read as it was when the statement began: a command that depends on
 * it does nothing where the service changed since, and is sent again.
 */
export const changeServices = changing({ withParts: false });

/** The same for acts that touch states or tasks, or extensions of theirs. */
export const changeServicesAndParts = changing({ withParts: true });

function changing({ withParts }: { withParts: boolean }): BatchStatement<ServiceCommand> {
  return batchStatement(
    { ends, extensions: hasExtensions, removals: removesAny, moves, keys: hasKey },
    (has) => Prisma.sql`
  with command as materialized (
    select c.*
    from jsonb_to_recordset(${given.commands}) as c(${commandColumns})
    where ${waitsAsGiven} and ${mayAct}
    order by c.id
  ), written as (
    update service s set ${assignments}, ${has.ends ? endAssignments : Prisma.empty} ${withParts ? countedParts : Prisma.empty}
      customer_id = ${ownerAfter},
      prev_customer_id = case when ${hasMoved} then s.customer_id else s.prev_customer_id end,
      associated_version = case when ${hasMoved} then s.version + 1 else s.associated_version end,
      auto_complete_at = case when s.completed_at is null and not c.columns ? 'completed_at'
        then c.recorded_at + interval '1 second' * case when c.columns ? 'auto_complete_after'
          then (c.columns->>'auto_complete_after')::bigint else s.auto_complete_after end end,
      version = s.version + 1, updated_at = c.recorded_at
    from command c
    where s.tenant = ${tenant} and s.id = c.id
      and (c.expected_version is null or c.expected_version = s.version)
      and (not c.reads_beside or s.version = (
        select seen.version from service seen where seen.tenant = ${tenant} and seen.id = c.id))
      and (not c.columns ? 'completed_at'
        or s.completed_at is null and (c.is_timed is not true or c.occurred_at >= s.started_at))
      and (c.association is distinct from 'UNDO' or s.associated_version > 1)
      and (${ownerAfter} is not null
        or case when c.columns ? 'contact_key' then c.columns->>'contact_key' else s.contact_key end is not null)
      ${has.extensions ? Prisma.sql`and ${extensionsFit}` : Prisma.empty}
      ${withParts ? Prisma.sql`and ${holdsParts}` : Prisma.empty}
    returning s.*, ${commandFields}
  ), ${has.removals ? extensionsRemoved : Prisma.empty}
  ${withParts ? partsWritten : Prisma.empty}
  ${has.extensions ? extensionsWritten : Prisma.empty}
  ${recordsWritten(has)}
  ${writtenServices}`,
  );
}

/** What the stored extensions of a service and of its parts come to: at first those too that are given anew. */
function extensionBytes(condition = Prisma.empty): Prisma.Sql {
  return Prisma.sql`
    select coalesce(sum(size_bytes), 0) from extension kept
    where kept.tenant = ${tenant} and kept.service_id = s.id ${condition}`;
}

const mostBytes = Prisma.raw(String(maxServiceExtensionBytes));

const isNotGiven = Prisma.sql`
  and (kept.scope, kept.owner_id, kept.name_key) not in (select scope, owner_id, name_key
    from jsonb_to_recordset(c.extensions) as given(scope extension_scope, owner_id int, name_key text)
    where owner_id is not null)`;

/** Which of the stored ones are given anew is looked at only where that makes the difference. */
const extensionsFit = Prisma.sql`
      (c.extensions = '[]' or ${mostBytes} >= c.extension_bytes + (${extensionBytes()})
        or ${mostBytes} >= c.extension_bytes + (${extensionBytes(isNotGiven)}))`;

const partsWritten = Prisma.sql`
    ${startsPart('state')}, ${endsPart('state')},
    ${startsPart('task')}, ${endsPart('task')},`;

function hasExtensions({ extensions }: ServiceCommand): boolean {
  return extensions.length > 0;
}

function ends({ columns }: ServiceCommand): boolean {
  return Object.keys(columns).some((name) => name in partEnd);
}

function moves({ association }: ServiceCommand): boolean {
  return Boolean(association);
}

function removesAny({ extensions }: ServiceCommand): boolean {
  return extensions.some(({ value }) => value === null);
}

/** Without an owner an extension is one of the part that the act starts. */
const ownerId = Prisma.raw(`
  coalesce(given.owner_id, case given.scope when 'STATE' then w.next_state_id - 1 else w.next_task_id - 1 end)`);

const givenExtensions = Prisma.raw(`
  jsonb_to_recordset(w.extensions) as given(
    scope extension_scope, owner_id int, name_key text, name text, value jsonb, size_bytes int)`);

const extensionsRemoved = Prisma.sql`removed as (
    delete from extension e using written w, ${givenExtensions}
    where e.tenant = ${tenant} and e.service_id = w.id and e.scope = given.scope
      and e.owner_id = ${ownerId} and e.name_key = given.name_key and given.value is null
  ),`;

/** A JSON null in `value` reads as SQL null: the extension that it removes is not written. */
const extensionsWritten = Prisma.sql`extensions_written as (
    insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
    select ${tenant}, w.id, given.scope, ${ownerId}, given.name_key, given.name, given.value, given.size_bytes
    from written w, ${givenExtensions}
    where given.value is not null
    on conflict (tenant, service_id, scope, owner_id, name_key)
      do update set name = excluded.name, value = excluded.value, size_bytes = excluded.size_bytes
  ),`;

const mayAct = Prisma.sql`
    c.registry_version = (select registry_version from tenant where id = ${tenant}) and ${hasFreeKey}`;

const ownerAfter = Prisma.raw(`
  case c.association when 'UNDO' then s.prev_customer_id when 'ASSOCIATE' then c.columns->>'customer_id'
    else s.customer_id end`);

const hasMoved = Prisma.raw(`
  (c.association = 'UNDO' or c.association = 'ASSOCIATE' and c.columns->>'customer_id' is distinct from s.customer_id)`);

const givenColumns = { json: 'c.columns', row: 's', earliestEnd: 's.started_at' };
const assignments = columnAssignments(serviceStart, givenColumns);
const endAssignments = Prisma.sql`${columnAssignments(partEnd, givenColumns)},`;

const countedParts = Prisma.raw(`
  next_state_id = s.next_state_id + (c.state_start is not null)::int,
  next_task_id = s.next_task_id + (c.task_start is not null)::int,`);

const writtenServices = Prisma.sql`select place, ${rowArray(serviceRow, 'written')} as service from written`;
