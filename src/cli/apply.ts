import { applyBusinessAttributes } from '../domain/attribute-sets.js';
import { text } from '../domain/rules.js';
import { defaultTenant, tenantId } from '../domain/tenants.js';
import { exitCodes, type Form, print } from './command.js';
import { onDatabase } from './on-database.js';
import { linesOf, readSetFile } from './set-files.js';

export const applyForms = {
  apply: {
    parameters: 'FILE|- [--tenant ID]',
    summary: 'makes the business attributes what a JSON file says',
    read(given) {
      const file = given.positional('FILE', text(4096, 1)) ?? '';
      const tenant = given.option('tenant', tenantId) ?? defaultTenant;
      return onDatabase(async ({ database, terminal }) => {
        const set = await readSetFile(file, terminal.stdin);
        print(
          terminal,
          linesOf(await database.transaction(tenant, (db) => applyBusinessAttributes(db, set))),
        );
        return exitCodes.done;
      });
    },
  },
} satisfies Record<string, Form>;
