import type { FastifyRequest } from 'fastify';
import type { Authenticator } from './auth/authenticator.js';
import type { Identity } from './auth/identity.js';
import type { LookupCache } from './auth/lookup-cache.js';
import type { ChangeFeed } from './change-feed.js';
import type { Courier } from './courier.js';
import type { Database, Db } from './db/database.js';
import { AnswerBudget } from './domain/answer-budget.js';
import { Faults, type Rule, refuse } from './domain/rules.js';
import { businessUnit } from './domain/service-fields.js';
import type { Origin } from './domain/service-writes.js';
import { type KnownTenant, tenantId } from './domain/tenants.js';
import type { Front, Role, ServerMode } from './generated/prisma/client.js';
import type { Logger } from './logger.js';
import type { Destinations } from './outbound/destinations.js';
import { decodePercent } from './percent-encoding.js';
import type { ServerModeFollower } from './server-mode.js';
import type { Sweeper } from './sweeper.js';
import { type Trace, traceOf } from './trace-context.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of what the call failed with, as its caller sees it. */
    failure: string | null;
  }
}

/** What both fronts are made of. */
export type Gateway = {
  database: Database;
  authenticator: Authenticator;
  /** The tenants there are, by their ids. */
  tenants: LookupCache<KnownTenant>;
  sweeper: Pick<Sweeper, 'wake'>;
  courier: Pick<Courier, 'wakeForNew' | 'ping' | 'pass' | 'idle'>;
  /** Where webhooks may go. */
  destinations: Pick<Destinations, 'url'>;
  changes: ChangeFeed;
  server: ServerModeFollower;
  /** Of the package. */
  version: string;
  logger: Logger;
  clock: () => Date;
};

/** One request, as both fronts hand it to the domain. */
export type RequestContext = {
  db: Db;
  origin: Origin;
  role: Role;
  isForAllTenants: boolean;
  /** What the server served when the call came; so it is for all of the call. */
  serverMode: ServerMode;
  /** The `GroupId` of the call. */
  businessUnit: string | null;
  budget: AnswerBudget;
} & Pick<Gateway, 'server' | 'sweeper' | 'courier' | 'destinations' | 'changes' | 'version'>;

/** What tells of a request who calls. */
export type Caller = Pick<FastifyRequest, 'id' | 'headers' | 'raw'>;

/**
 * Decides by the headers who calls, for which tenant and business unit. Both fronts ask before they
 * do anything else.
 * @throws Unauthenticated, Forbidden, Invalid for headers that are wrong, Unavailable
 */
export async function requestContext(
  gateway: Gateway,
  { id: requestId, headers, raw }: Caller,
  front: Front,
): Promise<RequestContext> {
  const receivedAt = gateway.clock();
  const identity = await gateway.authenticator.identify(headers.authorization);
  const faults = new Faults();
  const unit = faults.check(groupId, ['GroupId'], headers['groupid']) ?? null;
  const tenant = await readTenant(gateway, identity, headers['contactcenterid'], faults);
  faults.throwIfAny();
  return {
    db: await openTenant(gateway, tenant, traceOf(raw)),
    origin: { front, requestId, principal: identity.principal, receivedAt },
    role: identity.role,
    isForAllTenants: identity.tenants === 'all',
    serverMode: (await gateway.server.state()).mode,
    businessUnit: unit,
    budget: new AnswerBudget(),
    server: gateway.server,
    sweeper: gateway.sweeper,
    courier: gateway.courier,
    destinations: gateway.destinations,
    changes: gateway.changes,
    version: gateway.version,
  };
}

/** With a registry that is at most as old as what is known of the tenant. */
async function openTenant(
  { database }: Gateway,
  { id, registryVersion }: KnownTenant,
  trace: Trace,
): Promise<Db> {
  const db = database.forTenant(id, trace);
  db.registry.notice(registryVersion);
  if (!db.registry.isLoaded) await db.registry.current();
  return db;
}

/** A tenant that is not there and one that is not allowed get the same answer: it tells of neither. */
async function readTenant(
  { tenants }: Gateway,
  { tenants: allowed, usualTenant }: Identity,
  header: unknown,
  faults: Faults,
): Promise<KnownTenant> {
  const tenant = header ?? usualTenant;
  if (tenant === null) {
    faults.add(['ContactCenterId'], { message: 'is required: the credentials allow several tenants' });
    return noTenant;
  }
  const checked = tenantId(tenant);
  const isAllowed = checked.ok && (allowed === 'all' || allowed.includes(checked.value));
  const found = isAllowed ? await tenants.find(checked.value) : undefined;
  if (!found) faults.add(['ContactCenterId'], { message: 'must be a tenant that the credentials allow' });
  return found ?? noTenant;
}

/** What to go on with until the faults are thrown. */
const noTenant: KnownTenant = { id: '', registryVersion: 0 };

/** Headers are ASCII: what is beyond comes as percent-encoded UTF-8. */
const groupId: Rule<string> = (value) => {
  const decoded = decodePercent(String(value));
  return decoded === undefined ? refuse('must be percent-encoded UTF-8') : businessUnit(decoded);
};
