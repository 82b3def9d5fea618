import type { Role } from '../generated/prisma/client.js';

/** Who calls, as far as the credentials say. */
export type Identity = {
  role: Role;
  tenants: 'all' | readonly string[];
  /** The tenant of a call that names none; null where it has to. */
  usualTenant: string | null;
  /** What history records, at most 128 characters; null without credentials. */
  principal: string | null;
};

/** The only tenant is the usual one. */
export function usualTenantOf(tenants: Identity['tenants']): string | null {
  return tenants !== 'all' && tenants.length === 1 ? (tenants[0] ?? null) : null;
}
