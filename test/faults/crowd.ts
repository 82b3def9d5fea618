import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newAct, requestFor, type Verdict, verdictOn } from './acts.js';
import { exchange } from './exchange.js';
import type { Entry } from './traffic.js';

/** What one call of a crowd came to, and how long it took. */
export type CrowdEntry = Entry & { milliseconds: number };

/**
 * Run as a process of its own, so that the one that measures is not slowed down by it: callers that start
 * services for some seconds, each again as soon as it is answered, or, refused, as soon as it was told to.
 * Writes what came of it as JSON.
 */
const [url = '', callers = '0', seconds = '0'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(callers) });
const endsAt = performance.now() + Number(seconds) * 1_000;
const entries: CrowdEntry[] = [];

await Promise.all(Array.from({ length: Number(callers) }, call));
agent.destroy();
process.stdout.write(JSON.stringify(entries));

async function call(): Promise<void> {
  while (performance.now() < endsAt) {
    const { verdict } = await attempt();
    if (verdict.state === 'refused') await sleep(1_000);
  }
}

async function attempt(): Promise<{ verdict: Verdict }> {
  const act = newAct('start', 'REST', '', false);
  const answer = await exchange({ url, agent }, requestFor(act));
  const entry = { act, verdict: verdictOn(act, answer), milliseconds: answer.milliseconds };
  entries.push(entry);
  return entry;
}
