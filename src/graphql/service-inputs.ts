import type { ServiceInput } from '../domain/service-fields.js';
import type { Fault } from '../errors.js';
import { builder, type Types } from './builder.js';
import { described } from './service-descriptions.js';

export type FieldsBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

const ExtensionInput = builder.inputType('ExtensionInput', {
  description: 'A new value of an extension. It replaces the stored value as a whole.',
  fields: (t) => ({
    schemaName: t.string({
      required: true,
      description: 'The name of the extension schema; case makes no difference.',
    }),
    value: t.field({
      type: 'JSON',
      description:
        'A record (single-valued extension) or an array of records (multi-valued one), as the schema says; `null` removes the extension. At most 32 KiB of JSON.',
    }),
  }),
});

/** What every act on a service that is there says of itself. */
export function actInputs(t: FieldsBuilder) {
  return { serviceId: serviceIdInput(t), ...startInputs(t), ...versionInputs(t) };
}

export function serviceIdInput(t: FieldsBuilder) {
  return t.id({ required: true, description: 'The service.' });
}

export function versionInputs(t: FieldsBuilder) {
  return {
    expectedVersion: t.int({
      description: 'Refuses with a Conflict, changing nothing, when the service has another version.',
    }),
  };
}

/** What lets a call be repeated without acting twice. */
export function retryInputs(t: FieldsBuilder) {
  return {
    idempotencyKey: t.string({
      description:
        'Made up anew for each act and repeated with each retry of it, up to 24 hours: the same input acts once. 1 to 255 characters.',
    }),
  };
}

/** What every act says of itself. */
export function startInputs(t: FieldsBuilder) {
  return {
    ...retryInputs(t),
    extensions: t.field({
      type: [ExtensionInput],
      description: 'New values of extensions, at most 50. Those that are not named stay as they are.',
    }),
  };
}

/** What the acts that are kept with their time say of it. */
export function timeInputs(t: FieldsBuilder) {
  return {
    timestamp: t.field({
      type: 'DateTime',
      description: 'When it happened; not more than 24 hours ahead. The gateway’s clock when absent.',
    }),
  };
}

/** What the acts that history records say for it. */
export function historyInputs(t: FieldsBuilder) {
  return {
    ...timeInputs(t),
    reason: t.string({ description: 'Why, for the history of owners. At most 256 characters.' }),
    actor: t.string({ description: 'Who acted, for the history of owners. At most 128 characters.' }),
  };
}

/** The fields that every start, update, association and end has. */
export function eventInputs(t: FieldsBuilder) {
  return {
    sessionId: t.string({ description: described.sessionId }),
    interactionId: t.string({ description: described.interactionId }),
    applicationType: t.field({ type: 'TypeCode', description: described.applicationType }),
    applicationId: t.field({ type: 'Long', description: described.applicationId }),
    resourceType: t.field({ type: 'TypeCode', description: described.resourceType }),
    resourceId: t.field({ type: 'Long', description: described.resourceId }),
    mediaType: t.field({ type: 'TypeCode', description: described.mediaType }),
  };
}

export function dispositionInputs(t: FieldsBuilder) {
  return {
    disposition: t.field({ type: 'TypeCode', description: described.disposition }),
    dispositionDesc: t.string({ description: described.dispositionDesc }),
  };
}

/** What start, update and association may set on the service itself. */
export function serviceInputs(t: FieldsBuilder) {
  return {
    ...eventInputs(t),
    ...dispositionInputs(t),
    serviceType: t.field({ type: 'TypeCode', description: described.serviceType }),
    contactKey: t.string({ description: described.contactKey }),
    estDuration: t.field({ type: 'Long', description: described.estDuration }),
    autoCompleteAfter: t.field({ type: 'Long', description: described.autoCompleteAfter }),
    ...expiryInputs(t),
  };
}

/** When a service is to be deleted. */
export function expiryInputs(t: FieldsBuilder) {
  return {
    ttl: t.field({
      type: 'Long',
      description:
        'How many seconds from now the service is kept; `null` for ever. Wins over `expirationTime`.',
    }),
    expirationTime: t.field({
      type: 'DateTime',
      description: 'Until when the service is kept, by the gateway’s clock; `null` for ever.',
    }),
  };
}

type GivenExtension = { schemaName: string; value?: unknown };

type ActInput = Readonly<Record<string, unknown>> & {
  extensions?: readonly GivenExtension[] | null | undefined;
};

/** An input as the domain takes it: what is absent stays absent, what is null stays null. */
export function toServiceInput(
  { extensions, ...fields }: ActInput,
  faults: readonly Fault[] = [],
): ServiceInput {
  const given = extensions ?? [];
  return {
    fields,
    extensions: given.map(({ schemaName, value }) => ({ name: schemaName, value })),
    takesAttachedData: false,
    requiresType: false,
    faults: [...faults, ...given.filter(({ value }) => value === undefined).map(withoutValue)],
  };
}

/** To remove an extension takes a word, not a slip. */
function withoutValue({ schemaName }: GivenExtension): Fault {
  return { path: ['extensions', schemaName], message: 'needs a value; null removes the extension' };
}
