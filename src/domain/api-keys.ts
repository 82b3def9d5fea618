import { createHash, randomBytes } from 'node:crypto';
import type { Admin } from '../db/database.js';
import { Invalid, NotFound } from '../errors.js';
import type { ApiKey, Role } from '../generated/prisma/client.js';
import { type Rule, refuse, text } from './rules.js';
import { requireTenants } from './tenants.js';

/** Every key begins like this, so that it is known for what it is wherever it turns up. */
export const apiKeyPrefix = 'cgw_';

/** Prefix, id and secret, of which only the secret is one. */
const form = new RegExp(`^${apiKeyPrefix}([0-9a-f]{16})_[\\w-]{43}$`);

/** What people know it by; it stands in histories and lists, on one line. */
export const apiKeyName: Rule<string> = (value) => {
  const checked = text(100)(value);
  return checked.ok && /\p{Cc}/u.test(checked.value) ? refuse('must be one line') : checked;
};

export type NewApiKey = {
  name: string;
  role: Role;
  tenants: 'all' | readonly string[];
};

/**
 * Makes a key. The database gets its hash alone: the key itself is in this answer and nowhere else.
 * @throws NotFound for tenants that there are not
 */
export async function createApiKey(
  admin: Admin,
  { name, role, tenants }: NewApiKey,
  createdAt: Date,
): Promise<{ apiKey: ApiKey; key: string }> {
  const listed = tenants === 'all' ? [] : [...new Set(tenants)];
  // Stored, an empty list means all.
  if (tenants !== 'all' && listed.length === 0) {
    throw new Invalid([{ path: ['tenants'], message: 'must be at least one, or all' }]);
  }
  await requireTenants(admin, listed);
  const id = randomBytes(8).toString('hex');
  const key = `${apiKeyPrefix}${id}_${randomBytes(32).toString('base64url')}`;
  const hash = hashApiKey(key).toString('hex');
  const apiKey = await admin.prisma.apiKey.create({
    data: { id, hash, name, role, tenants: listed, createdAt },
  });
  return { apiKey, key };
}

/** The oldest first, the revoked ones too. */
export function listApiKeys({ prisma }: Admin): Promise<ApiKey[]> {
  return prisma.apiKey.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] });
}

/**
 * Revokes a key for good; one that is revoked already stays so.
 * @throws NotFound
 */
export async function revokeApiKey({ prisma }: Admin, id: string, revokedAt: Date): Promise<void> {
  const { count } = await prisma.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt } });
  if (count === 0 && !(await prisma.apiKey.findUnique({ where: { id } }))) {
    throw new NotFound(`There is no key ${id}.`);
  }
}

/** Those of the keys that there are and that are not revoked. */
export function findApiKeys({ prisma }: Admin, ids: readonly string[]): Promise<ApiKey[]> {
  return prisma.apiKey.findMany({ where: { id: { in: [...ids] }, revokedAt: null } });
}

/** Whether a key was ever made. */
export async function hasApiKeys({ prisma }: Admin): Promise<boolean> {
  return (await prisma.apiKey.findFirst({ select: { id: true } })) !== null;
}

/** The id of a key; undefined for what is no key by its form. */
export function apiKeyId(key: string): string | undefined {
  return form.exec(key)?.[1];
}

export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
