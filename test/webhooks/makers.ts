import { setTimeout as sleep } from 'node:timers/promises';
import { CreateWebhookDocument, type CreateWebhookInput } from '../generated/graphql.js';
import type { TestApp } from '../harness.js';

/** Receivers of the tests are on this machine. */
export const internalHosts = { WEBHOOK_INTERNAL_HOSTS: '127.0.0.0/8' };

export async function createWebhook(
  app: TestApp,
  input: CreateWebhookInput,
): Promise<{ id: string; secret: string }> {
  const { data, errors } = await app.graphql(CreateWebhookDocument, { input });
  const created = data?.createWebhook;
  if (created?.__typename !== 'CreateWebhookPayload') throw new Error(JSON.stringify(data ?? errors));
  return { id: created.webhook.id, secret: created.secret };
}

/** Sends what is due by the app's clock, and settles it. */
export async function sendAll(app: TestApp): Promise<void> {
  const { courier } = app.gateway;
  courier.wakeForNew();
  for (;;) {
    await courier.pass();
    await courier.idle();
    await courier.pass();
    if (!(await hasWork(app))) return;
    await sleep(10);
  }
}

/** Tests beside this one can keep events from being read, as long as they write. */
async function hasWork({ sql, gateway }: TestApp): Promise<boolean> {
  const [work] = await sql<{ is_there: boolean }>(
    `select exists (
       select from webhook w where w.status = 'ENABLED' and (
         exists (select from event e where e.tenant = w.tenant and
           (e.xid, e.service_id, e.version) > (w.feed_xid, w.feed_service_id, w.feed_version))
         or (w.resume_at is null or w.resume_at <= $1) and exists (
           select from webhook_delivery d where d.webhook_id = w.id and d.next_attempt_at <= $1
           and not exists (select from webhook_delivery p where p.webhook_id = w.id and p.service_id = d.service_id
             and p.version < d.version and p.died_at is null)))
     ) as is_there`,
    [gateway.clock()],
  );
  return work?.is_there === true;
}

export type Change = { serviceId: string; version: number };

/** One more version of a service. */
export async function change(app: TestApp, serviceId: number, count = 1): Promise<void> {
  for (let times = 0; times < count; times++) {
    const { status, text } = await app.rest('POST', `/genesys/1/cs/customers/c/services/${serviceId}`);
    if (status !== 200) throw new Error(text);
  }
}
