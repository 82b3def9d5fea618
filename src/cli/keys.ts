import { apiKeyName, createApiKey, listApiKeys, type NewApiKey, revokeApiKey } from '../domain/api-keys.js';
import { namedRole, roleName, roles } from '../domain/roles.js';
import { text } from '../domain/rules.js';
import { tenantId } from '../domain/tenants.js';
import type { ApiKey } from '../generated/prisma/client.js';
import type { Arguments } from './arguments.js';
import { aligned, exitCodes, type Form, note, print } from './command.js';
import { onDatabase } from './on-database.js';

export const keyForms = {
  'key create': {
    parameters: `--role ${roles.map(roleName).join('|')} (--tenant ID … | --all-tenants) [--name TEXT]`,
    summary: 'makes an API key, which is shown this once',
    read(given) {
      const role = given.requiredOption('role', namedRole) ?? 'READER';
      const name = given.option('name', apiKeyName) ?? '';
      const tenants = readTenants(given);
      return onDatabase(async ({ database, terminal }) => {
        const { apiKey, key } = await createApiKey(database.admin, { role, name, tenants }, terminal.now());
        print(terminal, [key]);
        note(terminal, `This is all that is ever seen of key ${apiKey.id}: keep it.`);
        return exitCodes.done;
      });
    },
  },
  'key list': {
    parameters: '[--json]',
    summary: 'lists the API keys',
    read(given) {
      const isJson = given.flag('json');
      return onDatabase(async ({ database, terminal }) => {
        const keys = await listApiKeys(database.admin);
        print(terminal, isJson ? [JSON.stringify(keys.map(shown))] : table(keys));
        return exitCodes.done;
      });
    },
  },
  'key revoke': {
    parameters: 'ID',
    summary: 'ends an API key',
    read(given) {
      const id = given.positional('ID', text(64, 1)) ?? '';
      return onDatabase(async ({ database, terminal }) => {
        await revokeApiKey(database.admin, id, terminal.now());
        note(terminal, `The key ${id} lets nobody in any more, within 5 s everywhere.`);
        return exitCodes.done;
      });
    },
  },
} satisfies Record<string, Form>;

function readTenants(given: Arguments): NewApiKey['tenants'] {
  const isEither = given.has('tenant') !== given.has('all-tenants');
  if (!isEither) given.fault('either --tenant or --all-tenants is required');
  const listed = given.options('tenant', tenantId);
  const areAll = given.flag('all-tenants');
  return areAll ? 'all' : listed;
}

function table(keys: readonly ApiKey[]): string[] {
  return aligned([['ID', 'ROLE', 'TENANTS', 'CREATED', 'REVOKED', 'NAME'], ...keys.map(cellsOf)]);
}

function cellsOf({ id, role, tenants, createdAt, revokedAt, name }: ApiKey): string[] {
  const listed = tenants.length > 0 ? tenants.join(',') : 'all';
  return [id, roleName(role), listed, createdAt.toISOString(), revokedAt?.toISOString() ?? '-', name];
}

/** Without the hash; no tenants are all of them. */
function shown({ id, role, tenants, createdAt, revokedAt, name }: ApiKey) {
  return { id, role: roleName(role), tenants, createdAt, revokedAt, name };
}
