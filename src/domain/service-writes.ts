import type { BatchStatement, Db } from '../db/database.js';
import type { Registry } from '../db/registry.js';
import { Conflict, type DomainError, Invalid, NotFound, Unavailable } from '../errors.js';
import type { Association, AssociationKind, EventType, Front, Service } from '../generated/prisma/client.js';
import {
  checkExtensions,
  type ExtensionWrite,
  type GivenExtension,
  maxServiceExtensionBytes,
  tooLargeTogether,
} from './extensions.js';
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
  /** When it happened, as the caller says. */
  occurredAt: Date;
  moves?: boolean;
  expectedVersion?: number | undefined;
  reason?: string | null | undefined;
  actor?: string | null | undefined;
};

/** The service as it now is; `association` is null where its owner stayed the same. */
export type WrittenService = { service: Service; association: Association | null };

/**
 * Checks what is left to check, writes, and tells why where nothing was written.
 * @param faults what was found in the input so far; thrown together with what else is found
 * @throws Invalid, NotFound, Conflict, Unavailable, OutcomeUnknown
 */
export async function writeService(
  db: Db,
  origin: Origin,
  write: ServiceWrite,
  faults: Faults,
): Promise<WrittenService> {
  let registry = await db.registry.current();
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const extensions = await attemptCheck(db, registry, write, faults);
    const service =
      extensions &&
      (await db.commit<ServiceCommand, Service>(
        statementOf(write),
        command(registry, origin, write, extensions),
      ));
    if (service) return { service, association: associationOf(service, origin, write) };

    const newer = await db.registry.newerThan(registry);
    const refusal = newer || !extensions ? undefined : await explainRefusal(db, write, extensions);
    if (refusal) throw refusal;
    registry = newer ?? registry;
  }
  throw new Unavailable('The service or the extension schemas change too fast: try again.');
}

/** A registry or a service that changes between a refusal and its explanation is met again. */
const mostAttempts = 10;

/**
 * The extensions as they are to be stored.
 * @returns undefined when only an outdated registry refuses them: it is reloaded, not believed.
 */
async function attemptCheck(
  db: Db,
  registry: Registry,
  { extensions, takesAttachedData }: ServiceWrite,
  known: Faults,
): Promise<ExtensionWrite[] | undefined> {
  const faults = new Faults();
  const checked = checkExtensions(extensions, { registry, scope: 'SERVICE', takesAttachedData }, faults);
  if (faults.list.length > 0 && (await db.registry.newerThan(registry))) return undefined;
  const all = [...known.list, ...faults.list];
  if (all.length > 0) throw new Invalid(all);
  return checked;
}

function statementOf({ id }: ServiceWrite): BatchStatement<ServiceCommand> {
  return id === undefined ? startServices : changeServices;
}

function command(
  registry: Registry,
  origin: Origin,
  write: ServiceWrite,
  extensions: readonly ExtensionWrite[],
): ServiceCommand {
  return {
    ...(write.id === undefined ? {} : { id: String(write.id) }),
    event: write.event,
    columns: write.columns,
    extensions,
    moves: write.moves ?? false,
    expected_version: write.expectedVersion ?? null,
    registry_version: registry.version,
    reason: write.reason ?? null,
    actor: write.actor ?? null,
    principal: origin.principal,
    front: origin.front,
    request_id: origin.requestId,
    occurred_at: write.occurredAt,
    recorded_at: origin.receivedAt,
  };
}

/** The history entry that the statement wrote, told from what it answered. */
function associationOf(service: Service, origin: Origin, write: ServiceWrite): Association | null {
  const kind: AssociationKind = write.id === undefined ? 'START' : 'ASSOCIATE';
  const isRecorded = kind === 'START' || (write.moves && service.customerId !== service.previousCustomerId);
  if (!isRecorded) return null;
  return {
    tenant: service.tenant,
    serviceId: service.id,
    version: service.version,
    kind,
    fromCustomerId: service.previousCustomerId,
    toCustomerId: service.customerId,
    reason: write.reason ?? null,
    actor: write.actor ?? null,
    principal: origin.principal,
    front: origin.front,
    requestId: origin.requestId,
    occurredAt: write.occurredAt,
    recordedAt: origin.receivedAt,
  };
}

/** Why the UPDATE found no row; undefined when it would find one by now. */
async function explainRefusal(
  db: Db,
  { id, columns, moves, expectedVersion }: ServiceWrite,
  extensions: readonly ExtensionWrite[],
): Promise<DomainError | undefined> {
  if (id === undefined) return undefined;
  const service = await db.prisma.service.findUnique({ where: { tenant_id: { tenant: db.tenant, id } } });
  if (!service) return new NotFound(`There is no service ${id}.`);
  if (expectedVersion !== undefined && expectedVersion !== service.version) {
    return new Conflict(`Service ${id} has version ${service.version}, not ${expectedVersion}.`);
  }
  if (columns.completed_at && service.completedAt) return new Conflict(`Service ${id} is completed already.`);
  if (columns.completed_at && columns.completed_at < service.startedAt) {
    return new Invalid([{ path: ['timestamp'], message: 'must not be before the start of the service' }]);
  }
  if (!moves && service.customerId === null && columns.contact_key === null) {
    return new Invalid([
      { path: ['contactKey'], message: 'must stay: the service has no customer to be found by' },
    ]);
  }
  return explainSize(db, id, extensions);
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
