import type { TestApp } from '../harness.js';

/** Services of one second each from 2020 on, each with an extension of about as many bytes; ids from 1. */
export async function insertServices(
  { sql }: Pick<TestApp, 'sql'>,
  { count, extensionBytes }: { count: number; extensionBytes: number },
): Promise<void> {
  await sql(
    `insert into service (tenant, customer_id, service_type, started_at, updated_at)
     select 'default', 'c' || n % 100, '100', timestamptz '2020-01-01' + n * interval '1 second', now()
     from generate_series(1, $1::int) n`,
    [count],
  );
  await sql(
    `insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
     select tenant, id, 'SERVICE', 0, 'note', 'Note', jsonb_build_object('text', repeat(md5(id::text), $1::int)), $1::int * 32
     from service`,
    [Math.ceil(extensionBytes / 32)],
  );
  await sql('analyze');
}
