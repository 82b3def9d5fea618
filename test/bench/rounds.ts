import type { Bench, Plan } from './bench.js';
import type { Candidate } from './candidates/candidate.js';
import { limitTitle } from './candidates.js';
import { countRows, settle } from './database.js';
import { measureLimit } from './limits.js';
import { putLoad } from './load.js';
import { startStopwatch } from './process-facts.js';
import type { ServerProcess } from './processes.js';
import type { Measurement, Results, Round } from './results.js';
import type { Work } from './works/work.js';

export type Contestant = { candidate: Candidate; process: ServerProcess };

type Turn = { title: string; measure: () => Promise<Round> };

/**
 * Measures all in turn, round after round, so that whatever comes over the machine comes over all;
 * each round begins with the next one, so that none is always first.
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
  const turns: Turn[] = contestants.map((contestant) => ({
    title: contestant.candidate.title,
    measure: () => measure(bench, work, contestant, plan),
  }));
  if (hasLimit) turns.push({ title: limitTitle, measure: () => measureLimit(bench, plan) });
  for (let round = 0; round < plan.rounds; round++) {
    for (const turn of rotated(turns, round)) {
      const of = { ...measurement, title: turn.title };
      results.add(of, await inSight(of, turn.measure));
    }
  }
}

function rotated<Element>(list: readonly Element[], places: number): Element[] {
  const first = places % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
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
  await settle(database.client);
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
