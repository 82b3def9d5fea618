import type { Dialect } from '../call.js';
import { events } from './events.js';
import { extensions } from './extensions.js';
import { maintenance } from './maintenance.js';
import { metadata } from './metadata.js';
import type { Described, Descriptions } from './operation.js';
import { states, tasks } from './parts.js';
import { server } from './server.js';
import { services } from './services.js';

/** All that the table of routes has. A new row gets its description in the file of its noun. */
const ofTable: Descriptions = {
  ...services,
  ...states,
  ...tasks,
  ...extensions,
  ...metadata,
  ...maintenance,
  ...events,
};

/** Routes that are not of the legacy API: under the bare paths alone. */
export const besideTable: Descriptions = { ...server };

/** @throws Error for a route without a description */
export function describedAs({ method, path }: { method: string; path: string }, dialect: Dialect): Described {
  const describe = ofTable[`${method} ${path}`];
  if (!describe) {
    throw new Error(
      `The route ${method} ${path} has no description: add one under '${method} ${path}' to the file of its noun in src/rest/openapi/ (services.ts, parts.ts, extensions.ts, metadata.ts, maintenance.ts, events.ts), then run npm run print-openapi.`,
    );
  }
  return describe(dialect);
}
