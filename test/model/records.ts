import { expect } from 'vitest';
import type { TestApp } from '../harness.js';
import { isKept, livingOf, type World } from './world.js';

/** One event for each version, a key for each call with one that acted, and nothing of services that are gone. */
export async function compareRecords(app: TestApp, world: World): Promise<void> {
  const { services, done, tenant } = world;
  const events = await app.sql<{ id: string; versions: number[]; types: string[] }>(
    `select service_id::text as id, array_agg(version order by version) as versions,
       array_agg(type::text order by version) as types
     from event where tenant = $1 group by 1`,
    [tenant],
  );
  expect(Object.fromEntries(events.map(({ id, ...row }) => [id, row]))).toEqual(
    Object.fromEntries(
      services.map(({ id, version, events: types }) => [
        id,
        { versions: Array.from({ length: version }, (_, index) => index + 1), types },
      ]),
    ),
  );
  // The gateway may have keys of its own beside those that it was given.
  const keys = await app.sql<{ key: string }>(
    "select key from idempotency_key where tenant = $1 and starts_with(key, 'key ')",
    [tenant],
  );
  const keptKeys = [...done].filter(([, one]) => isKept(world, one)).map(([key]) => key);
  expect(keys.map(({ key }) => key)).toEqual(expect.arrayContaining(keptKeys));
  expect([...done.keys()]).toEqual(expect.arrayContaining(keys.map(({ key }) => key)));
  const owners = await app.sql<{ id: string }>(
    ['state', 'task', 'extension', 'association']
      .map((table) => `select service_id::text as id from ${table} where tenant = $1`)
      .join(' union '),
    [tenant],
  );
  expect(owners.map(({ id }) => id).sort()).toEqual(
    livingOf(world)
      .map(({ id }) => id)
      .sort(),
  );
}
