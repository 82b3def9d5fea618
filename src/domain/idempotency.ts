import { createHash } from 'node:crypto';
import type { Db } from '../db/database.js';
import { IdempotencyKeyReused } from '../errors.js';
import { type Rule, text } from './rules.js';

/** Any text that the caller makes up anew for each act and repeats with each retry of it. */
export const idempotencyKey: Rule<string> = text(255, 1);

/** How long what came of a call is kept. */
export const keySeconds = 24 * 60 * 60;

/** What to find by a key: the outcome of the same command, as the write statement stored it. */
export type Attempt = { key: string; commandHash: string; receivedAt: Date };

/**
 * The outcome of the call that had the key before; undefined when there was none. A key that is
 * older than it is kept for is taken away, so that it can be used anew.
 * @throws IdempotencyKeyReused when the key came with another command
 */
export async function findOutcome(db: Db, { key, commandHash, receivedAt }: Attempt): Promise<unknown> {
  const { tenant } = db;
  const stored = await db.prisma.idempotencyKey.findUnique({ where: { tenant_key: { tenant, key } } });
  if (!stored) return undefined;
  const keptSince = new Date(receivedAt.getTime() - keySeconds * 1_000);
  if (stored.createdAt < keptSince) {
    await db.prisma.idempotencyKey.deleteMany({ where: { tenant, key, createdAt: { lt: keptSince } } });
    return undefined;
  }
  if (stored.commandHash !== commandHash) {
    throw new IdempotencyKeyReused('The idempotency key belongs to another command.');
  }
  return stored.outcome;
}

/** Equal for commands that say the same, in whatever order their members stand. */
export function hashCommand(command: unknown): string {
  return createHash('sha256').update(JSON.stringify(command, sortMembers)).digest('base64url');
}

function sortMembers(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
