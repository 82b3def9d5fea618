import type { Bench, Plan } from './bench.js';
import { countRows, settle } from './database.js';
import { startStopwatch } from './process-facts.js';
import { run, script } from './processes.js';
import type { Round } from './results.js';
import { associate } from './works/work.js';

/** What the process of the limit answers. */
export type LimitAnswer = { written: number; seconds: number; cpuMicroseconds: number };

/** The gateway's own batched statement, straight through `pg`: 64 at a time, two in flight, no HTTP. */
export async function measureLimit(bench: Bench, plan: Plan): Promise<Round> {
  const { database, population, pinning, signal, server } = bench;
  await settle(database.client);
  const before = await countRows(database.client);
  const stopwatch = startStopwatch(null, server.pid);
  const request = { connectionString: database.url, seconds: plan.seconds, movable: population.movable };
  const output = await run(script('limit.ts', [JSON.stringify(request)]), { core: pinning?.server, signal });
  // Written by limit.ts.
  const { written, seconds, cpuMicroseconds } = JSON.parse(output) as LimitAnswer;
  const { databaseMicroseconds } = stopwatch(written);
  await associate.checkRows(database.client, before, { least: written, most: written });
  return {
    perSecond: written / seconds,
    p50Milliseconds: null,
    p99Milliseconds: null,
    serverMicroseconds: cpuMicroseconds / written,
    databaseMicroseconds,
  };
}
