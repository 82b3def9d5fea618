import { deepStrictEqual } from 'node:assert/strict';
import type pg from 'pg';
import type { RowCounts } from '../database.js';
import { type Draws, draw, type Front, numeric, send } from '../exchange.js';
import type { Population } from '../population.js';

/** A service goes to another customer, with three fields and two extensions. */
export function associateDraws({ movable }: Population): Draws {
  return {
    service: { prefix: '', ...movable },
    // So many that no service meets the customer that it has.
    customer: { prefix: 'customer-', from: 10 ** 11, to: 10 ** 12 - 1 },
    interaction: { prefix: 'interaction-', from: 10 ** 11, to: 10 ** 12 - 1 },
    resource: { prefix: '', from: 1, to: 99_999 },
    rating: { prefix: '', from: 0, to: 10 },
  };
}

/** The extensions that are given, as templates. */
export const feedback = {
  FeedbackType: 'survey',
  rating: numeric('rating'),
  notes: 'Satisfied with the first agent, waited for the second.',
};
export const satisfaction = [
  { rating: numeric('rating'), pertinence: 8, useful: true, place: 'waiting line' },
  { rating: 8, pertinence: 4, useful: false, place: 'call-back' },
];

export const mediaType = 1001;

/**
 * Associates a service and compares the answer, and all rows that the act is to write.
 * @throws AssertionError
 */
export async function checkAssociate(
  client: pg.Client,
  url: string,
  front: Front,
  population: Population,
): Promise<void> {
  const values = draw(associateDraws(population));
  const { service, customer, interaction, resource, rating } = values;
  const { rows: found } = await client.query('select * from service where id = $1', [service]);
  const before = found[0];

  const answer = await send(url, front.exchange, values);

  const fields = { interactionId: interaction, mediaType, resourceId: Number(resource) };
  const version = before.version + 1;
  const asService = {
    id: service,
    version,
    customerId: customer,
    serviceType: before.service_type,
    startedAt: before.started_at.toISOString(),
    ...fields,
  };
  const read = front.read(answer);
  const move = { fromCustomerId: before.customer_id, toCustomerId: customer };
  // The answer of REST has no history entry.
  deepStrictEqual(read, front.exchange.path === '/graphql' ? { ...asService, ...move } : asService);
  const given = [
    { ...feedback, rating: Number(rating) },
    satisfaction.map((record, place) => (place === 0 ? { ...record, rating: Number(rating) } : record)),
  ];
  deepStrictEqual(await readRows(client, service, version), {
    ...fields,
    ...move,
    version,
    extensions: given,
    eventType: 'SERVICE_ASSOCIATED',
    eventMove: move,
  });
}

async function readRows(
  client: pg.Client,
  id: string | undefined,
  version: number,
): Promise<object | undefined> {
  const { rows } = await client.query(
    `select s.version, s.interaction_id as "interactionId", s.media_type as "mediaType",
       s.resource_id::int as "resourceId", a.from_customer_id as "fromCustomerId", s.customer_id as "toCustomerId",
       (select json_agg(value order by name) from extension where tenant = s.tenant and service_id = s.id) as extensions,
       e.type as "eventType",
       json_build_object('fromCustomerId', e.prev_customer_id, 'toCustomerId', e.customer_id) as "eventMove"
     from service s
       join association a on a.tenant = s.tenant and a.service_id = s.id and a.version = $2
         and a.kind = 'ASSOCIATE' and a.to_customer_id = s.customer_id
       join event e on e.tenant = s.tenant and e.service_id = s.id and e.version = $2
     where s.tenant = 'default' and s.id = $1`,
    [id, version],
  );
  return rows[0];
}

/**
 * That each service with an event since then was written since then, and both its extensions, which
 * are what its last request gave: the same rating in both.
 * @throws Error
 */
export async function requireExtensions(
  client: pg.Client,
  { nextTransaction }: Pick<RowCounts, 'nextTransaction'>,
): Promise<void> {
  const { rows } = await client.query<{ service_id: string }>(
    `with touched as (
       select distinct tenant, service_id from event where age(xmin) <= age($1::xid)
     ), fresh as (
       select * from extension where age(xmin) <= age($1::xid) and scope = 'SERVICE'
     )
     select t.service_id from touched t
       left join service s on s.tenant = t.tenant and s.id = t.service_id and age(s.xmin) <= age($1::xid)
       left join fresh f on f.tenant = t.tenant and f.service_id = t.service_id and f.name = 'Feedback'
       left join fresh l on l.tenant = t.tenant and l.service_id = t.service_id and l.name = 'Satisfaction'
     where s.id is null
       or f.value is distinct from jsonb_set($2, '{rating}', f.value->'rating')
       or l.value is distinct from jsonb_set($3, '{0,rating}', f.value->'rating')
       or f.value is null or l.value is null`,
    [nextTransaction, JSON.stringify(feedback), JSON.stringify(satisfaction)],
  );
  if (rows.length > 0) {
    throw new Error(
      `${rows.length} services have an event and not what it gave, like ${rows[0]?.service_id}`,
    );
  }
}
