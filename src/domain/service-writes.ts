import type { BatchStatement, Db } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import {
  Conflict,
  type DomainError,
  type Fault,
  Invalid,
  NotFound,
  StaleVersion,
  Unavailable,
} from '../errors.js';
import type { Association, AssociationKind, EventType, Front, Service } from '../generated/prisma/client.js';
import {
  checkExtensions,
  type ExtensionWrite,
  type GivenExtension,
  maxServiceExtensionBytes,
  tooLargeTogether,
} from './extensions.js';
import { findOutcome, hashCommand } from './idempotency.js';
import { Faults } from './rules.js';
import {
  changeServices,
  type ServiceColumns,
  type ServiceCommand,
  startServices,
} from './service-statements.js';

/** Where a call came from and when; part of what history records. */
export type Origin = {
  front: Front;
  requestId: string;
  /** Who the credentials say called. */
  principal: string | null;
  /** The gateway's clock. */
  receivedAt: Date;
};

/** One act on one service. Its extensions are yet to be checked against the tenant's registry. */
export type ServiceWrite = {
  /** Absent on a start. */
  id?: bigint;
  event: EventType;
  columns: ServiceColumns;
  extensions: readonly GivenExtension[];
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
    const outcome = await attempt(db, origin, write, { registry, known: faults.list, commandHash });
    if ('service' in outcome) return outcome;
    registry = outcome;
  }
  throw new Unavailable('The service or the extension schemas change too fast: try again.');
}

type Basis = { registry: Registry; known: readonly Fault[]; commandHash: string };

/** @returns what came of it, or the registry to try again with */
async function attempt(
  db: Db,
  origin: Origin,
  write: ServiceWrite,
  { registry, known, commandHash }: Basis,
): Promise<WrittenService | Registry> {
  const { extensions, found } = checkNow(registry, write);
  const command = commandOf(registry, origin, write, extensions, commandHash);
  const isSound = known.length + found.length === 0;
  const service = isSound && (await db.commit<ServiceCommand, Service>(statementOf(write), command));
  if (service) return written(service, command);

  if (known.length > 0 && found.length === 0) throw new Invalid(known);
  // What the schemas refuse by now may have been done before they did.
  const replay = known.length === 0 && (await findReplay(db, origin, command));
  if (replay) return replay;
  // An outdated registry is reloaded, not believed.
  const newer = await db.registry.newerThan(registry);
  if (newer) return newer;
  if (!isSound) throw new Invalid([...known, ...found]);
  const refusal = await explainRefusal(db, write, extensions);
  if (refusal) throw refusal;
  return registry;
}

/** A registry or a service that changes between a refusal and its explanation is met again. */
const mostAttempts = 100;

/** Of what the caller said, and of nothing that the gateway added. */
function hashOf({ event, id, columns, extensions, timestamp, ...act }: ServiceWrite): string {
  const { started_at: _start, completed_at: _end, ...given } = columns;
  const { expectedVersion, reason, actor } = act;
  return hashCommand({ event, id, given, extensions, timestamp, expectedVersion, reason, actor });
}

/** The extensions as they are to be stored, and what the registry has against them. */
function checkNow(
  registry: Registry,
  { extensions, takesAttachedData }: ServiceWrite,
): { extensions: ExtensionWrite[]; found: readonly Fault[] } {
  const faults = new Faults();
  const checked = checkExtensions(extensions, { registry, scope: 'SERVICE', takesAttachedData }, faults);
  return { extensions: checked, found: faults.list };
}

function statementOf({ id }: ServiceWrite): BatchStatement<ServiceCommand> {
  return id === undefined ? startServices : changeServices;
}

function commandOf(
  registry: Registry,
  origin: Origin,
  write: ServiceWrite,
  extensions: readonly ExtensionWrite[],
  commandHash: string,
): ServiceCommand {
  return {
    ...(write.id === undefined ? {} : { id: String(write.id) }),
    event: write.event,
    columns: write.columns,
    extensions,
    association: write.association ?? null,
    idempotency_key: write.idempotencyKey ?? null,
    command_hash: commandHash,
    expected_version: write.expectedVersion ?? null,
    registry_version: registry.version,
    reason: write.reason ?? null,
    actor: write.actor ?? null,
    principal: origin.principal,
    front: origin.front,
    request_id: origin.requestId,
    is_timed: write.timestamp !== null,
    occurred_at: write.timestamp ?? origin.receivedAt,
    recorded_at: origin.receivedAt,
  };
}

function written(service: Service, command: ServiceCommand): WrittenService {
  return { service, association: associationOf(service, command), version: service.version, replayed: false };
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
    reason: command.reason,
    actor: command.actor,
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
  const outcome = key === null ? undefined : await findOutcome(db, { key, commandHash, receivedAt });
  if (outcome === undefined) return undefined;
  // As the write statement builds it.
  const { serviceId, version } = outcome as { serviceId: string; version: number };
  const found = await db.prisma.service.findUnique({
    where: { tenant_id: { tenant: db.tenant, id: BigInt(serviceId) } },
    include: { associations: { where: { version } } },
  });
  if (!found) throw new NotFound(`The call acted on service ${serviceId}, which is gone.`);
  const { associations, ...service } = found;
  return { service, association: associations[0] ?? null, version, replayed: true };
}

/** Why the UPDATE found no row; undefined when it would find one by now. */
async function explainRefusal(
  db: Db,
  write: ServiceWrite,
  extensions: readonly ExtensionWrite[],
): Promise<DomainError | undefined> {
  const { id, expectedVersion } = write;
  if (id === undefined) return undefined;
  const service = await db.prisma.service.findUnique({ where: { tenant_id: { tenant: db.tenant, id } } });
  if (!service) return new NotFound(`There is no service ${id}.`);
  if (expectedVersion !== undefined && expectedVersion !== service.version) {
    return new StaleVersion(id, service.version, expectedVersion);
  }
  return explainEnd(service, write) ?? explainOwner(service, write) ?? explainSize(db, id, extensions);
}

function explainEnd(service: Service, { columns, timestamp }: ServiceWrite): DomainError | undefined {
  if (!columns.completed_at) return undefined;
  if (service.completedAt) return new Conflict(`Service ${service.id} is completed already.`);
  if (!timestamp || timestamp >= service.startedAt) return undefined;
  return new Invalid([{ path: ['timestamp'], message: 'must not be before the start of the service' }]);
}

/** A service without a customer has a contact key, or nobody would find it. */
function explainOwner(service: Service, { association, columns }: ServiceWrite): DomainError | undefined {
  if (association === 'UNDO') return explainUndo(service);
  if (association || service.customerId !== null || columns.contact_key !== null) return undefined;
  return new Invalid([
    { path: ['contactKey'], message: 'must stay: the service has no customer to be found by' },
  ]);
}

function explainUndo({
  id,
  associatedVersion,
  previousCustomerId,
  contactKey,
}: Service): Conflict | undefined {
  if (associatedVersion === 1) return new Conflict(`Service ${id} was never associated since its start.`);
  if (previousCustomerId !== null || contactKey !== null) return undefined;
  return new Conflict(`Service ${id} has no contact key to be found by, so it cannot be anonymous again.`);
}

async function explainSize(
  db: Db,
  serviceId: bigint,
  extensions: readonly ExtensionWrite[],
): Promise<Invalid | undefined> {
  const replaced = extensions.map(({ name_key }) => name_key);
  const { _sum: kept } = await db.prisma.extension.aggregate({
    where: { tenant: db.tenant, serviceId, NOT: { scope: 'SERVICE', nameKey: { in: replaced } } },
    _sum: { sizeBytes: true },
  });
  const bytes = extensions.reduce((sum, { size_bytes }) => sum + size_bytes, kept.sizeBytes ?? 0);
  if (bytes <= maxServiceExtensionBytes) return undefined;
  return new Invalid([{ path: ['extensions'], ...tooLargeTogether(bytes) }]);
}
