import type { Db } from '../db/database.js';
import { afterAct } from '../db/failures.js';
import { Conflict, NotFound } from '../errors.js';
import { EventType, Prisma, type Webhook as WebhookRow } from '../generated/prisma/client.js';
import { accept, Faults, integer, list, nullable, oneOf, type Rule, refuse } from './rules.js';
import type { Origin } from './service-writes.js';
import { newSecret, type Secrets } from './webhook-messages.js';

/** A webhook as it may be shown: without its secrets. */
export type Webhook = Pick<
  WebhookRow,
  | 'id'
  | 'url'
  | 'eventTypes'
  | 'status'
  | 'previousSecretUntil'
  | 'failingSince'
  | 'lastFailure'
  | 'resumeAt'
  | 'principal'
  | 'createdAt'
>;

/** With the secret, which is answered this once. */
export type WithSecret = { webhook: Webhook; secret: string };

/** `url`, `eventTypes` and `enabled`, as they came. */
type Fields = Readonly<Record<string, unknown>>;

const shown = {
  ...{ id: true, url: true, eventTypes: true, status: true, previousSecretUntil: true },
  ...{ failingSince: true, lastFailure: true, resumeAt: true, principal: true, createdAt: true },
} as const satisfies Prisma.WebhookSelect;

/** The same of raw SQL. */
const asShown = Prisma.raw(`
  id, url, event_types::text[] as "eventTypes", status::text as status,
  previous_secret_until as "previousSecretUntil", failing_since as "failingSince",
  last_failure as "lastFailure", resume_at as "resumeAt", principal, created_at as "createdAt"`);

const mostWebhooks = 20;
const eventTypeNames = Object.values(EventType);
const eventTypes: Rule<readonly EventType[]> = list(oneOf(eventTypeNames), 1, eventTypeNames.length);

/** How long a secret that is replaced signs on, in seconds: a day, unless said otherwise. */
const usualGrace = 24 * 60 * 60;
const grace = integer(0, 7 * usualGrace);

/**
 * Makes a webhook that is told what changes from now on.
 * @param destination what may be sent to
 * @throws Invalid, listing every fault; Conflict when there are too many; Unavailable, OutcomeUnknown
 */
export async function createWebhook(
  db: Db,
  { principal, receivedAt }: Origin,
  fields: Fields,
  destination: Rule<string>,
): Promise<WithSecret> {
  const faults = new Faults();
  const url = faults.require(destination, ['url'], fields['url'], '');
  const { types = [], isEnabled = true } = readChanges(fields, faults);
  faults.throwIfAny();
  const secret = newSecret();
  const status = isEnabled ? 'ENABLED' : 'DISABLED';
  const [webhook] = await db.write<Webhook>(Prisma.sql`
    insert into webhook (tenant, url, event_types, secret, status, feed_xid, feed_service_id, feed_version,
      past, principal, created_at)
    select ${db.tenant}, ${url}, ${[...types]}::event_type[], ${secret}, ${status}::webhook_status,
      pg_snapshot_xmin(pg_current_snapshot()), 0, 0, pg_current_snapshot(), ${principal}, ${receivedAt}
    where (select count(*) from webhook where tenant = ${db.tenant}) < ${mostWebhooks}
    returning ${asShown}`);
  if (!webhook) throw new Conflict(`There are ${mostWebhooks} webhooks already, the most that a tenant has.`);
  return { webhook, secret };
}

/**
 * Changes what is given: absent members stay as they are, `eventTypes: null` is everything. One that gets
 * another URL, or is enabled, tries at once what has failed.
 * @throws Invalid, listing every fault; NotFound, Unavailable, OutcomeUnknown
 */
export async function updateWebhook(
  db: Db,
  { receivedAt }: Origin,
  id: bigint,
  fields: Fields,
  destination: Rule<string>,
): Promise<Webhook> {
  const faults = new Faults();
  const url = faults.check(destination, ['url'], fields['url']) ?? null;
  const { types = null, isEnabled } = readChanges(fields, faults);
  faults.throwIfAny();
  const status = isEnabled === undefined ? null : isEnabled ? 'ENABLED' : 'DISABLED';
  const isRevived = isEnabled === true || url !== null;
  const [webhook] = await db.write<Webhook>(Prisma.sql`
    with hastened as (
      update webhook_delivery set next_attempt_at = ${receivedAt}
      where ${isRevived} and tenant = ${db.tenant} and webhook_id = ${id} and next_attempt_at > ${receivedAt}
    )
    update webhook set
      url = coalesce(${url}, url),
      event_types = coalesce(${types && [...types]}::event_type[], event_types),
      status = coalesce(${status}::webhook_status, status),
      failing_since = case when not ${isRevived} then failing_since end,
      last_failure = case when not ${isRevived} then last_failure end,
      resume_at = case when not ${isRevived} then resume_at end
    where tenant = ${db.tenant} and id = ${id}
    returning ${asShown}`);
  return webhook ?? unknown(id);
}

/** Shared by creation and change. An absent member is left out; null for the types is all of them, an empty list. */
function readChanges(fields: Fields, faults: Faults): { types?: readonly EventType[]; isEnabled?: boolean } {
  const types = faults.check(nullable(eventTypes), ['eventTypes'], fields['eventTypes']);
  const isEnabled = faults.check(flag, ['enabled'], fields['enabled']);
  const areGiven = fields['eventTypes'] !== undefined;
  return {
    ...(areGiven ? { types: [...new Set(types)] } : {}),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  };
}

const flag: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? accept(value) : refuse('must be true or false');

/**
 * Gives a webhook another secret. The one that it had signs as well for some time, so that receivers can
 * change in between; with 0 seconds it does so no more.
 * @throws Invalid, NotFound, Unavailable, OutcomeUnknown
 */
export async function rotateSecret(
  db: Db,
  { receivedAt }: Origin,
  id: bigint,
  fields: Fields,
): Promise<WithSecret> {
  const faults = new Faults();
  const given = faults.check(nullable(grace), ['keepPreviousSeconds'], fields['keepPreviousSeconds']);
  faults.throwIfAny();
  const until = new Date(receivedAt.getTime() + (given ?? usualGrace) * 1_000);
  const isKept = until > receivedAt;
  const secret = newSecret();
  const [webhook] = await db.write<Webhook>(Prisma.sql`
    update webhook set
      previous_secret = case when ${isKept} then secret end,
      previous_secret_until = ${isKept ? until : null}::timestamptz,
      secret = ${secret}
    where tenant = ${db.tenant} and id = ${id}
    returning ${asShown}`);
  return { webhook: webhook ?? unknown(id), secret };
}

const deliveriesPerBatch = 10_000;

/**
 * Deletes a webhook with all that it has yet to be told of. A call that breaks off leaves it disabled, and can be
 * repeated.
 * @throws NotFound, Unavailable, OutcomeUnknown
 */
export async function deleteWebhook(db: Db, id: bigint): Promise<void> {
  const { tenant } = db;
  const disabled = await db.write(Prisma.sql`
    update webhook set status = 'DISABLED' where tenant = ${tenant} and id = ${id} returning id`);
  if (disabled.length === 0) unknown(id);
  const deleteBatch = () =>
    db.write(Prisma.sql`
      with gone as (
        delete from webhook_delivery where ctid = any(array(
          select ctid from webhook_delivery where tenant = ${tenant} and webhook_id = ${id}
          limit ${deliveriesPerBatch}))
        returning 1
      )
      select from gone limit 1 offset ${deliveriesPerBatch - 1}`);
  await afterAct(async () => {
    while ((await deleteBatch()).length > 0);
    await db.write(Prisma.sql`delete from webhook where tenant = ${tenant} and id = ${id} returning id`);
  });
}

/** The oldest first. */
export function listWebhooks({ prisma, tenant }: Db): Promise<Webhook[]> {
  return prisma.webhook.findMany({ where: { tenant }, orderBy: { id: 'asc' }, select: shown });
}

export function findWebhook({ prisma, tenant }: Db, id: bigint): Promise<Webhook | null> {
  return prisma.webhook.findUnique({ where: { tenant_id: { tenant, id } }, select: shown });
}

/** @throws NotFound */
export async function requireWebhook(db: Db, id: bigint): Promise<Webhook> {
  return (await findWebhook(db, id)) ?? unknown(id);
}

/** What is needed to send to a webhook. @throws NotFound */
export async function getEndpoint({ prisma, tenant }: Db, id: bigint): Promise<Secrets & { url: string }> {
  const endpoint = await prisma.webhook.findUnique({
    where: { tenant_id: { tenant, id } },
    select: { url: true, secret: true, previousSecret: true, previousSecretUntil: true },
  });
  return endpoint ?? unknown(id);
}

/** @throws NotFound */
function unknown(id: bigint): never {
  throw new NotFound(`There is no webhook ${id}.`);
}
