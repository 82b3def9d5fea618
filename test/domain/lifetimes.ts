import pg from 'pg';
import type { Db } from '../../src/db/database.js';
import { makeTenants } from '../auth/makers.js';
import type { TestApp } from '../harness.js';

/** A tenant of its own, so that what is swept in one test is not of another. */
export type Place = { tenant: string; db: Db; headers: { contactcenterid: string } };

let places = 0;

export async function makePlace(app: TestApp): Promise<Place> {
  const tenant = `tenant-${++places}`;
  await makeTenants(app, tenant);
  return { tenant, db: app.gateway.database.forTenant(tenant), headers: { contactcenterid: tenant } };
}

export type Given = {
  customer?: string | null;
  started?: string;
  completed?: string | null;
  expires?: string | null;
  /** Seconds, and when they are over. */
  idleAfter?: number | null;
  idleAt?: string | null;
};

/** Puts services into the database as they are, several of each kind that is given, and answers their ids. */
export async function insertServices(
  { sql }: TestApp,
  { tenant }: Place,
  given: Given,
  count = 1,
): Promise<string[]> {
  const { customer = 'c', started = '2026-01-01T00:00:00Z', completed = null } = given;
  const rows = await sql<{ id: string }>(
    `insert into service (tenant, customer_id, contact_key, started_at, completed_at, expires_at,
       auto_complete_after, auto_complete_at, updated_at)
     select $1, $2, 'key', $3, $4, $5, $6, $7, $3 from generate_series(1, $8) returning id`,
    [
      ...[tenant, customer, started, completed],
      ...[given.expires ?? null, given.idleAfter ?? null, given.idleAt ?? null, count],
    ],
  );
  return rows.map(({ id }) => id);
}

export async function servicesOf({ sql }: TestApp, { tenant }: Place): Promise<string[]> {
  const rows = await sql<{ id: string }>('select id from service where tenant = $1 order by id', [tenant]);
  return rows.map(({ id }) => id);
}

export type ToldEvent = { id: string; version: number; type: string; customer: string | null };

export function eventsOf({ sql }: TestApp, { tenant }: Place): Promise<ToldEvent[]> {
  return sql<ToldEvent>(
    `select service_id as id, version, type, customer_id as customer from event
     where tenant = $1 order by service_id, version`,
    [tenant],
  );
}

/** How many rows each table has of a service; those that have none are left out. */
export async function rowsOf({ sql }: TestApp, id: string): Promise<Record<string, number>> {
  const tables = await sql<{ name: string; column: string }>(
    `select table_name as name, column_name as "column" from information_schema.columns
     where table_schema = 'public' and (column_name = 'service_id' or (table_name, column_name) = ('service', 'id'))
     order by 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name, column } of tables) {
    const rows = await sql(`select from "${name}" where "${column}" = $1`, [id]);
    if (rows.length > 0) counts[name] = rows.length;
  }
  return counts;
}

/** Starts a service with a state, a task and extensions of each, moves it to a customer and answers its id. */
export async function startWithParts(app: TestApp, { headers }: Place, fields: object = {}): Promise<string> {
  const post = async (path: string, body: object) => {
    const answer = await app.rest('POST', `/genesys/1/cs${path}`, { body, headers });
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.json;
  };
  const { service_id: id } = await post('/services/start', {
    ...{ contact_key: 'caller', service_type: 1, Feedback: { rating: 5 } },
    ...fields,
  });
  await post(`/services/${id}/states/start`, { state_type: 1, Feedback: { rating: 5 } });
  await post(`/services/${id}/tasks/start`, { task_type: 1, state_id: 0, Feedback: { rating: 5 } });
  await post(`/customers/c/services/${id}`, {});
  return String(id);
}

/** Someone who writes to a service and is not done with it yet. */
export type Writer = AsyncDisposable & {
  /** Until another session waits for what this one holds. */
  isWaitedFor(): Promise<void>;
  finish(): Promise<void>;
};

export async function beginWrite(app: TestApp, statement: string, parameters: unknown[]): Promise<Writer> {
  const client = new pg.Client({ connectionString: app.connectionString });
  await client.connect();
  await client.query('begin');
  await client.query(statement, parameters);
  return {
    async isWaitedFor() {
      const waiting =
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      while ((await app.sql(waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    finish: async () => {
      await client.query('commit');
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
