import type { Commit, Db } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import { DomainError, type Fault, Invalid, NotFound, StaleVersion, Unavailable } from '../errors.js';
import type { Association, AssociationKind, EventType, Front, Service } from '../generated/prisma/client.js';
import type { PartEnd, ServiceColumns, StateStart, TaskStart } from './columns.js';
import { expiryColumns, type GivenExpiry } from './expiry.js';
import type { Json } from './extension-records.js';
import { type Revision, revisions } from './extension-revisions.js';
import { recordSchema, schemaNamed } from './extension-schemas.js';
import { checkExtensions, type ExtensionWrite, type OwnedExtension } from './extensions.js';
import { findOutcome, hashCommand } from './idempotency.js';
import { Faults } from './rules.js';
import { decodeService } from './service-reads.js';
import { explainMissingPart, explainRefusal } from './service-refusals.js';
import {
  changeServices,
  changeServicesAndParts,
  type ServiceCommand,
  startServices,
  startServicesAndParts,
  type WrittenRow,
} from './service-statements.js';
import { mapCodes } from './type-codes.js';

/** Where a call came from and when; part of what history records. */
export type Origin = {
  front: Front;
  requestId: string;
  /** Who the credentials say called. */
  principal: string | null;
  /** The gateway's clock. */
  receivedAt: Date;
};

/**
 * One act on one service, its states and tasks. Its extensions and type codes are yet to be checked
 * against the tenant's registry.
 */
export type ServiceWrite = {
  /** Absent on a start. */
  id?: bigint;
  event: EventType;
  columns: ServiceColumns;
  stateStart?: StateStart;
  stateEnd?: PartEnd;
  taskStart?: TaskStart;
  taskEnd?: PartEnd;
  /** When the service is to be deleted, where the act says so. */
  expiry?: GivenExpiry;
  extensions: readonly OwnedExtension[];
  /** Lets a start act only if nobody created a service of the key since the turn was read. */
  composite?: { key: string; turn: number };
  /** The act gives one extension, whose new value comes of the stored one. */
  revision?: Revision;
  takesAttachedData: boolean;
  /** When it happened, as the caller says; null where the caller does not. */
  timestamp: Date | null;
  /** How history calls the act, where it may change the owner. */
  association?: AssociationKind;
  expectedVersion?: number | undefined;
  idempotencyKey?: string | null | undefined;
  reason?: string | null | undefined;
  actor?: string | null | undefined;
};

export type WrittenService = {
  /** As it now is. */
  service: Service;
  /** The entry of history; null where the owner stayed the same. */
  association: Association | null;
  /** The version that the act came to; a replay answers a service that may have gone on since. */
  version: number;
  /** The state and the task that the act started, or else ended or extended; null for none. */
  stateId: number | null;
  taskId: number | null;
  /** Whether the same call had acted before, so that this one did not. */
  replayed: boolean;
};

/**
 * Checks what is left to check, writes, and tells why where nothing was written. A call whose
 * idempotency key has acted before is answered with what came of that.
 * @param faults what was found in the input so far; thrown together with what else is found
 * @throws Invalid, NotFound, Conflict and its kinds, Unavailable, OutcomeUnknown
 */
export async function writeService(
  db: Db,
  origin: Origin,
  write: ServiceWrite,
  faults: Faults,
): Promise<WrittenService> {
  const commandHash = write.idempotencyKey ? hashOf(write) : '';
  let registry = await db.registry.current();
  for (let count = 1; count <= mostAttempts; count++) {
    const basis = (commit: Commit) => ({ registry, known: faults.list, commandHash, commit });
    const outcome = write.revision
      ? // What is stored is read for it: nothing else of this gateway may come in between.
        await db.alone(keyOf(write), (commit) => attempt(db, origin, write, basis(commit)))
      : await attempt(db, origin, write, basis(db.commit));
    if ('service' in outcome) return outcome;
    registry = outcome;
  }
  throw new Unavailable('The service or the extension schemas change too fast: try again.');
}

type Basis = { registry: Registry; known: readonly Fault[]; commandHash: string; commit: Commit };

/** What the registry has against a write, before it is sent. */
export async function checkWrite(
  db: Db,
  registry: Registry,
  write: ServiceWrite,
  origin: Origin,
): Promise<readonly Fault[]> {
  return (await settle(db, registry, write, { origin, hasFaults: false })).found;
}

/** @returns what came of it, or the registry to try again with */
async function attempt(
  db: Db,
  origin: Origin,
  given: ServiceWrite,
  { registry, known, commandHash, commit }: Basis,
): Promise<WrittenService | Registry> {
  const {
    write,
    extensions,
    found,
    refusal: early,
  } = await settle(db, registry, given, { origin, hasFaults: known.length > 0 });
  const command = commandOf(registry, origin, write, extensions, commandHash);
  const isSound = known.length + found.length === 0 && !early;
  const row =
    isSound && (await commit<ServiceCommand, WrittenRow>(statementOf(write), command, keyOf(write)));
  const service = row && decodeService(row.service);
  if (service) return written(service, command);

  if (known.length > 0 && found.length === 0) throw new Invalid(known);
  // What the schemas refuse by now may have been done before they did.
  const replay = known.length === 0 && (await findReplay(db, origin, command));
  if (replay) return replay;
  // An outdated registry is reloaded, not believed.
  const newer = await db.registry.newerThan(registry);
  if (newer) return newer;
  if (known.length + found.length > 0) throw new Invalid([...known, ...found]);
  const refusal = early ?? (await explainRefusal(db, given, extensions));
  if (refusal) throw refusal;
  return registry;
}

/** A registry that changes meanwhile is met again, and so is a service that another gateway changes. */
const mostAttempts = 100;

/** What no two writes change at the same time: the service, or what lets a start act once. */
function keyOf({ id, composite, idempotencyKey }: ServiceWrite): string | null {
  if (id !== undefined) return String(id);
  return composite ? `composite ${composite.key}` : (idempotencyKey ?? null) && `key ${idempotencyKey}`;
}

/** Of what the caller said, and of nothing that the gateway added. */
export function hashOf(write: ServiceWrite): string {
  const { event, id, columns, stateStart, stateEnd, taskStart, taskEnd, extensions, revision, timestamp } =
    write;
  const { expiry, expectedVersion, reason, actor } = write;
  const given = [columns, stateStart, stateEnd, taskStart, taskEnd].map((part) => {
    const {
      started_at: _start,
      completed_at: _end,
      ...said
    } = { started_at: null, completed_at: null, ...part };
    return said;
  });
  return hashCommand({
    event,
    id,
    given,
    expiry,
    extensions,
    revision,
    timestamp,
    expectedVersion,
    reason,
    actor,
  });
}

type Settled = {
  /** With type codes as they are stored, and with the version that a revision was made of. */
  write: ServiceWrite;
  /** As they are to be stored. */
  extensions: ExtensionWrite[];
  /** What the registry has against the write. */
  found: readonly Fault[];
  /** Why a revision cannot be made of what is stored. */
  refusal?: DomainError;
};

async function settle(
  db: Db,
  registry: Registry,
  given: ServiceWrite,
  { origin, hasFaults }: { origin: Origin; hasFaults: boolean },
): Promise<Settled> {
  const faults = new Faults();
  const coded = mapCodes(registry, given, faults);
  const said = { columns: coded.columns, expiry: coded.expiry, isStart: given.id === undefined };
  const expiry = expiryColumns(db, registry, said, origin, faults);
  const columns = expiry ? Object.assign({}, coded.columns, expiry) : coded.columns;
  const mapped = expiry ? Object.assign({}, coded, { columns }) : coded;
  const check = { registry, takesAttachedData: given.takesAttachedData };
  const { revision } = given;
  // Of a revision it is the name alone that can be judged before what is stored is looked at.
  const named = revision
    ? given.extensions.map((extension) => ({ ...extension, value: null }))
    : given.extensions;
  const extensions = checkExtensions(named, check, faults);
  if (!revision || hasFaults || faults.list.length > 0)
    return { write: mapped, extensions, found: faults.list };
  try {
    const { write, extension } = await revise(db, registry, { ...mapped, revision }, faults);
    const isRevised = faults.list.length === 0;
    const revised = isRevised ? checkExtensions([extension], check, faults) : [];
    return { write, extensions: revised, found: faults.list };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { write: given, extensions: [], found: [], refusal: error };
  }
}

/** @throws NotFound of the service or of the part, StaleVersion */
async function revise(
  { prisma, tenant }: Db,
  registry: Registry,
  write: ServiceWrite & { revision: Revision },
  faults: Faults,
): Promise<{ write: ServiceWrite; extension: OwnedExtension }> {
  const [extension] = write.extensions;
  if (!extension || write.id === undefined) throw new Error('A revision is of one extension of a service.');
  const { name, scope, value: given } = extension;
  const ownerId = extension.ownerId ?? 0;
  const found = await prisma.service.findUnique({
    where: { tenant_id: { tenant, id: write.id } },
    include: { extensions: { where: { scope, ownerId, nameKey: name.toLowerCase() } } },
  });
  if (!found) throw new NotFound(`There is no service ${write.id}.`);
  const missing = explainMissingPart(found, write);
  if (missing) throw missing;
  const { version, extensions } = found;
  if (write.expectedVersion !== undefined && write.expectedVersion !== version) {
    throw new StaleVersion(write.id, version, write.expectedVersion);
  }
  const schema = schemaNamed(registry, scope, name);
  const revised = {
    stored: extensions[0]?.value as Json | undefined,
    given,
    schema: schema && recordSchema(schema),
    path: ['extensions', name],
  };
  const value = revisions[write.revision](revised, faults);
  return { write: { ...write, expectedVersion: version }, extension: { ...extension, value } };
}

function statementOf({ id, stateStart, stateEnd, taskStart, taskEnd, extensions }: ServiceWrite) {
  const touchesParts =
    stateStart ?? stateEnd ?? taskStart ?? taskEnd ?? extensions.find(({ scope }) => scope !== 'SERVICE');
  if (id === undefined) return touchesParts ? startServicesAndParts : startServices;
  return touchesParts ? changeServicesAndParts : changeServices;
}

export function commandOf(
  registry: Registry,
  origin: Origin,
  write: ServiceWrite,
  extensions: readonly ExtensionWrite[],
  commandHash: string,
): ServiceCommand {
  return {
    id: write.id === undefined ? undefined : String(write.id),
    event: write.event,
    columns: write.columns,
    extensions,
    extension_bytes: extensions.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    state_start: write.stateStart,
    state_end: write.stateEnd,
    task_start: write.taskStart,
    task_end: write.taskEnd,
    composite_key: write.composite?.key,
    composite_turn: write.composite?.turn,
    reads_beside: Boolean(extensions.length > 0 || write.stateEnd || write.taskEnd),
    association: write.association,
    idempotency_key: write.idempotencyKey,
    command_hash: commandHash,
    expected_version: write.expectedVersion,
    registry_version: registry.version,
    reason: write.reason,
    actor: write.actor,
    principal: origin.principal,
    front: origin.front,
    request_id: origin.requestId,
    is_timed: write.timestamp !== null,
    occurred_at: write.timestamp ?? origin.receivedAt,
    recorded_at: origin.receivedAt,
  };
}

function written(service: Service, command: ServiceCommand): WrittenService {
  const owner = command.extensions[0];
  const ownerOf = (scope: 'STATE' | 'TASK') => (owner?.scope === scope ? owner.owner_id : null);
  return {
    service,
    association: associationOf(service, command),
    version: service.version,
    stateId: command.state_start ? service.nextStateId - 1 : (command.state_end?.id ?? ownerOf('STATE')),
    taskId: command.task_start ? service.nextTaskId - 1 : (command.task_end?.id ?? ownerOf('TASK')),
    replayed: false,
  };
}

/** The history entry that the statement wrote, told from what it answered. */
function associationOf(service: Service, command: ServiceCommand): Association | null {
  if (!command.association || service.version !== service.associatedVersion) return null;
  return {
    tenant: service.tenant,
    serviceId: service.id,
    version: service.version,
    kind: command.association,
    fromCustomerId: service.previousCustomerId,
    toCustomerId: service.customerId,
    reason: command.reason ?? null,
    actor: command.actor ?? null,
    principal: command.principal,
    front: command.front,
    requestId: command.request_id,
    occurredAt: command.occurred_at,
    recordedAt: command.recorded_at,
  };
}

async function findReplay(
  db: Db,
  { receivedAt }: Origin,
  { idempotency_key: key, command_hash: commandHash }: ServiceCommand,
): Promise<WrittenService | undefined> {
  const outcome = key ? await findOutcome(db, { key, commandHash, receivedAt }) : undefined;
  if (outcome === undefined) return undefined;
  // As the write statement builds it.
  const { serviceId, ...act } = outcome as Pick<WrittenService, 'version' | 'stateId' | 'taskId'> & {
    serviceId: string;
  };
  const found = await db.prisma.service.findUnique({
    where: { tenant_id: { tenant: db.tenant, id: BigInt(serviceId) } },
    include: { associations: { where: { version: act.version } } },
  });
  if (!found) throw new NotFound(`The call acted on service ${serviceId}, which is gone.`);
  const { associations, ...service } = found;
  return { service, association: associations[0] ?? null, ...act, replayed: true };
}
