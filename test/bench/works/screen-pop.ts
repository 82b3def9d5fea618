import { deepStrictEqual } from 'node:assert/strict';
import type pg from 'pg';
import { type Draws, draw, type Front, send } from '../exchange.js';
import { activePerReader, type Population } from '../population.js';

/** What an agent's screen shows as the call comes in: the customer's active services with their extensions. */
export function screenPopDraws({ readers }: Population): Draws {
  return { reader: { prefix: 'reader-', from: 1, to: readers } };
}

/** Every right answer has as many. */
export const screenPopMark = { text: 'waiting line', times: activePerReader };

/**
 * Asks for a customer's services and compares the answer with what is stored.
 * @throws AssertionError
 */
export async function checkScreenPop(
  client: pg.Client,
  url: string,
  front: Front,
  population: Population,
): Promise<void> {
  const values = draw(screenPopDraws(population));

  const answer = await send(url, front.exchange, values);

  deepStrictEqual(front.read(answer), await readActive(client, values['reader']));
}

async function readActive(client: pg.Client, customer: string | undefined): Promise<object[]> {
  const { rows } = await client.query(
    `select id::text, service_type as "serviceType", started_at as "startedAt", interaction_id as "interactionId",
       media_type as "mediaType",
       (select json_object_agg(name, value) from extension where tenant = s.tenant and service_id = s.id) as extensions
     from service s where tenant = 'default' and customer_id = $1 and completed_at is null
     order by started_at, id`,
    [customer],
  );
  return rows.map((row) => ({ ...row, startedAt: row.startedAt.toISOString() }));
}
