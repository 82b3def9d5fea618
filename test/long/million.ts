import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../databases.js';

/** What the services are at and around: nothing of them is due before then. */
export const now = new Date('2026-11-01T00:00:00.000Z');

/** Of the tenant `default`; the ids tell what is known of each. */
export const known = {
  /** With 20 active services and as many completed ones. */
  customer: 'c7',
  /** With 100,000 services. */
  busyCustomer: 'busy',
  /** With 10 anonymous services. */
  contactKey: 'k7',
  /** With 50,000 anonymous services. */
  busyContactKey: 'line',
} as const;

const services = 1_000_000;

/**
 * A million services in three tenants, each with an extension at least, with a history entry and an
 * event; of every four one with states and tasks.
 */
export async function createMillion(serverUrl: string): Promise<TestDatabase> {
  const database = await createTestDatabase(serverUrl);
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  await client.query("set session_replication_role = 'replica'");
  await client.query("insert into tenant (id) values ('north'), ('south')");
  await withoutIndexes(client, async () => {
    for (const statement of statements) await client.query(statement);
  });
  await client.query("select setval('service_id_seq', (select max(id) from service))");
  await client.query('vacuum (analyze)');
  await client.end();
  return database;
}

/** Two and a half minutes apart, the last one before the now. Types are numbers but for some that are rare. */
const statements = [
  `insert into service (tenant, id, customer_id, contact_key, business_unit, service_type, interaction_id,
     started_at, completed_at, expires_at, auto_complete_after, auto_complete_at, next_state_id, next_task_id, updated_at)
   select
     case n % 20 when 0 then 'north' when 1 then 'south' else 'default' end, n,
     case when n % 10 = 2 then 'busy' when n % 10 <> 3 then 'c' || n / 10 % 20000 end,
     case when n % 20 = 3 then 'line' when n % 20 = 13 then 'k' || n / 20 % 5000 end,
     'unit' || n % 7,
     case when n % 5000 = 6 then '"rare"' else to_jsonb(n % 19) end,
     case when n % 3 > 0 then 'i' || n / 2 end,
     started_at, completed_at,
     case when n % 1000 = 4 then timestamptz '2026-10-31T12:00Z' else started_at + interval '5 years' end,
     case when completed_at is null and n % 100 = 5 then 3600 end,
     case when completed_at is null and n % 100 = 5
       then timestamptz '2026-11-02Z' - case when n % 1000 = 5 then interval '2 days' else '0' end end,
     case when n % 4 = 0 then 3 else 0 end, case when n % 4 = 0 then 2 else 0 end,
     coalesce(completed_at, started_at)
   from (
     select n, started_at, case when (n + n / 10 + n / 200) % 2 = 1 then started_at + interval '1 hour' end as completed_at
     from generate_series(1, ${services}) n, lateral (
       select timestamptz '2026-11-01Z' - (${services} + 1 - n) * interval '150 seconds' as started_at) as start
   ) as numbered`,
  ...['state', 'task'].map(
    (part) => `insert into ${part} (tenant, service_id, id, ${part}_type, started_at, completed_at)
      select s.tenant, s.id, part, to_jsonb(part), s.started_at,
        case when part = 0 then s.started_at + interval '1 minute' else s.completed_at end
      from service s, generate_series(0, s.next_${part}_id - 1) part`,
  ),
  `insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
   select s.tenant, s.id, owner.scope::extension_scope, 0, owner.name, owner.name, '{"note": "said"}', 20
   from service s, (values ('SERVICE', 'note', 1), ('SERVICE', 'offer', 2), ('STATE', 'note', 4), ('TASK', 'note', 4))
     as owner(scope, name, every)
   where s.id % owner.every = 0`,
  `insert into association (tenant, service_id, version, kind, to_customer_id, front, request_id, occurred_at, recorded_at)
   select tenant, id, 1, 'START', customer_id, 'REST', 'r', started_at, started_at from service`,
  `insert into event (tenant, service_id, version, type, customer_id, recorded_at)
   select tenant, id, 1, 'SERVICE_STARTED', customer_id, started_at from service`,
  `insert into idempotency_key (tenant, key, command_hash, outcome, created_at)
   select tenant, 'key ' || id, 'h', '{}', started_at from service where id % 5 = 0`,
  `insert into composite_start (tenant, key, turn, updated_at)
   select tenant, 'key ' || id, 1, started_at from service where id % 5 = 0`,
  `insert into purge (tenant, operation, started_to, is_dry_run, status, matched, max_id, request_id, created_at)
   select 'north', 'ALL', '2020-01-01Z', true, 'DONE', 0, 1, 'r', now() from generate_series(1, 10000)`,
  // That of the default tenant has taken all events, and its URL is one that nothing is sent to.
  `insert into webhook (tenant, id, url, event_types, secret, status, feed_xid, feed_service_id, feed_version, created_at)
   select tenant, id, 'http://127.0.0.1/', '{SERVICE_DELETED}', 'whsec_none', status::webhook_status,
     pg_snapshot_xmin(pg_current_snapshot()), 0, 0, now()
   from (values ('default', 1, 'ENABLED'), ('south', 2, 'DISABLED')) as w(tenant, id, status)`,
  `insert into webhook_delivery (tenant, webhook_id, service_id, version, type, recorded_at, next_attempt_at, died_at, created_at)
   select s.tenant, w.id, s.id, 2, 'SERVICE_DELETED', s.started_at,
     case when not is_dead then timestamptz '2026-11-01Z' + case when s.id % 1000 < 100 then interval '-1 hour' else '1 hour' end
       + s.id * interval '1 millisecond' end,
     case when is_dead then timestamptz '2026-10-20Z' end, s.started_at
   from service s join webhook w on w.tenant = s.tenant, lateral (select s.id % 70 in (21, 51) as is_dead) as death
   where s.id % 10 = 1`,
];

/** Those that are no keys. */
export const secondaryIndexes = `
  select relname as name, pg_get_indexdef(indexrelid) as definition
  from pg_index join pg_class on pg_class.oid = indexrelid
  where relnamespace = 'public'::regnamespace and not indisunique order by 1`;

/** Indexes are made much faster of what is there already. */
async function withoutIndexes(client: pg.Client, load: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(secondaryIndexes);
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await load();
  for (const { definition } of rows) await client.query(definition);
}
