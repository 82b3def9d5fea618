import type { TestApp } from '../harness.js';
import { defineBusinessAttribute, mediaType } from './business-attributes.js';
import type { Row } from './row.js';
import { businessAttributes, unmapped } from './table-business-attributes.js';
import { compositeStarts } from './table-composite-starts.js';
import { extensionSchemas, newExtensionSchemas } from './table-extension-schemas.js';
import { extensionRecords, extensions } from './table-extensions.js';
import { keeping } from './table-keeping.js';
import { exports, purges } from './table-maintenance.js';
import { server } from './table-server.js';
import { serviceQueries } from './table-service-queries.js';
import { services } from './table-services.js';
import { stateQueries } from './table-state-queries.js';
import { states } from './table-states.js';
import { taskQueries, tasks } from './table-tasks.js';

/** Rows that have a database together: what acts on all that there is, or lists it, is alone. */
export type Tables = Readonly<
  Record<string, { rows: readonly Row[]; prepare?: (app: TestApp) => Promise<void> }>
>;

export const tablesOfServices: Tables = {
  services: { rows: [...services, ...keeping] },
  'new extension schemas': { rows: newExtensionSchemas },
  'business attributes': {
    rows: businessAttributes,
    prepare: async (app) => {
      await defineBusinessAttribute(app, mediaType);
      await defineBusinessAttribute(app, unmapped);
    },
  },
  purges: { rows: purges },
  exports: { rows: exports },
  server: { rows: server },
};

/** Of what a service is made of, and what changes nothing. */
export const tablesOfParts: Tables = {
  'composite starts': { rows: compositeStarts },
  extensions: { rows: [...extensions, ...extensionRecords] },
  states: { rows: states },
  tasks: { rows: tasks },
  queries: { rows: [...serviceQueries, ...stateQueries, ...taskQueries, ...extensionSchemas] },
};

export const allRows: readonly Row[] = [tablesOfServices, tablesOfParts].flatMap((tables) =>
  Object.values(tables).flatMap(({ rows }) => rows),
);
