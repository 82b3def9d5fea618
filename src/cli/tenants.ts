import { createTenant, listTenants, tenantId } from '../domain/tenants.js';
import { aligned, exitCodes, type Form, note, print } from './command.js';
import { onDatabase } from './on-database.js';

export const tenantForms = {
  'tenant create': {
    parameters: 'ID',
    summary: 'makes a tenant',
    read(given) {
      const id = given.positional('ID', tenantId) ?? '';
      return onDatabase(async ({ database, terminal }) => {
        await createTenant(database.admin, id, terminal.now());
        note(terminal, `The tenant ${id} is there.`);
        return exitCodes.done;
      });
    },
  },
  'tenant list': {
    parameters: '[--json]',
    summary: 'lists the tenants',
    read(given) {
      const isJson = given.flag('json');
      return onDatabase(async ({ database, terminal }) => {
        const tenants = await listTenants(database.admin);
        const shown = tenants.map(({ id, createdAt }) => ({ id, createdAt }));
        print(terminal, isJson ? [JSON.stringify(shown)] : aligned(tenants.map(({ id }) => [id])));
        return exitCodes.done;
      });
    },
  },
} satisfies Record<string, Form>;
