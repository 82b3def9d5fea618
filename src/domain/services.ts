import type { Db } from '../db/database.js';
import { type Cursor, decodeCursor } from '../db/paging.js';
import type { Registry } from '../db/registry.js';
import { Invalid, NotFound } from '../errors.js';
import { Prisma } from '../generated/prisma/client.js';
import { AnswerBudget } from './answer-budget.js';
import { readExpiry } from './expiry.js';
import { type MappedField, storedForms } from './field-mappings.js';
import type { Status } from './parts.js';
import { accept, Faults, list, type Rule, refuse, text, typeCode } from './rules.js';
import {
  businessUnit,
  customerId,
  partId,
  readAct,
  readEnd,
  readServiceFields,
  readStart,
  type ServiceInput,
} from './service-fields.js';
import { type Beside, hasStatus, type ReadService, readServices } from './service-reads.js';
import { type Origin, type ServiceWrite, type WrittenService, writeService } from './service-writes.js';

/**
 * Starts a service, with a customer or anonymous under a contact key: one of the two is required.
 * @param input `timestamp` is the start
 * @throws Invalid, listing every fault; Unavailable, OutcomeUnknown
 */
export async function startService(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  return writeService(db, origin, readServiceStart(input, origin, faults), faults);
}

export function readServiceStart(input: ServiceInput, origin: Origin, faults: Faults): ServiceWrite {
  const act = readStart(input, origin, faults);
  const customer = faults.check(customerId, ['customerId'], input.fields['customerId'] ?? undefined);
  const unit = faults.check(businessUnit, ['businessUnit'], input.fields['businessUnit'] ?? undefined);
  const columns = {
    customer_id: customer ?? null,
    business_unit: unit ?? null,
    started_at: act.occurredAt,
    ...readServiceFields(input, faults),
  };
  requireForStart(input, faults);
  const expiry = readExpiry(input.fields, faults);
  return { event: 'SERVICE_STARTED', association: 'START', columns, expiry, ...act };
}

function requireForStart({ fields, requiresType }: ServiceInput, faults: Faults): void {
  if ((fields['customerId'] ?? fields['contactKey'] ?? null) === null) {
    faults.add(['customerId'], { message: 'is required where there is no contact key' });
  }
  if (requiresType && fields['serviceType'] === undefined) {
    faults.add(['serviceType'], { message: 'is required on this path' });
  }
}

/**
 * Updates fields and extensions without a move: absent is unchanged, `null` clears.
 * @throws Invalid, listing every fault; NotFound, Conflict, Unavailable, OutcomeUnknown
 */
export async function updateService(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults);
  const columns = readServiceFields(input, faults);
  const expiry = readExpiry(input.fields, faults);
  return writeService(db, origin, { event: 'SERVICE_UPDATED', columns, expiry, ...act }, faults);
}

/**
 * Completes a service, once, and in the same act its open states and tasks: they end when it does,
 * or at their own start where that is later.
 * @param input `timestamp` is the end; not before the start
 * @throws Invalid, listing every fault; Conflict when it is completed; NotFound, Unavailable, OutcomeUnknown
 */
export async function completeService(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults);
  const columns = readEnd(input, act, faults);
  const allParts = { completed_at: act.occurredAt };
  const expiry = readExpiry(input.fields, faults);
  const write = {
    event: 'SERVICE_COMPLETED',
    columns,
    stateEnd: allParts,
    taskEnd: allParts,
    expiry,
    ...act,
  } as const;
  return writeService(db, origin, write, faults);
}

/**
 * Says anew when a service is to be deleted, active or completed: `ttl` in seconds from now, which
 * wins, or `expirationTime`; null for never.
 * @throws Invalid, listing every fault; NotFound, Conflict, Unavailable, OutcomeUnknown
 */
export async function setServiceExpiry(db: Db, origin: Origin, input: ServiceInput): Promise<WrittenService> {
  const faults = new Faults(input.faults);
  const act = readAct(input, origin, faults);
  const expiry = readExpiry(input.fields, faults);
  if (input.fields['ttl'] === undefined && input.fields['expirationTime'] === undefined) {
    faults.add(['ttl'], { message: 'is required where there is no expiration time' });
  }
  return writeService(db, origin, { event: 'SERVICE_UPDATED', columns: {}, expiry, ...act }, faults);
}

/** What to load beside a service: Prisma's `include`, or what Pothos makes of a selection. */
export type ServiceQuery = { include?: Prisma.ServiceInclude };

export async function findService<Q extends ServiceQuery>(
  db: Db,
  id: bigint,
  query: Q,
): Promise<Prisma.ServiceGetPayload<Q> | null> {
  const where = { tenant_id: { tenant: db.tenant, id } };
  // Prisma's type for an include that is yet a type parameter cannot be resolved here.
  return (await db.prisma.service.findUnique({ ...query, where })) as Prisma.ServiceGetPayload<Q> | null;
}

/** Those of the services that there are, in any order. One statement. */
export function findServices(db: Db, ids: readonly bigint[]): Promise<ReadService[]> {
  const where = Prisma.sql`s.id = any(${[...new Set(ids)].map(String)}::bigint[])`;
  return readServices(db, new AnswerBudget(), { where }, {});
}

/** A service with what hangs on it; null when there is none of the id. */
export async function findServiceWith(db: Db, id: bigint, beside: Beside): Promise<ReadService | null> {
  const [service] = await readServices(
    db,
    new AnswerBudget(),
    { where: Prisma.sql`s.id = ${id}`, limit: 1 },
    beside,
  );
  return service ?? null;
}

/** @throws NotFound */
export async function getServiceWith(db: Db, id: bigint, beside: Beside): Promise<ReadService> {
  return (await findServiceWith(db, id, beside)) ?? refuseUnknown(id);
}

/** @throws NotFound */
export async function getService<Q extends ServiceQuery>(
  db: Db,
  id: bigint,
  query: Q,
): Promise<Prisma.ServiceGetPayload<Q>> {
  return (await findService(db, id, query)) ?? refuseUnknown(id);
}

function refuseUnknown(id: bigint): never {
  throw new NotFound(`There is no service ${id}.`);
}

export type ServiceFilter = {
  customerId?: string | undefined;
  /** Anonymous services only. */
  contactKey?: string | undefined;
  status?: Status | undefined;
  /** In every form that may be stored. */
  types?: readonly (number | string)[] | undefined;
  interactionId?: string | undefined;
  businessUnit?: string | undefined;
  /** Inclusive. */
  startedFrom?: Date | undefined;
  /** Exclusive. */
  startedTo?: Date | undefined;
};

/** The types that a list is filtered by, in every form in which they may be stored. */
export function typesFilter(registry: Registry, field: MappedField): Rule<readonly (number | string)[]> {
  const forms = list(
    (type) => {
      const code = typeof type === 'string' ? text(64, 1)(type) : typeCode(type);
      return code.ok ? storedForms(registry, field, code.value) : code;
    },
    1,
    100,
  );
  return (value) => {
    const checked = forms(value);
    return checked.ok ? accept(checked.value.flat()) : checked;
  };
}

export type ServicePage = {
  /** Without one all are listed. */
  limit?: number | undefined;
  after?: Cursor | undefined;
  before?: Cursor | undefined;
  /** From the newest to the oldest. */
  isReversed?: boolean | undefined;
  /** Of the call that asks. */
  budget: AnswerBudget;
};

/**
 * Services by their start, then their id: the newest comes last. One statement.
 * @throws AnswerTooLarge
 */
export function listServices(
  db: Db,
  filter: ServiceFilter,
  { limit, after, before, isReversed, budget }: ServicePage,
  beside: Beside,
): Promise<ReadService[]> {
  const where = Prisma.join(
    [
      ...conditions(filter),
      ...(after ? [Prisma.sql`(s.started_at, s.id) > (${after.startedAt}, ${after.id})`] : []),
      ...(before ? [Prisma.sql`(s.started_at, s.id) < (${before.startedAt}, ${before.id})`] : []),
    ],
    ' and ',
  );
  const orderBy = Prisma.raw(isReversed ? 's.started_at desc, s.id desc' : 's.started_at, s.id');
  return readServices(db, budget, { where, orderBy, limit }, beside);
}

function conditions(filter: ServiceFilter): Prisma.Sql[] {
  const { customerId, contactKey, status, types, interactionId, businessUnit, startedFrom, startedTo } =
    filter;
  return [
    Prisma.sql`true`,
    ...(customerId === undefined ? [] : [Prisma.sql`s.customer_id = ${customerId}`]),
    ...(contactKey === undefined
      ? []
      : [Prisma.sql`s.contact_key = ${contactKey} and s.customer_id is null`]),
    ...(status === undefined ? [] : [hasStatus('s', status)]),
    ...(types === undefined ? [] : [isOneOf(types)]),
    ...(interactionId === undefined ? [] : [Prisma.sql`s.interaction_id = ${interactionId}`]),
    ...(businessUnit === undefined ? [] : [Prisma.sql`s.business_unit = ${businessUnit}`]),
    ...(startedFrom === undefined ? [] : [Prisma.sql`s.started_at >= ${startedFrom}`]),
    ...(startedTo === undefined ? [] : [Prisma.sql`s.started_at < ${startedTo}`]),
  ];
}

function isOneOf(types: readonly (number | string)[]): Prisma.Sql {
  const values = types.map((type) => JSON.stringify(type));
  return Prisma.sql`s.service_type = any(${values}::text[]::jsonb[])`;
}

export const cursor: Rule<Cursor> = (value) => {
  const decoded = typeof value === 'string' ? decodeCursor(value) : undefined;
  return decoded ? accept(decoded) : refuse('must be a cursor that a list answered');
};

/** The same of a list of states or of tasks, whose ids are smaller. */
export const partCursor: Rule<Cursor> = (value) => {
  const checked = cursor(value);
  return checked.ok && partId(Number(checked.value.id)).ok ? checked : cursor(undefined);
};

/** @throws Invalid */
export function parseOrThrow<T>(rule: Rule<T>, name: string, value: unknown): T {
  const checked = rule(value);
  if (!checked.ok) throw new Invalid([{ path: [name], ...checked.fault }]);
  return checked.value;
}
