import { createHmac, randomBytes } from 'node:crypto';
import type { EventType, WebhookDelivery } from '../generated/prisma/client.js';

/** Every secret begins like this, so that it is known for what it is wherever it turns up (Standard Webhooks). */
const secretPrefix = 'whsec_';
const secretBytes = 32;

/** A secret as receivers are given it: base64 behind the prefix. */
export function newSecret(): string {
  return secretPrefix + randomBytes(secretBytes).toString('base64');
}

/** What a receiver gets, but for its signature. It holds ids alone: no extension, no field of a service. */
export type Message = {
  /** The same at every attempt, by which a receiver knows what it has had. */
  id: string;
  body: string;
};

export type Told = Pick<
  WebhookDelivery,
  | 'tenant'
  | 'webhookId'
  | 'serviceId'
  | 'version'
  | 'type'
  | 'customerId'
  | 'previousCustomerId'
  | 'stateId'
  | 'taskId'
  | 'recordedAt'
>;

export function messageOf({ tenant, webhookId, recordedAt, type, ...told }: Told): Message {
  const { serviceId, version, customerId, previousCustomerId, stateId, taskId } = told;
  return {
    id: `${webhookId}-${serviceId}-${version}`,
    body: JSON.stringify({
      type: messageType(type),
      timestamp: recordedAt.toISOString(),
      tenant,
      // As a string: 64 bits do not go through a double.
      data: { serviceId: String(serviceId), version, customerId, previousCustomerId, stateId, taskId },
    }),
  };
}

/** What a receiver gets on request, to see whether it is heard. */
export function pingOf(tenant: string, webhookId: bigint, now: Date): Message {
  const id = `${webhookId}-ping-${randomBytes(8).toString('hex')}`;
  return { id, body: JSON.stringify({ type: 'ping', timestamp: now.toISOString(), tenant, data: {} }) };
}

/** `SERVICE_ASSOCIATED` → `service.associated` */
function messageType(type: EventType): string {
  return type.toLowerCase().replace('_', '.');
}

export type Secrets = { secret: string; previousSecret: string | null; previousSecretUntil: Date | null };

/** The headers of one attempt: a signature for each secret that holds at that time, the newest first. */
export function signedHeaders({ id, body }: Message, secrets: Secrets, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signatures = secretsAt(secrets, now).map((secret) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

function secretsAt({ secret, previousSecret, previousSecretUntil }: Secrets, now: Date): string[] {
  const isHeld = previousSecret !== null && previousSecretUntil !== null && previousSecretUntil > now;
  return isHeld ? [secret, previousSecret] : [secret];
}
