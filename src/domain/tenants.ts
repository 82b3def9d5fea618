import type { Admin } from '../db/database.js';
import { Conflict, NotFound } from '../errors.js';
import type { Tenant } from '../generated/prisma/client.js';
import { accept, type Rule, refuse } from './rules.js';

/** The tenant that needs no making. */
export const defaultTenant = 'default';

export const tenantId: Rule<string> = (value) =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)
    ? accept(value)
    : refuse('must be 1 to 64 of letters, digits, _, - and .');

/** @throws Conflict when there is one of that id */
export async function createTenant({ prisma }: Admin, id: string, createdAt: Date): Promise<void> {
  const { count } = await prisma.tenant.createMany({ data: { id, createdAt }, skipDuplicates: true });
  if (count === 0) throw new Conflict(`There is a tenant ${id} already.`);
}

/** By their ids. */
export function listTenants({ prisma }: Admin): Promise<Tenant[]> {
  return prisma.tenant.findMany({ orderBy: { id: 'asc' } });
}

/** A tenant, and which registry its inputs are checked against. */
export type KnownTenant = Pick<Tenant, 'id' | 'registryVersion'>;

/** Those of the tenants that there are, by their ids. */
export async function findTenants(
  { prisma }: Admin,
  ids: readonly string[],
): Promise<Map<string, KnownTenant>> {
  const tenants = await prisma.tenant.findMany({
    where: { id: { in: [...ids] } },
    select: { id: true, registryVersion: true },
  });
  return new Map(tenants.map((tenant) => [tenant.id, tenant]));
}

/** @throws NotFound, naming every one that there is not */
export async function requireTenants(admin: Admin, ids: readonly string[]): Promise<void> {
  const known = await findTenants(admin, ids);
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw new NotFound(`There is no tenant ${unknown.join(', ')}.`);
}
