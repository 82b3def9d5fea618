import type { BenchDatabase, Server } from './database.js';
import type { Pinning } from './machine.js';
import type { Population } from './population.js';

/** What is measured on. */
export type Bench = {
  server: Server;
  database: BenchDatabase;
  population: Population;
  pinning: Pinning;
  /** Aborts when somebody wants the run to end. */
  signal: AbortSignal;
};

export type Plan = { rounds: number; seconds: number; warmUpSeconds: number; connections: number };
