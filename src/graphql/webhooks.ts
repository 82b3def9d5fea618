import type { Reply } from '../domain/delivering.js';
import { serviceId } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import { type Backlog, listBacklogs } from '../domain/webhook-deliveries.js';
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
  type Webhook as WebhookRow,
  type WithSecret,
} from '../domain/webhooks.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { EventType } from './event-types.js';
import type { FieldsBuilder } from './service-inputs.js';

const WebhookStatus = builder.enumType('WebhookStatus', {
  description: 'Whether a webhook is told anything.',
  values: {
    ENABLED: { description: 'It is told of every change.' },
    DISABLED: { description: 'It was disabled. Enabled again it goes on where it stopped.' },
    GONE: { description: 'The receiver answered 410: it wants nothing any more.' },
    FAILED: { description: 'Nothing could be delivered for 5 days.' },
  } as const,
});

const WebhookBacklog = builder.objectRef<Backlog>('WebhookBacklog').implement({
  description: 'What a webhook has yet to be told of.',
  fields: (t) => ({
    pending: t.expose('pending', { type: 'Long', description: 'Deliveries that are sent, or tried again.' }),
    dead: t.expose('dead', {
      type: 'Long',
      description: 'Deliveries that failed for good: `deadDeliveries`.',
    }),
    oldestPendingAt: t.expose('oldestPendingAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when the oldest of those that are pending waits; null when none is.',
    }),
  }),
});

const described = {
  url: 'Where it is sent to by POST. `https`, unless `WEBHOOK_INTERNAL_HOSTS` names the host.',
  eventTypes: 'What it is told of; everything when absent or null.',
  enabled: 'Whether it is told anything.',
  webhook: 'The webhook.',
  secret: 'What deliveries are signed with, for the receiver. It is answered this once.',
};

const Webhook = builder.objectRef<WebhookRow>('Webhook').implement({
  description: 'A receiver that is told by HTTP what changes.',
  fields: (t) => ({
    id: t.id({ description: 'The webhook’s id.', resolve: ({ id }) => String(id) }),
    url: t.exposeString('url', { description: described.url }),
    eventTypes: t.expose('eventTypes', {
      type: [EventType],
      description: 'What it is told of; empty for everything.',
    }),
    status: t.expose('status', { type: WebhookStatus, description: described.enabled }),
    previousSecretUntil: t.expose('previousSecretUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when deliveries are signed with the former secret too; null where there is none.',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when nothing could be delivered; null when the newest attempt went well.',
    }),
    lastFailure: t.exposeString('lastFailure', {
      nullable: true,
      description: 'Why the newest attempt failed; null when it went well.',
    }),
    resumeAt: t.expose('resumeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The receiver asked for a pause until then (429 or 503 with `Retry-After`).',
    }),
    principal: t.exposeString('principal', {
      nullable: true,
      description: 'Who made it, as the credentials said; null without credentials.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    backlog: t.loadable({
      type: WebhookBacklog,
      description: 'What it has yet to be told of, counted now.',
      load: async (ids: bigint[], { db }) => {
        const backlogs = await listBacklogs(db, ids);
        const none = { pending: 0n, dead: 0n, oldestPendingAt: null };
        return ids.map(
          (webhookId) => backlogs.find((found) => found.webhookId === webhookId) ?? { webhookId, ...none },
        );
      },
      resolve: ({ id }) => id,
    }),
  }),
});

const idInput = (t: FieldsBuilder) => t.id({ required: true, description: described.webhook });

const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
  description: 'A new webhook. It is told of what changes from now on.',
  fields: (t) => ({
    url: t.string({ required: true, description: `${described.url} At most 2048 characters.` }),
    eventTypes: t.field({ type: [EventType], description: described.eventTypes }),
    enabled: t.boolean({ defaultValue: true, description: described.enabled }),
  }),
});

const UpdateWebhookInput = builder.inputType('UpdateWebhookInput', {
  description:
    'What to change of a webhook: an absent field stays as it is. With a URL, or enabled, what has failed is tried at once.',
  fields: (t) => ({
    id: idInput(t),
    url: t.string({ description: `${described.url} At most 2048 characters.` }),
    eventTypes: t.field({
      type: [EventType],
      description: 'What it is told of from now on; null for everything.',
    }),
    enabled: t.boolean({ description: described.enabled }),
  }),
});

const RotateWebhookSecretInput = builder.inputType('RotateWebhookSecretInput', {
  description: 'A webhook that gets another secret.',
  fields: (t) => ({
    id: idInput(t),
    keepPreviousSeconds: t.int({
      description:
        'How long deliveries are signed with the former secret too: 0 to 604800 seconds, 86400 when absent. 0 for one that others know.',
    }),
  }),
});

const DeleteWebhookInput = builder.inputType('DeleteWebhookInput', {
  description: 'A webhook that is to be told nothing any more.',
  fields: (t) => ({ id: idInput(t) }),
});

const TestWebhookInput = builder.inputType('TestWebhookInput', {
  description: 'A webhook that is to be tried.',
  fields: (t) => ({ id: idInput(t) }),
});

function secretPayload(name: string, description: string) {
  return builder.objectRef<WithSecret>(name).implement({
    description,
    fields: (t) => ({
      webhook: t.expose('webhook', { type: Webhook, description: described.webhook }),
      secret: t.exposeString('secret', { description: described.secret }),
    }),
  });
}

const CreateWebhookPayload = secretPayload('CreateWebhookPayload', 'The webhook was made.');
const RotateWebhookSecretPayload = secretPayload(
  'RotateWebhookSecretPayload',
  'The webhook has another secret.',
);

const UpdateWebhookPayload = builder.objectRef<{ webhook: WebhookRow }>('UpdateWebhookPayload').implement({
  description: 'The webhook was changed.',
  fields: (t) => ({
    webhook: t.expose('webhook', { type: Webhook, description: 'The webhook as it now is.' }),
  }),
});

const DeleteWebhookPayload = builder.objectRef<{ id: bigint }>('DeleteWebhookPayload').implement({
  description: 'The webhook is no more, nor is what it had yet to be told of.',
  fields: (t) => ({
    id: t.id({ description: 'The id that it had.', resolve: ({ id }) => String(id) }),
  }),
});

const TestWebhookPayload = builder.objectRef<Reply>('TestWebhookPayload').implement({
  description: 'What the receiver made of a message of type `ping`, which is signed as all are.',
  fields: (t) => ({
    delivered: t.boolean({
      description: 'Whether it answered 2xx.',
      resolve: (reply) => reply.state === 'answered' && reply.status >= 200 && reply.status < 300,
    }),
    status: t.int({
      nullable: true,
      description: 'The HTTP status of its answer; null when there was no whole answer.',
      resolve: (reply) => (reply.state === 'answered' ? reply.status : null),
    }),
    failure: t.string({
      nullable: true,
      description: 'Why there was no whole answer; null when there was one.',
      resolve: (reply) => (reply.state === 'failed' ? reply.reason : null),
    }),
  }),
});

builder.queryFields((t) => ({
  webhooks: t.field({
    type: [Webhook],
    description: 'All webhooks, at most 20, the oldest first.',
    resolve: (_, _args, { db }) => listWebhooks(db),
  }),
  webhook: t.field({
    type: Webhook,
    nullable: true,
    description: 'One webhook; null when there is none of that id.',
    args: { id: t.arg.id({ required: true, description: 'The webhook’s id.' }) },
    resolve: (_, { id }, { db }) => findWebhook(db, webhookId(id)),
  }),
}));

builder.mutationFields((t) => ({
  createWebhook: t.field({
    type: CreateWebhookPayload,
    description: 'Makes a webhook. A Conflict when there are 20.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The webhook with its secret, or why there is none.' },
    },
    args: { input: t.arg({ type: CreateWebhookInput, required: true, description: described.webhook }) },
    resolve: async (_, { input }, { db, origin, destinations, courier }) => {
      const created = await createWebhook(db, origin, { ...input }, destinations.url);
      courier.wakeForNew();
      return created;
    },
  }),
  updateWebhook: t.field({
    type: UpdateWebhookPayload,
    description: 'Changes where a webhook is sent to, what it is told of, or whether it is told anything.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The webhook as it now is, or why it is as it was.' },
    },
    args: { input: t.arg({ type: UpdateWebhookInput, required: true, description: 'The change.' }) },
    resolve: async (_, { input: { id, ...fields } }, { db, origin, destinations, courier }) => {
      const webhook = await updateWebhook(db, origin, webhookId(id), fields, destinations.url);
      courier.wakeForNew();
      return { webhook };
    },
  }),
  rotateWebhookSecret: t.field({
    type: RotateWebhookSecretPayload,
    description: 'Gives a webhook another secret. For some time deliveries are signed with both.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The webhook with its new secret, or why it has the one that it had.' },
    },
    args: {
      input: t.arg({ type: RotateWebhookSecretInput, required: true, description: described.webhook }),
    },
    resolve: (_, { input: { id, ...fields } }, { db, origin }) =>
      rotateSecret(db, origin, webhookId(id), fields),
  }),
  deleteWebhook: t.field({
    type: DeleteWebhookPayload,
    description: 'Deletes a webhook with all that it has yet to be told of.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The id that it had, or why it is still there.' },
    },
    args: { input: t.arg({ type: DeleteWebhookInput, required: true, description: described.webhook }) },
    resolve: async (_, { input }, { db }) => {
      const id = webhookId(input.id);
      await deleteWebhook(db, id);
      return { id };
    },
  }),
  testWebhook: t.field({
    type: TestWebhookPayload,
    description: 'Sends a webhook a message of type `ping` at once, whatever its status is.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'What the receiver made of it, or why nothing was sent.' },
    },
    args: { input: t.arg({ type: TestWebhookInput, required: true, description: described.webhook }) },
    resolve: (_, { input }, { db, courier }) => courier.ping(db, webhookId(input.id)),
  }),
}));

function webhookId(given: unknown): bigint {
  return parseOrThrow(serviceId, 'id', given);
}
