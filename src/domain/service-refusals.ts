import type { Db } from '../db/database.js';
import { Conflict, type DomainError, Invalid, NotFound, StaleVersion } from '../errors.js';
import type { Service } from '../generated/prisma/client.js';
import { type ExtensionWrite, maxServiceExtensionBytes, tooLargeTogether } from './extensions.js';
import { mostParts } from './part-statements.js';
import type { ServiceWrite } from './service-writes.js';

/** Somebody else created the service that was to be found or created. */
export class Overtaken extends Conflict {}

/** The service has had as many states or tasks as one may have, which no other call changes. */
export class Full extends Conflict {
  constructor(serviceId: bigint, parts: 'states' | 'tasks') {
    super(`Service ${serviceId} has had ${mostParts} ${parts}, the most that one may have.`);
  }
}

/** Why the UPDATE found no row; undefined when it would find one by now. */
export async function explainRefusal(
  db: Db,
  write: ServiceWrite,
  extensions: readonly ExtensionWrite[],
): Promise<DomainError | undefined> {
  const { id, expectedVersion, composite } = write;
  if (composite) return new Overtaken('Another call has created such a service.');
  if (id === undefined) return undefined;
  const service = await db.prisma.service.findUnique({ where: { tenant_id: { tenant: db.tenant, id } } });
  if (!service) return new NotFound(`There is no service ${id}.`);
  if (expectedVersion !== undefined && expectedVersion !== service.version) {
    return new StaleVersion(id, service.version, expectedVersion);
  }
  return (
    explainMissingPart(service, write) ??
    explainEnd(service, write) ??
    explainOwner(service, write) ??
    (await explainPartEnd(db, service, write)) ??
    explainPartStart(service, write) ??
    explainSize(db, service.id, extensions)
  );
}

/** The parts that an act names. Each number below the next one is there. */
export function explainMissingPart(service: Service, write: ServiceWrite): NotFound | undefined {
  const { stateStart, stateEnd, taskStart, taskEnd, extensions } = write;
  const owners = (wanted: 'STATE' | 'TASK') =>
    extensions.flatMap(({ scope, ownerId }) => (scope === wanted ? [ownerId] : []));
  const states = [stateEnd?.id, stateStart?.previous_state_id, taskStart?.state_id, ...owners('STATE')];
  const tasks = [taskEnd?.id, ...owners('TASK')];
  const state = states.find((id) => typeof id === 'number' && id >= service.nextStateId);
  if (state !== undefined) return new NotFound(`Service ${service.id} has no state ${state}.`);
  const task = tasks.find((id) => typeof id === 'number' && id >= service.nextTaskId);
  if (task !== undefined) return new NotFound(`Service ${service.id} has no task ${task}.`);
  return undefined;
}

function explainEnd(service: Service, { columns, timestamp }: ServiceWrite): DomainError | undefined {
  if (!columns.completed_at) return undefined;
  if (service.completedAt) return new Conflict(`Service ${service.id} is completed already.`);
  return endsTooEarly(service.startedAt, timestamp, 'service');
}

function endsTooEarly(startedAt: Date, timestamp: Date | null, what: string): Invalid | undefined {
  if (!timestamp || timestamp >= startedAt) return undefined;
  return new Invalid([{ path: ['timestamp'], message: `must not be before the start of the ${what}` }]);
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

async function explainPartEnd(
  { prisma, tenant }: Db,
  { id: serviceId }: Service,
  { stateEnd, taskEnd, timestamp }: ServiceWrite,
): Promise<DomainError | undefined> {
  const whereOf = (id: number) => ({ tenant_serviceId_id: { tenant, serviceId, id } });
  if (stateEnd?.id !== undefined) {
    const state = await prisma.state.findUnique({ where: whereOf(stateEnd.id) });
    if (state) return explainEndOf('state', state, timestamp);
  }
  if (taskEnd?.id !== undefined) {
    const task = await prisma.task.findUnique({ where: whereOf(taskEnd.id) });
    if (task) return explainEndOf('task', task, timestamp);
  }
  return undefined;
}

type Part = { id: number; serviceId: bigint; startedAt: Date; completedAt: Date | null };

function explainEndOf(kind: 'state' | 'task', part: Part, timestamp: Date | null): DomainError | undefined {
  if (part.completedAt) {
    return new Conflict(`The ${kind} ${part.id} of service ${part.serviceId} is completed already.`);
  }
  return endsTooEarly(part.startedAt, timestamp, kind);
}

function explainPartStart(service: Service, { stateStart, taskStart }: ServiceWrite): Conflict | undefined {
  const { id, completedAt, nextStateId, nextTaskId } = service;
  const what = stateStart ? 'state' : 'task';
  if (completedAt && (stateStart || taskStart)) {
    return new Conflict(`Service ${id} is completed: no ${what} can be started in it.`);
  }
  if (stateStart && nextStateId >= mostParts) return new Full(id, 'states');
  if (taskStart && nextTaskId >= mostParts) return new Full(id, 'tasks');
  return undefined;
}

async function explainSize(
  db: Db,
  serviceId: bigint,
  extensions: readonly ExtensionWrite[],
): Promise<Invalid | undefined> {
  if (extensions.length === 0) return undefined;
  const replaced = extensions.flatMap(({ scope, owner_id: ownerId, name_key: nameKey }) =>
    ownerId === null ? [] : [{ scope, ownerId, nameKey }],
  );
  const { _sum: kept } = await db.prisma.extension.aggregate({
    where: { tenant: db.tenant, serviceId, NOT: { OR: replaced } },
    _sum: { sizeBytes: true },
  });
  const bytes = extensions.reduce((sum, { size_bytes }) => sum + size_bytes, kept.sizeBytes ?? 0);
  if (bytes <= maxServiceExtensionBytes) return undefined;
  return new Invalid([{ path: ['extensions'], ...tooLargeTogether(bytes) }]);
}
