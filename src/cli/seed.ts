import { insertDemoData, isEmpty } from '../domain/demo-data.js';
import { defaultTenant, requireTenants, tenantId } from '../domain/tenants.js';
import { Conflict } from '../errors.js';
import { exitCodes, type Form, note } from './command.js';
import { onDatabase } from './on-database.js';

export const seedForms = {
  seed: {
    parameters: '[--tenant ID]',
    summary: 'puts the demo data into a tenant that is empty',
    details: ['That is one without services, extension schemas and business attributes.'],
    read(given) {
      const tenant = given.option('tenant', tenantId) ?? defaultTenant;
      return onDatabase(async ({ database, terminal }) => {
        await requireTenants(database.admin, [tenant]);
        await database.transaction(tenant, async (db) => {
          if (!(await isEmpty(db)))
            throw new Conflict(`The tenant ${tenant} is not empty: nothing was done.`);
          await insertDemoData(db, terminal.now());
        });
        note(terminal, `The tenant ${tenant} has the demo data.`);
        return exitCodes.done;
      });
    },
  },
} satisfies Record<string, Form>;
