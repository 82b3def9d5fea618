import type { Registry } from '../db/registry.js';
import { recordSchema } from '../domain/extension-schemas.js';
import { showExtension } from '../domain/extensions.js';
import { serviceDuration } from '../domain/services.js';
import type { Extension, ExtensionSchema, Service } from '../generated/prisma/client.js';
import type { View } from './query.js';

/** A service with the extensions that were asked for. */
export type ShownService = Service & { extensions?: Extension[] };

/**
 * A service in the legacy shape (legacy contract, resources), as JSON text: its id is a JSON number
 * of 64 bits. What a service does not have is absent.
 */
export function serviceJson(service: ShownService, view: View, registry: Registry): string {
  const { id, extensions = [] } = service;
  const members = JSON.stringify({
    service_type: service.serviceType ?? undefined,
    customer_id: service.customerId ?? undefined,
    contact_key: service.contactKey ?? undefined,
    est_duration: numberOf(service.estDuration),
    duration: serviceDuration(service) ?? undefined,
    disposition: service.disposition ?? undefined,
    disposition_desc: service.dispositionDesc ?? undefined,
    started: startedOf(service),
    completed: service.completedAt ? completedOf(service) : undefined,
    ...Object.fromEntries(view.lists.map((name) => [name, []])),
    // From entries, since a name may be one that an object has already.
    ...Object.fromEntries(
      extensions.map((extension) => {
        const { name, value } = showExtension(registry, extension);
        return [name, value];
      }),
    ),
  });
  return `{"service_id":${id},${members.slice(1)}`;
}

function startedOf(service: Service): object {
  return {
    session_id: service.sessionId ?? undefined,
    interaction_id: service.interactionId ?? undefined,
    application_type: service.applicationType ?? undefined,
    application_id: numberOf(service.applicationId),
    resource_type: service.resourceType ?? undefined,
    resource_id: numberOf(service.resourceId),
    media_type: service.mediaType ?? undefined,
    timestamp: service.startedAt,
  };
}

function completedOf(service: Service): object {
  return {
    session_id: service.endSessionId ?? undefined,
    interaction_id: service.endInteractionId ?? undefined,
    application_type: service.endApplicationType ?? undefined,
    application_id: numberOf(service.endApplicationId),
    resource_type: service.endResourceType ?? undefined,
    resource_id: numberOf(service.endResourceId),
    media_type: service.endMediaType ?? undefined,
    timestamp: service.completedAt,
    disposition: service.disposition ?? undefined,
    disposition_desc: service.dispositionDesc ?? undefined,
  };
}

/** No integer beyond a double's is ever stored there: the rules refuse it. */
function numberOf(value: bigint | null): number | undefined {
  return value === null ? undefined : Number(value);
}

export function extensionSchemaWire(schema: ExtensionSchema): object {
  const { type, attributes, unique } = recordSchema(schema);
  return {
    name: schema.name,
    type: type === 'SINGLE_VALUED' ? 'single-valued' : 'multi-valued',
    attributes: attributes.map((attribute) => ({
      name: attribute.name,
      type: attribute.type,
      length: attribute.length,
      default: attribute.default,
      mandatory: attribute.mandatory,
      unique: attribute.unique,
      encrypt: attribute.encrypt,
    })),
    unique: unique.map((names) => (names.length === 1 ? names[0] : names)),
  };
}

/** Says that the call acted before, with the same idempotency key, and not again. */
export function replayedHeader({ replayed }: { replayed: boolean }): Record<string, string> {
  return replayed ? { 'idempotency-replayed': 'true' } : {};
}
