import type { Fault } from '../errors.js';
import type { GivenExtension } from './extensions.js';
import { idempotencyKey } from './idempotency.js';
import {
  dateTime,
  type Faults,
  type Fields,
  integer,
  nullable,
  type Rule,
  refuse,
  serviceId,
  text,
  typeCode,
} from './rules.js';
import type { ServiceColumns } from './service-statements.js';
import type { Origin, ServiceWrite } from './service-writes.js';

/** What a front hands to an act on a service: its fields by name, as they came, and the extensions. */
export type ServiceInput = {
  fields: Readonly<Record<string, unknown>>;
  extensions: readonly GivenExtension[];
  /** Without a schema an extension is attached data (8.5); elsewhere it is refused. */
  takesAttachedData: boolean;
  /** Services have a type under the bare paths (8.0 and 8.1). */
  requiresServiceType: boolean;
  /** What the front itself found wrong, to be answered together with the rest. */
  faults: readonly Fault[];
};

export const customerId = text(64, 1);
export const contactKey = text(128, 1);
/** `GroupId` of the legacy contract. */
export const businessUnit = text(64, 1);

/** The fields that start, state, task and end events have in common (legacy contract, resources). */
const eventFields = {
  sessionId: nullable(text(32)),
  interactionId: nullable(text(50)),
  applicationType: nullable(typeCode),
  applicationId: nullable(integer()),
  resourceType: nullable(typeCode),
  resourceId: nullable(integer()),
  mediaType: nullable(typeCode),
};

const dispositionFields = {
  disposition: nullable(typeCode),
  dispositionDesc: nullable(text(64)),
};

/** What start, associate and update may set on the service itself. */
const serviceFields = {
  ...eventFields,
  ...dispositionFields,
  serviceType: nullable(typeCode),
  contactKey: nullable(contactKey),
  estDuration: nullable(integer(0)),
};

const actFields = {
  idempotencyKey: nullable(idempotencyKey),
  reason: nullable(text(256)),
  actor: nullable(text(128)),
};

export type Act = Omit<ServiceWrite, 'event' | 'columns' | 'id'>;

/** What every act says of itself; a start has no service to name yet. */
export function readStart(input: ServiceInput, origin: Origin, faults: Faults): Act {
  return {
    ...faults.read(actFields, input.fields),
    extensions: input.extensions,
    takesAttachedData: input.takesAttachedData,
    timestamp: readTimestamp(input, origin, faults),
  };
}

/** What an act on a service that is there says of itself. */
export function readAct(input: ServiceInput, origin: Origin, faults: Faults): Act & { id: bigint } {
  const id = faults.require(serviceId, ['serviceId'], input.fields['serviceId'], 0n);
  const expectedVersion = faults.check(
    version,
    ['expectedVersion'],
    input.fields['expectedVersion'] ?? undefined,
  );
  return { id, expectedVersion, ...readStart(input, origin, faults) };
}

export function readServiceFields(input: ServiceInput, faults: Faults): ServiceColumns {
  if (input.requiresServiceType && input.fields['serviceType'] === null) {
    faults.add(['serviceType'], { message: 'must not be null on this path' });
  }
  return asColumns(faults.read(serviceFields, input.fields), '');
}

export function readEndFields(input: ServiceInput, faults: Faults): ServiceColumns {
  return {
    ...asColumns(faults.read(eventFields, input.fields), 'end_'),
    ...asColumns(faults.read(dispositionFields, input.fields), ''),
  };
}

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** 0 is no version that a service has. */
const version = integer(0, 2_147_483_647);

/** When the act happened, as the caller says (legacy contract, time). */
function readTimestamp(input: ServiceInput, { receivedAt }: Origin, faults: Faults): Date | null {
  const given = input.fields['timestamp'] ?? undefined;
  return faults.check(notFarAheadOf(receivedAt), ['timestamp'], given) ?? null;
}

function notFarAheadOf(now: Date): Rule<Date> {
  return (value) => {
    const checked = dateTime(value);
    const isFarAhead = checked.ok && checked.value.getTime() > now.getTime() + dayMilliseconds;
    return isFarAhead ? refuse('must not be more than 24 hours ahead') : checked;
  };
}

/** `{ sessionId: 'x' }` → `{ session_id: 'x' }`, only what is there. */
function asColumns(fields: Fields<typeof serviceFields>, prefix: '' | 'end_'): ServiceColumns {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [prefix + columnName(name), value]),
  );
}

function columnName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
