import { Counter, Gauge, type Registry } from 'prom-client';
import type { Database } from '../db/database.js';
import type { DatabaseObserver } from '../db/observer.js';
import { addHistogram, secondsBounds } from './histogram.js';

/** Measures what is sent to the database. */
export function measureStatements(registry: Registry, slowMilliseconds: number): DatabaseObserver {
  const registers = [registry];
  const addDuration = addHistogram(registry, {
    name: 'gateway_db_statement_duration_seconds',
    help: 'Time of a statement, by kind: batch carries changes, direct reads services, prisma is all else.',
    bounds: secondsBounds,
  });
  const [batch, direct, prisma] = ['batch', 'direct', 'prisma'].map((kind) => addDuration({ kind }));
  const batchSize = addHistogram(registry, {
    name: 'gateway_commit_batch_size',
    help: 'Changes that travelled together in one statement and one commit.',
    bounds: [1, 2, 4, 8, 16, 32, 64],
  })();
  const failed = new Counter({
    name: 'gateway_db_statement_failures_total',
    help: 'Statements that failed, also those that are sent again. Those of Prisma’s client are not known.',
    registers,
  });
  const slow = new Counter({
    name: 'gateway_db_slow_statements_total',
    help: 'Statements that took longer than SLOW_STATEMENT says; each is logged.',
    registers,
  });
  const retried = new Counter({
    name: 'gateway_commit_retries_total',
    help: 'Statements sent again since PostgreSQL had refused them for what others did at the same time.',
    registers,
  });
  const unknown = new Counter({
    name: 'gateway_commit_unknown_outcomes_total',
    help: 'Statements of which nobody knows whether they were committed, since the connection broke.',
    registers,
  });
  return {
    onStatement({ milliseconds, rows, commands, error }) {
      // What comes with its rows was sent directly; of others those are not known.
      const isDirect = rows !== null || error !== undefined;
      const series = commands !== null ? batch : isDirect ? direct : prisma;
      series?.observe(milliseconds / 1_000);
      if (commands !== null) batchSize.observe(commands);
      if (error !== undefined) failed.inc();
      if (milliseconds >= slowMilliseconds) slow.inc();
    },
    onRetry: () => retried.inc(),
    onUnknownOutcome: () => unknown.inc(),
  };
}

/** What waits, and for what, at the moment of the scrape. */
export function measureLoad(registry: Registry, database: Pick<Database, 'load'>): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_db_connections',
    help: 'Connections to PostgreSQL, by state: used, idle, and most, how many there may be.',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const { used, idle, most } = database.load().connections;
      for (const [state, count] of Object.entries({ used, idle, most })) this.set({ state }, count);
    },
  });
  const gauges = {
    gateway_db_connections_awaited: {
      help: 'Statements that wait for a connection.',
      of: () => database.load().connections.awaited,
    },
    gateway_commit_waiting: {
      help: 'Changes that wait for their batch.',
      of: () => database.load().commits.waiting,
    },
    gateway_commit_waiting_bytes: {
      help: 'About what the changes that wait take as JSON.',
      of: () => database.load().commits.waitingBytes,
    },
    gateway_commit_in_flight: {
      help: 'Batches that PostgreSQL is at.',
      of: () => database.load().commits.inFlight,
    },
  };
  for (const [name, { help, of }] of Object.entries(gauges)) {
    const collect = function (this: Gauge) {
      this.set(of());
    };
    new Gauge({ name, help, registers, collect });
  }
}
