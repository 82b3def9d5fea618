import type { RequestContext } from '../context.js';
import { type MappedField, shownCode } from '../domain/field-mappings.js';
import type { Service, State, Task } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { described } from './service-descriptions.js';

type Event = Pick<
  Service,
  | 'sessionId'
  | 'interactionId'
  | 'applicationType'
  | 'applicationId'
  | 'resourceType'
  | 'resourceId'
  | 'mediaType'
> & { entity: 'Service' | 'State' | 'Task'; timestamp: Date };

/** A stored type code as it is answered: of a mapped field by its dbid or its name. */
export function code(field: MappedField, stored: unknown, { db }: RequestContext): unknown {
  return stored === null ? null : shownCode(db.registry.loaded, field, stored);
}

export const ServiceEvent = builder.objectRef<Event>('ServiceEvent').implement({
  description:
    'The start or the end of a service, of a state or of a task: when, and who reported it from where.',
  fields: (t) => ({
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'When it happened.' }),
    sessionId: t.exposeString('sessionId', { nullable: true, description: described.sessionId }),
    interactionId: t.exposeString('interactionId', { nullable: true, description: described.interactionId }),
    applicationType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.applicationType,
      resolve: (event, _, context) =>
        code(`${event.entity}.application_type`, event.applicationType, context),
    }),
    applicationId: t.expose('applicationId', {
      type: 'Long',
      nullable: true,
      description: described.applicationId,
    }),
    resourceType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.resourceType,
      resolve: (event, _, context) => code(`${event.entity}.resource_type`, event.resourceType, context),
    }),
    resourceId: t.expose('resourceId', { type: 'Long', nullable: true, description: described.resourceId }),
    mediaType: t.field({
      type: 'TypeCode',
      nullable: true,
      description: described.mediaType,
      resolve: (event, _, context) => code(`${event.entity}.media_type`, event.mediaType, context),
    }),
  }),
});

type Part = Service | State | Task;

export function startOf(entity: Event['entity'], part: Part): Event {
  return {
    entity,
    timestamp: part.startedAt,
    sessionId: part.sessionId,
    interactionId: part.interactionId,
    applicationType: part.applicationType,
    applicationId: part.applicationId,
    resourceType: part.resourceType,
    resourceId: part.resourceId,
    mediaType: part.mediaType,
  };
}

/** Null while the part is active. */
export function endOf(entity: Event['entity'], part: Part): Event | null {
  if (!part.completedAt) return null;
  return {
    entity,
    timestamp: part.completedAt,
    sessionId: part.endSessionId,
    interactionId: part.endInteractionId,
    applicationType: part.endApplicationType,
    applicationId: part.endApplicationId,
    resourceType: part.endResourceType,
    resourceId: part.endResourceId,
    mediaType: part.endMediaType,
  };
}
