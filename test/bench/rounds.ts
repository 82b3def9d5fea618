import type { Bench, Plan } from './bench.js';
import type { Candidate } from './candidates/candidate.js';
import { checkpoint, countRows } from './database.js';
import { measureLimit } from './limits.js';
import { putLoad } from './load.js';
import { startStopwatch } from './process-facts.js';
import type { ServerProcess } from './processes.js';
import type { Measurement, Results, Round } from './results.js';
import type { Work } from './works/work.js';

export type Contestant = { candidate: Candidate; process: ServerProcess };

/**
 * Measures all in turn, round after round, so that whatever comes over the machine comes over all.
 * @throws Error on any wrong answer, and on rows that do not add up
 */
export async function alternate(
  bench: Bench,
  work: Work,
  { contestants, hasLimit }: { contestants: readonly Contestant[]; hasLimit: boolean },
  plan: Plan,
  results: Results,
): Promise<void> {
  const { connections } = plan;
  const measurement = { work: work.name, connections, services: bench.population.services };
  for (let round = 1; round <= plan.rounds; round++) {
    for (const contestant of contestants) {
      const { title } = contestant.candidate;
      results.add(
        { ...measurement, title },
        await inSight({ ...measurement, title }, () => measure(bench, work, contestant, plan)),
      );
    }
    if (hasLimit) {
      await checkpoint(bench.database.client);
      const { title, round: limit } = await measureLimit(bench, plan);
      results.add({ ...measurement, title }, limit);
    }
  }
}

/** Says whose fault it was. */
async function inSight(measurement: Measurement, act: () => Promise<Round>): Promise<Round> {
  const { title, work, connections } = measurement;
  try {
    return await act();
  } catch (error) {
    throw new Error(`${title}, ${work}, ${connections} connections`, { cause: error });
  }
}

async function measure(
  bench: Bench,
  work: Work,
  { candidate, process }: Contestant,
  plan: Plan,
): Promise<Round> {
  const { database, population, pinning, signal, server } = bench;
  signal.throwIfAborted();
  const front = work.frontOf(candidate);
  const request = {
    url: process.url,
    exchange: front.exchange,
    draws: work.draws(population),
    connections: plan.connections,
  };
  const where = { core: pinning?.load, signal };
  await work.check(database.client, process.url, front, population);
  await checkpoint(database.client);
  const before = await countRows(database.client);
  const warmUp = await putLoad({ ...request, seconds: plan.warmUpSeconds }, where);
  const stopwatch = startStopwatch(process.pid, server.pid);
  const load = await putLoad({ ...request, seconds: plan.seconds }, where);
  const cpu = stopwatch(load.answers);
  const answers = warmUp.answers + load.answers;
  // What is under way when a load ends may yet be done, by both loads.
  await work.checkRows(database.client, before, { least: answers, most: answers + 2 * plan.connections });
  return { ...load, ...cpu, perSecond: load.answers / load.seconds };
}
