import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { balance } from './accounts.js';
import { newAct, requestFor, verdictOn } from './acts.js';
import type { CrowdEntry } from './crowd.js';
import { exchange } from './exchange.js';
import { bootTested } from './gateways.js';
import { median, report, rounds } from './rounds.js';
import { newLine } from './traffic.js';
import { createWire } from './wire.js';

const seconds = rounds({ long: 20, short: 5 });

/** So slow that it is the database that limits what can be done, on a machine of any speed. */
const answerMilliseconds = 250;

test('ten times as many callers as can be served: the rest is refused at once, the others hardly wait longer', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  wire.delay(answerMilliseconds);

  const usual = await runCrowd(gateway.url, { callers: 64, seconds: 5 });
  const probing = probe(gateway.url, seconds);
  const crowd = await runCrowd(gateway.url, { callers: 1_280, seconds });
  const probes = await probing;
  const { faults, counts } = await balance(database.connectionString, [...usual, ...crowd, ...probes]);

  const before = timesOf(usual, 'acknowledged');
  const accepted = timesOf(crowd, 'acknowledged');
  const refused = timesOf(probes, 'refused');
  report('overload by ten times', {
    ...counts,
    'accepted at 64 callers': `${before.length} (median ${median(before)} ms)`,
    'accepted at 1280': `${accepted.length} (median ${median(accepted)} ms)`,
    'refused at 1280': `${timesOf(crowd, 'refused').length} (median ${median(timesOf(crowd, 'refused'))} ms)`,
    'lone callers refused': `${refused.length} (median ${median(refused)} ms)`,
  });
  expect(faults).toEqual([]);
  expect(counts.unknown).toBe(0);
  expect(refused.length).toBeGreaterThan(0);
  // Many times what it takes, for a machine that has other things to do; a queue takes seconds.
  expect(median(refused)).toBeLessThan(500);
  expect(median(accepted)).toBeLessThan(5 * median(before));
});

async function runCrowd(url: string, { callers, seconds }: { callers: number; seconds: number }) {
  const script = join(import.meta.dirname, 'crowd.ts');
  const args = ['--import', 'tsx', script, url, String(callers), String(seconds)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 256 * 1024 * 1024 });
  // As the script writes it.
  return JSON.parse(stdout) as CrowdEntry[];
}

/** A caller that comes now and then on a line of its own, while there is the crowd. */
async function probe(url: string, seconds: number): Promise<CrowdEntry[]> {
  const calls: Promise<CrowdEntry>[] = [];
  for (const endsAt = performance.now() + seconds * 1_000; performance.now() < endsAt; await sleep(25)) {
    calls.push(callOnce(url));
  }
  return Promise.all(calls);
}

async function callOnce(url: string): Promise<CrowdEntry> {
  const act = newAct('start', 'REST', '', false);
  const answer = await exchange(newLine(url), requestFor(act));
  return { act, verdict: verdictOn(act, answer), milliseconds: answer.milliseconds };
}

function timesOf(entries: readonly CrowdEntry[], state: 'acknowledged' | 'refused'): number[] {
  return entries.filter(({ verdict }) => verdict.state === state).map(({ milliseconds }) => milliseconds);
}
