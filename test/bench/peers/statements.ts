/** A service as the statements answer it. */
export type ServiceRow = {
  id: string;
  version: number;
  customer_id: string;
  prev_customer_id: string | null;
  service_type: unknown;
  interaction_id: string;
  media_type: unknown;
  resource_id: string;
  started_at: Date;
};

export type GivenExtension = { name: string; value: unknown };

const fields =
  'id, version, customer_id, prev_customer_id, service_type, interaction_id, media_type, resource_id, started_at';

export type Association = {
  serviceId: string;
  customerId: string;
  interactionId: string;
  mediaType: unknown;
  resourceId: number;
  extensions: readonly GivenExtension[];
  front: 'REST' | 'GRAPHQL';
  requestId: string;
};

/** One statement: the service, its extensions, its history and the event. Prepared once a connection, by its name. */
export function associateStatement(association: Association) {
  const { serviceId, customerId, interactionId, mediaType, resourceId, extensions } = association;
  const values = extensions.map(({ value }) => JSON.stringify(value));
  return {
    name: 'associate',
    text: associateSql,
    values: [
      serviceId,
      customerId,
      interactionId,
      JSON.stringify(mediaType),
      resourceId,
      extensions.map(({ name }) => name),
      values,
      extensions.map(({ name }, place) => Buffer.byteLength(name) + Buffer.byteLength(values[place] ?? '')),
      association.front,
      association.requestId,
    ],
  };
}

const associateSql = `
  with moved as (
    update service set
      prev_customer_id = case when customer_id is distinct from $2 then customer_id else prev_customer_id end,
      associated_version = case when customer_id is distinct from $2 then version + 1 else associated_version end,
      customer_id = $2, interaction_id = $3, media_type = $4, resource_id = $5,
      version = version + 1, updated_at = now()
    where tenant = 'default' and id = $1
    returning *
  ), extensions_written as (
    insert into extension (tenant, service_id, scope, owner_id, name_key, name, value, size_bytes)
    select 'default', moved.id, 'SERVICE', 0, lower(name), name, value, size
    from moved, unnest($6::text[], $7::jsonb[], $8::int[]) as given(name, value, size)
    on conflict (tenant, service_id, scope, owner_id, name_key)
      do update set name = excluded.name, value = excluded.value, size_bytes = excluded.size_bytes
  ), history_written as (
    insert into association (tenant, service_id, version, kind, from_customer_id, to_customer_id, front,
      request_id, occurred_at, recorded_at)
    select 'default', id, version, 'ASSOCIATE', prev_customer_id, customer_id, $9, $10, updated_at, updated_at
    from moved where version = associated_version
  ), event_written as (
    insert into event (tenant, service_id, version, type, customer_id, prev_customer_id, recorded_at)
    select 'default', id, version, 'SERVICE_ASSOCIATED', customer_id,
      case when version = associated_version then prev_customer_id else customer_id end, updated_at
    from moved
  )
  select ${fields} from moved`;

/** The active services of a customer. */
export function activeStatement(customerId: string) {
  return {
    name: 'active',
    text: `select ${fields} from service
      where tenant = 'default' and customer_id = $1 and completed_at is null order by started_at, id`,
    values: [customerId],
  };
}

/** The same with all extensions of each. */
export function activeWithExtensionsStatement(customerId: string) {
  return {
    name: 'active with extensions',
    text: `select ${fields}, (
        select json_object_agg(name, value) from extension
        where tenant = 'default' and service_id = service.id and scope = 'SERVICE'
      ) as extensions
      from service
      where tenant = 'default' and customer_id = $1 and completed_at is null order by started_at, id`,
    values: [customerId],
  };
}

export function extensionsStatement(serviceIds: readonly string[]) {
  return {
    name: 'extensions',
    text: `select service_id, name, value from extension
      where tenant = 'default' and service_id = any($1::bigint[]) and scope = 'SERVICE'`,
    values: [serviceIds],
  };
}
