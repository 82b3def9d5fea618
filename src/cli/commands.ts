import type { Admin, Database } from '../db/database.js';
import { apiKeyName, createApiKey, listApiKeys, type NewApiKey, revokeApiKey } from '../domain/api-keys.js';
import { applyBusinessAttributes } from '../domain/attribute-sets.js';
import { namedRole, roleName, roles } from '../domain/roles.js';
import { text } from '../domain/rules.js';
import { createTenant, defaultTenant, listTenants, tenantId } from '../domain/tenants.js';
import type { ApiKey } from '../generated/prisma/client.js';
import { Arguments } from './arguments.js';
import { linesOf, readSetFile } from './set-files.js';

export type Command = (database: Pick<Database, 'admin' | 'transaction'>, now: Date) => Promise<Output>;

/** The lines that were asked for, and what is to be said besides. */
export type Output = { lines: readonly string[]; note?: string };

/** The command cannot be read: every fault, and how it is used. */
export class UsageError extends Error {
  constructor(faults: readonly string[]) {
    super([...faults, usage].join('\n'));
  }
}

type Form = { parameters: string; read: (given: Arguments) => Command };

const forms: Readonly<Record<string, Form>> = {
  'tenant create': { parameters: 'ID', read: readTenantCreate },
  'tenant list': { parameters: '', read: () => tenantList },
  'key create': {
    parameters: `--role ${roles.map(roleName).join('|')} (--tenant ID … | --all-tenants) [--name TEXT]`,
    read: readKeyCreate,
  },
  'key list': { parameters: '', read: () => keyList },
  'key revoke': { parameters: 'ID', read: readKeyRevoke },
  apply: { parameters: 'FILE|- [--tenant ID]', read: readApply },
};

const usage = [
  'usage: npm run -s cli -- …',
  ...Object.entries(forms).map(([name, { parameters }]) => `  ${name} ${parameters}`.trimEnd()),
].join('\n');

/** @throws UsageError, listing every fault */
export function readCommand(args: readonly string[]): Command {
  const [first = '', second] = args;
  const words = Object.hasOwn(forms, first) ? 1 : 2;
  const name = second === undefined || words === 1 ? first : `${first} ${second}`;
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (!form) throw new UsageError([name === '' ? 'A command is needed.' : `There is no command "${name}".`]);
  const given = new Arguments(args.slice(words));
  const command = form.read(given);
  const faults = given.faults();
  if (faults.length > 0) throw new UsageError(faults);
  return command;
}

function readTenantCreate(given: Arguments): Command {
  const id = given.positional('ID', tenantId) ?? '';
  return async ({ admin }, now) => {
    await createTenant(admin, id, now);
    return { lines: [], note: `The tenant ${id} is there.` };
  };
}

async function tenantList({ admin }: { admin: Admin }): Promise<Output> {
  return { lines: (await listTenants(admin)).map(({ id }) => id) };
}

function readKeyCreate(given: Arguments): Command {
  const role = given.requiredOption('role', namedRole) ?? 'READER';
  const name = given.option('name', apiKeyName) ?? '';
  const tenants = readTenants(given);
  return async ({ admin }, now) => {
    const { apiKey, key } = await createApiKey(admin, { role, name, tenants }, now);
    return { lines: [key], note: `This is all that is ever seen of key ${apiKey.id}: keep it.` };
  };
}

function readTenants(given: Arguments): NewApiKey['tenants'] {
  const isEither = given.has('tenant') !== given.has('all-tenants');
  if (!isEither) given.fault('either --tenant or --all-tenants is required');
  const listed = given.options('tenant', tenantId);
  const areAll = given.flag('all-tenants');
  return areAll ? 'all' : listed;
}

async function keyList({ admin }: { admin: Admin }): Promise<Output> {
  const keys = await listApiKeys(admin);
  return { lines: aligned([['ID', 'ROLE', 'TENANTS', 'CREATED', 'REVOKED', 'NAME'], ...keys.map(cellsOf)]) };
}

function cellsOf({ id, role, tenants, createdAt, revokedAt, name }: ApiKey): string[] {
  const listed = tenants.length > 0 ? tenants.join(',') : 'all';
  return [id, roleName(role), listed, createdAt.toISOString(), revokedAt?.toISOString() ?? '-', name];
}

function aligned(rows: readonly string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function readKeyRevoke(given: Arguments): Command {
  const id = given.positional('ID', text(64, 1)) ?? '';
  return async ({ admin }, now) => {
    await revokeApiKey(admin, id, now);
    return { lines: [], note: `The key ${id} lets nobody in any more, within 5 s everywhere.` };
  };
}

function readApply(given: Arguments): Command {
  const file = given.positional('FILE', text(4096, 1)) ?? '';
  const tenant = given.option('tenant', tenantId) ?? defaultTenant;
  return async (database) => {
    const set = await readSetFile(file);
    const applied = await database.transaction(tenant, (db) => applyBusinessAttributes(db, set));
    return { lines: linesOf(applied) };
  };
}
