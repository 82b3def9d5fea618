import pg from 'pg';
import { listMigrations, type MigrationState } from './migrate.js';

/** What the doctor wants to know of a database; nothing is changed for it. */
export type Examination = { place: string } & (
  | { facts: DatabaseFacts; failure: null }
  | { facts: null; failure: ConnectionFailure }
);

/** Why there is no connection: a code of the system's or of PostgreSQL's, and what was said. */
export type ConnectionFailure = { code: string; message: string };

export type DatabaseFacts = {
  session: SessionFacts;
  /** How far the database's clock is ahead, at least; negative where it is behind. */
  clockAheadSeconds: number;
  /** What is sent when a session begins does not reach it, or two sessions are one: something in between shares them. */
  isShared: boolean;
  /** The oldest transaction that keeps the change feed waiting. */
  oldestWriter: { who: string; since: Date } | null;
  /** Replication slots that nobody reads, and that keep the log for ever. */
  idleSlots: readonly string[];
  privileges: Privileges;
  /** Empty where they cannot be read. */
  migrations: readonly MigrationState[];
  /** Null where the tables are not those of this version, or cannot be read. */
  tables: TableFacts | null;
};

export type SessionFacts = {
  version: string;
  versionNumber: number;
  encoding: string;
  role: string;
  isSuperuser: boolean;
  schema: string | null;
  canCreate: boolean;
  isInRecovery: boolean;
  /** Of the session: as set by the server, the database and the role. */
  settings: Readonly<Record<string, string>>;
  /** How many connections there may be beside those that others have. */
  freeConnections: number;
};

/** The names of tables and sequences that lack a privilege, and of those that belong to another role. */
export type Privileges = { closed: readonly string[]; foreign: readonly string[] };

export type TableFacts = {
  isInMaintenance: boolean;
  keys: number;
  operatorKeys: number;
  /** Of a service that should be gone. */
  oldestExpiry: Date | null;
  /** Of which there are no statistics. */
  unanalyzed: readonly string[];
};

/** Any time that nobody sets. */
const probe = { setting: 'lock_timeout', value: '4321ms' };

const watchedSettings = [
  ...['fsync', 'full_page_writes', 'synchronous_commit', 'default_transaction_read_only'],
  ...['idle_session_timeout', 'max_connections'],
];

/** @param clock this machine's */
export async function examineDatabase(connectionString: string, clock: () => Date): Promise<Examination> {
  const [client, other] = [createClient(connectionString), createClient(connectionString)];
  const place = `${client.host}:${client.port}/${client.database}`;
  try {
    await client.connect();
    await other.connect();
    return { place, facts: await examine({ client, other, connectionString, clock }), failure: null };
  } catch (error) {
    const failure = failureOf(error);
    if (!failure) throw error;
    return { place, facts: null, failure };
  } finally {
    for (const connected of [client, other]) await connected.end().catch(() => {});
  }
}

function createClient(connectionString: string): pg.Client {
  const client = new pg.Client({
    connectionString,
    application_name: 'context-gateway doctor',
    options: `-c ${probe.setting}=${probe.value}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 60_000,
  });
  // What breaks the connection fails the query, which tells.
  client.on('error', () => {});
  return client;
}

/** What the system, PostgreSQL or the driver says; anything else is a bug. */
function failureOf(error: unknown): ConnectionFailure | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isOfDriver = /timeout|SSL|terminated/i.test(error.message);
  return code !== '' || isOfDriver ? { code, message: error.message } : null;
}

type Sessions = { client: pg.Client; other: pg.Client; connectionString: string; clock: () => Date };

async function examine({ client, other, connectionString, clock }: Sessions): Promise<DatabaseFacts> {
  const session = await oneRow<SessionFacts>(client, sessionQuery, [watchedSettings]);
  const privileges = await oneRow<Privileges>(client, privilegesQuery);
  const isOpen = privileges.closed.length === 0;
  const migrations = isOpen ? await listMigrations(connectionString) : [];
  const isCurrent = isOpen && migrations.every(({ state }) => state === 'applied' || state === 'foreign');
  const slots = await client.query<{ name: string }>(idleSlotsQuery);
  const writers = await client.query<{ who: string; since: Date }>(oldestWriterQuery);
  return {
    session,
    clockAheadSeconds: await clockAhead(client, clock),
    isShared: await isShared(client, other),
    oldestWriter: writers.rows[0] ?? null,
    idleSlots: slots.rows.map(({ name }) => name),
    privileges,
    migrations,
    tables: isCurrent ? await oneRow<TableFacts>(client, tablesQuery) : null,
  };
}

async function oneRow<Row extends pg.QueryResultRow>(
  client: pg.Client,
  query: string,
  values: unknown[] = [],
): Promise<Row> {
  const { rows } = await client.query<Row>(query, values);
  const [row] = rows;
  if (!row) throw new Error('A query of one row answered none.');
  return row;
}

const sessionQuery = `
  select current_setting('server_version') as version,
    current_setting('server_version_num')::int as "versionNumber",
    current_setting('server_encoding') as encoding,
    current_user as role,
    r.rolsuper as "isSuperuser",
    current_schema() as schema,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) as "canCreate",
    pg_is_in_recovery() as "isInRecovery",
    (select json_object_agg(name, setting) from pg_settings where name = any($1)) as settings,
    least(
      (select sum(case name when 'max_connections' then setting::int else -setting::int end) from pg_settings
        where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')),
      nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1)
    )::int - (
      select count(*) from pg_stat_activity
      where backend_type = 'client backend' and application_name not like 'context-gateway%'
    )::int as "freeConnections"
  from pg_roles r, pg_database d
  where r.rolname = current_user and d.datname = current_database()`;

/** A sleeping transaction that has written holds back what the feed may show, whatever its database. */
const oldestWriterQuery = `
  select who, since from (
    select coalesce(nullif(application_name, ''), 'process') || ' (pid ' || pid || ')' as who, xact_start as since
    from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
    union all
    select 'The prepared transaction ' || gid, prepared from pg_prepared_xacts
  ) as writer
  where since is not null
  order by since limit 1`;

const idleSlotsQuery = `
  select slot_name as name from pg_replication_slots
  where not active and not temporary and restart_lsn is not null order by 1`;

/** Within the time that the question took it may be anything. */
async function clockAhead(client: pg.Client, clock: () => Date): Promise<number> {
  const before = clock().getTime();
  const { now } = await oneRow<{ now: number }>(
    client,
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  const after = clock().getTime();
  if (now > after) return (now - after) / 1_000;
  return now < before ? (now - before) / 1_000 : 0;
}

async function isShared(client: pg.Client, other: pg.Client): Promise<boolean> {
  const question = `select pg_backend_pid() as pid, current_setting('${probe.setting}') as probe`;
  const mine = await oneRow<{ pid: number; probe: string }>(client, question);
  const others = await oneRow<{ pid: number; probe: string }>(other, question);
  return mine.pid === others.pid || mine.probe !== probe.value;
}

const privilegesQuery = `
  with owned as (
    select oid, relname as name, relkind, relowner from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'S')
  )
  select
    array(select name from owned where case relkind
      when 'S' then not has_sequence_privilege(oid, 'USAGE')
      else not (has_table_privilege(oid, 'SELECT') and has_table_privilege(oid, 'INSERT')
        and has_table_privilege(oid, 'UPDATE') and has_table_privilege(oid, 'DELETE')) end
      order by 1)::text[] as closed,
    array(select name from owned where not pg_has_role(relowner, 'USAGE') order by 1)::text[] as foreign`;

/** The first expiry of each tenant is where its index begins. */
const tablesQuery = `
  select
    (select mode = 'MAINTENANCE' from server) as "isInMaintenance",
    (select count(*)::int from api_key where revoked_at is null) as keys,
    (select count(*)::int from api_key where revoked_at is null and role = 'OPERATOR') as "operatorKeys",
    (select min(expires_at) from tenant t cross join lateral (
      select s.expires_at from service s where s.tenant = t.id and s.expires_at is not null
      order by s.expires_at limit 1) as first) as "oldestExpiry",
    array(select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'
      and reltuples < 0 and pg_relation_size(oid) > 64 * 1024 order by 1)::text[] as unanalyzed`;
