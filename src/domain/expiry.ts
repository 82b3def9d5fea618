import type { Db, Retention } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import type { ServiceColumns } from './columns.js';
import { seconds } from './durations.js';
import { storedForms } from './field-mappings.js';
import { dateTime, type Faults, nullable } from './rules.js';

/** What an act says of the expiry: an absent member says nothing, null that there is none. */
export type GivenExpiry = { ttl?: number | null; expirationTime?: Date | null };

export function readExpiry(fields: Readonly<Record<string, unknown>>, faults: Faults): GivenExpiry {
  return faults.read({ ttl: nullable(seconds), expirationTime: nullable(dateTime) }, fields);
}

/**
 * The columns that say when a service is to be deleted, and for a start when it completes itself.
 * Expiry counts from the server's clock, never from a client's timestamp (legacy contract, time).
 * @param faults gets an expiration that is past, which is no fault of a call that is repeated
 * @returns null where they stay as they are
 */
export function expiryColumns(
  { retention }: Db,
  registry: Registry,
  {
    columns,
    expiry = {},
    isStart,
  }: { columns: ServiceColumns; expiry?: GivenExpiry | undefined; isStart: boolean },
  { receivedAt }: { receivedAt: Date },
  faults: Faults,
): ServiceColumns | null {
  const { ttl, expirationTime } = expiry;
  // Where both are given, ttl wins.
  if (ttl === undefined && expirationTime && expirationTime <= receivedAt) {
    faults.add(['expirationTime'], { message: 'must lie ahead' });
  }
  const after = (count: number) => new Date(receivedAt.getTime() + count * 1_000);
  const ofTtl = typeof ttl === 'number' ? after(ttl) : ttl;
  const given = ofTtl === undefined ? expirationTime : ofTtl;
  if (!isStart) return given === undefined ? null : { expires_at: given };
  return {
    expires_at: given === undefined ? after(secondsOf(retention, registry, columns.service_type)) : given,
    auto_complete_after: retention.autoCompleteSeconds,
    // What the start itself says comes before what is usual.
    ...(columns.auto_complete_after === undefined
      ? {}
      : { auto_complete_after: columns.auto_complete_after }),
  };
}

function secondsOf(
  { seconds: usual, secondsByType }: Retention,
  registry: Registry,
  type: ServiceColumns['service_type'],
): number {
  if (secondsByType.size === 0 || (typeof type !== 'number' && typeof type !== 'string')) return usual;
  const forms = storedForms(registry, 'Service.type', type);
  const names = forms.ok ? forms.value.map(String) : [];
  return names.map((name) => secondsByType.get(name)).find((found) => found !== undefined) ?? usual;
}
