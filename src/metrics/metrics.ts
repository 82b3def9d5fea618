import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Admission } from '../admission.js';
import type { ChangeFeed } from '../change-feed.js';
import type { Database } from '../db/database.js';
import type { ServerModeFollower } from '../server-mode.js';
import { measureEvents } from './events.js';
import { measureAdmission } from './requests.js';
import { measureLoad } from './statements.js';

/** Who may have the metrics: whoever has credentials for all tenants, everybody, or nobody. */
export type MetricsAccess = 'on' | 'open' | 'off';

/** What is asked when somebody wants the metrics. What is to be measured so is added here. */
export type Sources = {
  version: string;
  database: Database;
  admission: Admission;
  server: ServerModeFollower;
  changes: Pick<ChangeFeed, 'size'>;
};

export function measureSources(registry: Registry, sources: Sources): void {
  const { version, database, admission, server, changes } = sources;
  measureBuild(registry, version);
  measureAdmission(registry, admission);
  measureLoad(registry, database);
  measureEvents(registry, { admin: database.admin, changes });
  new Gauge({
    name: 'gateway_maintenance',
    help: '1 while the server is in maintenance, 0 else.',
    registers: [registry],
    collect() {
      this.set(server.knownMode === 'MAINTENANCE' ? 1 : 0);
    },
  });
}

function measureBuild(registry: Registry, version: string): void {
  new Gauge({
    name: 'gateway_build_info',
    help: 'Always 1; its labels say which version of the gateway runs on which Node.js.',
    labelNames: ['version', 'node'] as const,
    registers: [registry],
  }).set({ version, node: process.version }, 1);
}

/** Of Node.js and its process, from now on: once for each process. */
export function measureProcess(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
