import type { Admin, Db } from '../db/database.js';
import { afterAct } from '../db/failures.js';
import { NotFound } from '../errors.js';
import { Prisma, type WebhookDelivery } from '../generated/prisma/client.js';
import { accept, Faults, integer, type Rule, refuse, serviceId } from './rules.js';
import type { Origin } from './service-writes.js';
import { requireWebhook } from './webhooks.js';

export type { WebhookDelivery };

/** What a webhook has yet to be told of. */
export type Backlog = {
  webhookId: bigint;
  pending: bigint;
  dead: bigint;
  /** When the oldest of those that are pending became one. */
  oldestPendingAt: Date | null;
};

/** Of each webhook, in one statement. */
export function listBacklogs({ prisma, tenant }: Db, webhookIds: readonly bigint[]): Promise<Backlog[]> {
  return prisma.$queryRaw<Backlog[]>(Prisma.sql`
    select w.id as "webhookId",
      (select count(*) from webhook_delivery d
        where d.tenant = w.tenant and d.webhook_id = w.id and d.died_at is null) as pending,
      (select count(*) from webhook_delivery d
        where d.tenant = w.tenant and d.webhook_id = w.id and d.died_at is not null) as dead,
      (select d.created_at from webhook_delivery d
        where d.tenant = w.tenant and d.webhook_id = w.id and d.died_at is null
        order by d.created_at limit 1) as "oldestPendingAt"
    from webhook w
    where w.tenant = ${tenant} and w.id = any(${webhookIds.map(String)}::text[]::bigint[])`);
}

/** A place among the dead deliveries of a webhook. */
export type DeadPosition = Pick<WebhookDelivery, 'serviceId' | 'version'> & { diedAt: Date };

export type DeadPage = {
  limit: number;
  after?: DeadPosition | undefined;
  before?: DeadPosition | undefined;
  /** From the last one on. */
  isReversed: boolean;
};

/**
 * In the order in which they died.
 * @throws NotFound for a webhook that there is not
 */
export async function listDead(
  db: Db,
  webhookId: bigint,
  { limit, after, before, isReversed }: DeadPage,
): Promise<WebhookDelivery[]> {
  await requireWebhook(db, webhookId);
  const order = isReversed ? 'desc' : 'asc';
  return db.prisma.webhookDelivery.findMany({
    where: {
      tenant: db.tenant,
      webhookId,
      diedAt: { not: null },
      AND: [...(after ? [beyond(after, 'gt')] : []), ...(before ? [beyond(before, 'lt')] : [])],
    },
    orderBy: [{ diedAt: order }, { serviceId: order }, { version: order }],
    take: limit,
  });
}

function beyond(
  { diedAt, serviceId, version }: DeadPosition,
  side: 'gt' | 'lt',
): Prisma.WebhookDeliveryWhereInput {
  return {
    OR: [
      { diedAt: { [side]: diedAt } },
      { diedAt, serviceId: { [side]: serviceId } },
      { diedAt, serviceId, version: { [side]: version } },
    ],
  };
}

/** `1764421234567.1500.7`, in an opaque form. */
export function encodeDeadCursor({ diedAt, serviceId, version }: WebhookDelivery): string {
  return Buffer.from(`${diedAt?.getTime()}.${serviceId}.${version}`).toString('base64url');
}

export const deadCursor: Rule<DeadPosition> = (value) => {
  const text = typeof value === 'string' ? Buffer.from(value, 'base64url').toString() : '';
  const [, time, id, version] = /^(\d{1,14})\.(\d{1,19})\.(\d{1,9})$/.exec(text) ?? [];
  const service = serviceId(id);
  return service.ok
    ? accept({ diedAt: new Date(Number(time)), serviceId: service.value, version: Number(version) })
    : refuse('must be a cursor that this list answered');
};

/** The dead deliveries of a webhook, or one of them. */
export type Choice = { webhookId: bigint; one: { serviceId: bigint; version: number } | null };

/** @param fields `webhookId`, and of a single one `serviceId` and `version`, as they came */
export function readChoice(fields: Readonly<Record<string, unknown>>): Choice {
  const faults = new Faults();
  const [service, version] = [fields['serviceId'] ?? undefined, fields['version'] ?? undefined];
  const choice = {
    webhookId: faults.require(serviceId, ['webhookId'], fields['webhookId'], 1n),
    serviceId: faults.check(serviceId, ['serviceId'], service),
    version: faults.check(integer(1, 2_147_483_647), ['version'], version),
  };
  if (service !== undefined && version === undefined) faults.add(['version'], alone('serviceId'));
  if (service === undefined && version !== undefined) faults.add(['serviceId'], alone('version'));
  faults.throwIfAny();
  const { webhookId, serviceId: of, version: at } = choice;
  return { webhookId, one: of === undefined || at === undefined ? null : { serviceId: of, version: at } };
}

function alone(other: string) {
  return { message: `is required together with ${other}` };
}

const mostAtOnce = 10_000;

export type Handled = {
  count: number;
  /** How many are dead still. */
  remaining: number;
};

/**
 * Lets dead deliveries be tried again from the beginning, the oldest first, up to 10000 in one call.
 * @throws NotFound for a webhook, or one delivery, that there is not; Unavailable, OutcomeUnknown
 */
export function replayDeliveries(db: Db, { receivedAt }: Origin, choice: Choice): Promise<Handled> {
  return handle(
    db,
    choice,
    Prisma.sql`
      update webhook_delivery d set attempts = 0, next_attempt_at = ${receivedAt}, died_at = null from chosen c`,
  );
}

/**
 * Removes dead deliveries for good, the oldest first, up to 10000 in one call.
 * @throws NotFound for a webhook, or one delivery, that there is not; Unavailable, OutcomeUnknown
 */
export function discardDeliveries(db: Db, choice: Choice): Promise<Handled> {
  return handle(db, choice, Prisma.sql`delete from webhook_delivery d using chosen c`);
}

/** @param act on a delivery `d`, by what is chosen as `c` */
async function handle(db: Db, { webhookId, one }: Choice, act: Prisma.Sql): Promise<Handled> {
  const { tenant } = db;
  const isChosen = one
    ? Prisma.sql`service_id = ${one.serviceId} and version = ${one.version}`
    : Prisma.sql`true`;
  const [row] = await db.write<{ count: bigint }>(Prisma.sql`
    with chosen as materialized (
      select service_id, version from webhook_delivery
      where tenant = ${tenant} and webhook_id = ${webhookId} and died_at is not null and ${isChosen}
      order by died_at, service_id, version limit ${mostAtOnce}
      for update
    ), handled as (
      ${act}
      where d.tenant = ${tenant} and d.webhook_id = ${webhookId} and d.service_id = c.service_id
        and d.version = c.version
      returning 1
    )
    select count(*) as count from handled`);
  const count = Number(row?.count ?? 0);
  const [backlog] = await afterAct(() => listBacklogs(db, [webhookId]));
  if (!backlog) throw new NotFound(`There is no webhook ${webhookId}.`);
  if (one && count === 0) {
    throw new NotFound(
      `Webhook ${webhookId} has no dead delivery of service ${one.serviceId}, version ${one.version}.`,
    );
  }
  return { count, remaining: Number(backlog.dead) };
}

/** Of all tenants. */
export async function countDeliveries({ prisma }: Admin): Promise<{ pending: number; dead: number }> {
  const [pending, dead] = await Promise.all([
    prisma.webhookDelivery.count({ where: { diedAt: null } }),
    prisma.webhookDelivery.count({ where: { diedAt: { not: null } } }),
  ]);
  return { pending, dead };
}
