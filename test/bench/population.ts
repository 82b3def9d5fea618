import type pg from 'pg';

/** Which services and customers there are. */
export type Population = {
  services: number;
  /** Customers `reader-1` to `reader-n`, each with 20 active services and 5 completed ones, that are only read. */
  readers: number;
  /** The ids of the other services, each with a customer of its own; these are moved. */
  movable: { from: number; to: number };
};

export const activePerReader = 20;
const perReader = 25;

export function populationOf(services: number): Population {
  const readers = Math.floor(services / 2 / perReader);
  return { services, readers, movable: { from: readers * perReader + 1, to: services } };
}

/** Fills a migrated database with services, two extensions, a history entry and an event each. */
export async function populate(client: pg.Client, { services, readers }: Population): Promise<void> {
  await client.query(
    `insert into service (tenant, id, customer_id, service_type, interaction_id, media_type, resource_id,
       started_at, completed_at, disposition, expires_at, updated_at)
     select 'default', id, case when is_read then 'reader-' || (id - 1) / $2::int + 1 else 'customer-' || id end,
       to_jsonb((array['claim', 'order', 'call-back'])[1 + id % 3]), 'interaction-' || id,
       to_jsonb(1001 + id % 4), 5000 + id % 100, started_at,
       case when is_completed then started_at + interval '1 hour' end,
       case when is_completed then to_jsonb(10) end, started_at + interval '5 years', started_at
     from generate_series(1, $1::int) as id,
       lateral (select id <= $3::int * $2 as is_read) as reading,
       lateral (select is_read and (id - 1) % $2 >= $4::int as is_completed) as completion,
       lateral (select date_trunc('second', now()) - interval '20 days' + id * interval '1 second' as started_at) as start`,
    [services, perReader, readers, activePerReader],
  );
  await client.query(extensions);
  await client.query(
    `insert into association (tenant, service_id, version, kind, to_customer_id, front, request_id, occurred_at, recorded_at)
     select tenant, id, 1, 'START', customer_id, 'REST', 'bench', started_at, started_at from service`,
  );
  await client.query(
    `insert into event (tenant, service_id, version, type, customer_id, recorded_at)
     select tenant, id, 1, 'SERVICE_STARTED', customer_id, now() from service`,
  );
  await client.query(`select setval('service_id_seq', $1)`, [services]);
  await client.query('vacuum analyze');
}

const extensions = `
  insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
  select s.tenant, s.id, 'SERVICE', 0, lower(name), name, value, octet_length(value::text) + octet_length(name)
  from service s, lateral (values
    ('Feedback', jsonb_build_object('FeedbackType', 'survey', 'rating', s.id % 10, 'notes', 'Waited long, was helped well.')),
    ('Satisfaction', jsonb_build_array(
      jsonb_build_object('rating', s.id % 10, 'pertinence', 8, 'useful', true, 'place', 'waiting line'),
      jsonb_build_object('rating', 8, 'pertinence', 4, 'useful', false, 'place', 'call-back')))
  ) as given(name, value)`;
