import type { Fault, Path } from '../errors.js';
import type { PartEnd, ServiceColumns, StateStart, TaskStart } from './columns.js';
import { seconds } from './durations.js';
import type { GivenExtension, Owner } from './extensions.js';
import { idempotencyKey } from './idempotency.js';
import {
  dateTime,
  type Faults,
  type Fields,
  integer,
  nullable,
  type Rule,
  type Rules,
  refuse,
  serviceId,
  text,
  typeCode,
} from './rules.js';
import type { Origin, ServiceWrite } from './service-writes.js';

/** What a front hands to an act on a service or its parts: its fields by name, as they came, and the extensions. */
export type ServiceInput = {
  fields: Readonly<Record<string, unknown>>;
  extensions: readonly GivenExtension[];
  /** Without a schema an extension is attached data (8.5); elsewhere it is refused. */
  takesAttachedData: boolean;
  /** Services, states and tasks have a type under the bare paths (8.0 and 8.1). */
  requiresType: boolean;
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
  autoCompleteAfter: nullable(seconds),
};

const actFields = {
  idempotencyKey: nullable(idempotencyKey),
  reason: nullable(text(256)),
  actor: nullable(text(128)),
};

export type Act = Omit<ServiceWrite, 'event' | 'id' | 'columns'> & { occurredAt: Date };

const theService: Owner = { scope: 'SERVICE', ownerId: 0 };

/** What every act says of itself; a start has no service to name yet. */
export function readStart(
  input: ServiceInput,
  origin: Origin,
  faults: Faults,
  owner: Owner = theService,
): Act {
  const timestamp = readTimestamp(input, origin, faults);
  const { idempotencyKey, reason, actor } = faults.read(actFields, input.fields);
  return {
    idempotencyKey,
    reason,
    actor,
    extensions: input.extensions.map(({ name, value }) => ({
      name,
      value,
      scope: owner.scope,
      ownerId: owner.ownerId,
    })),
    takesAttachedData: input.takesAttachedData,
    timestamp,
    occurredAt: timestamp ?? origin.receivedAt,
  };
}

/**
 * What an act on a service that is there says of itself.
 * @param owner whose extensions the act gives
 */
export function readAct(
  input: ServiceInput,
  origin: Origin,
  faults: Faults,
  owner?: Owner,
): Act & { id: bigint } {
  const id = faults.require(serviceId, ['serviceId'], input.fields['serviceId'], 0n);
  const expectedVersion = faults.check(
    version,
    ['expectedVersion'],
    input.fields['expectedVersion'] ?? undefined,
  );
  // A spread comes last wherever every call passes: adding to one takes V8 a hundred times as long.
  return { id, expectedVersion, ...readStart(input, origin, faults, owner) };
}

export function readServiceFields(input: ServiceInput, faults: Faults): ServiceColumns {
  if (input.requiresType && input.fields['serviceType'] === null) {
    faults.add(['serviceType'], { message: 'must not be null on this path' });
  }
  return asColumns(faults.read(serviceFields, input.fields), '');
}

/** The end of a service, a state or a task. */
export function readEnd(
  input: ServiceInput,
  { occurredAt }: Act,
  faults: Faults,
): ServiceColumns & Omit<PartEnd, 'id'> {
  return Object.assign(readEndEvent(input, occurredAt, faults), readDisposition(input.fields, [], faults));
}

/** Both ends of a transition have the event fields of one event, and one has the disposition. */
export function readEndEvent(input: ServiceInput, completedAt: Date, faults: Faults): Omit<PartEnd, 'id'> {
  return { completed_at: completedAt, ...asColumns(faults.read(eventFields, input.fields), 'end_') };
}

export function readDisposition(fields: InputFields, path: Path, faults: Faults): Omit<PartEnd, 'id'> {
  return asColumns(faults.read(dispositionFields, fields, path), '');
}

/** The fields that the start of a state or a task has of every event. */
export function readStartEvent(input: ServiceInput, startedAt: Date, faults: Faults): StateStart & TaskStart {
  return { started_at: startedAt, ...asColumns(faults.read(eventFields, input.fields), '') };
}

type InputFields = ServiceInput['fields'];

/** The type and the estimate of a state or a task. */
export function readPart(
  kind: 'state' | 'task',
  { fields, path, requiresType }: { fields: InputFields; path: Path; requiresType: boolean },
  faults: Faults,
): StateStart & TaskStart {
  const typeField = `${kind}Type`;
  if (requiresType && (fields[typeField] ?? null) === null) {
    faults.add([...path, typeField], { message: 'is required on this path' });
  }
  const rules = { [typeField]: nullable(typeCode), estDuration: nullable(integer(0)) };
  return asColumns(faults.read(rules, fields, path), '');
}

/** The number of a state or a task within its service. */
export const partId = integer(0, 2_147_483_647);

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
function asColumns(
  fields: Fields<Rules>,
  prefix: '' | 'end_',
): Readonly<Record<string, string | number | null>> {
  const columns: Record<string, string | number | null> = {};
  for (const name in fields) columns[columnName(prefix, name)] = fields[name] ?? null;
  return columns;
}

function columnName(prefix: '' | 'end_', name: string): string {
  const columns = columnsByField[prefix];
  const known = columns.get(name);
  if (known !== undefined) return known;
  const column = prefix + name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  columns.set(name, column);
  return column;
}

/** As many as there are fields. */
const columnsByField = { '': new Map<string, string>(), end_: new Map<string, string>() } as const;
