create function associate_service(
  service_id bigint, customer_id text, interaction_id text, media_type jsonb, resource_id bigint, extensions jsonb
) returns service language plpgsql volatile as $$
declare
  moved service;
begin
  update service s set
    prev_customer_id = case when s.customer_id is distinct from $2 then s.customer_id else s.prev_customer_id end,
    associated_version = case when s.customer_id is distinct from $2 then s.version + 1 else s.associated_version end,
    customer_id = $2, interaction_id = $3, media_type = $4, resource_id = $5,
    version = s.version + 1, updated_at = now()
  where s.tenant = 'default' and s.id = $1
  returning * into strict moved;

  insert into extension as e (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
  select 'default', moved.id, 'SERVICE', 0, lower(given.key), given.key, given.value,
    octet_length(given.key) + octet_length(given.value::text)
  from jsonb_each($6) as given
  on conflict on constraint extension_pkey
    do update set name = excluded.name, value = excluded.value, size_bytes = excluded.size_bytes;

  if moved.version = moved.associated_version then
    insert into association (tenant, service_id, version, kind, from_customer_id, to_customer_id, front,
      request_id, occurred_at, recorded_at)
    values ('default', moved.id, moved.version, 'ASSOCIATE', moved.prev_customer_id, moved.customer_id, 'GRAPHQL',
      gen_random_uuid(), moved.updated_at, moved.updated_at);
  end if;

  insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
  values ('default', moved.id, moved.version, 'SERVICE_ASSOCIATED', moved.customer_id,
    case when moved.version = moved.associated_version then moved.prev_customer_id else moved.customer_id end,
    moved.updated_at);
  return moved;
end
$$;

-- Its columns are filtered by through partial indexes, which PostGraphile does not see.
comment on column service.customer_id is '@behavior +attribute:filterBy';
comment on column service.completed_at is '@behavior +attribute:filterBy';
