import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
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
import { measureNoise } from './noise.js';
import { median, ninetyNinth, report, rounds } from './rounds.js';
import { makeFolder } from './server.js';
import { newLine } from './traffic.js';
import { createWire } from './wire.js';

const seconds = rounds({ long: 20, short: 5 });

/** So slow that it is the database that limits what can be done, on a machine of any speed. */
const answerMilliseconds = 250;

test('ten times as many callers as can be served: the rest is refused at once, the others hardly wait longer', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  const folder = await makeFolder();
  const record = join(folder, 'answers.json');
  await using gateway = await bootTested({
    DATABASE_URL: wire.connectionString,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'stopwatch.mjs')}`,
    STOPWATCH: record,
  });
  wire.delay(answerMilliseconds);

  const usual = await runCrowd(gateway.url, { callers: 64, seconds: 5 });
  using noise = measureNoise();
  const crowdedAt = performance.now();
  const probing = probe(gateway.url, seconds);
  const crowd = await runCrowd(gateway.url, { callers: 1_280, seconds });
  const longestPause = noise.longestSince(crowdedAt);
  const probes = await probing;
  const { faults, counts } = await balance(database.connectionString, [...usual, ...crowd, ...probes]);
  expect(await gateway.process().terminate()).toBe(0);
  const refusing = await timesOfAnswers(record, 503);
  await rm(folder, { recursive: true });

  const before = timesOf(usual, 'acknowledged');
  const accepted = timesOf(crowd, 'acknowledged');
  const refused = timesOf(probes, 'refused');
  report('overload by ten times', {
    ...counts,
    'accepted at 64 callers': `${before.length} (median ${median(before)} ms)`,
    'accepted at 1280': `${accepted.length} (median ${median(accepted)} ms)`,
    'refused at 1280': `${timesOf(crowd, 'refused').length} (median ${median(timesOf(crowd, 'refused'))} ms)`,
    'refused within the gateway': `${refusing.length} (99 % in ${ninetyNinth(refusing).toFixed(1)} ms)`,
    'longest pause of the machine': `${Math.round(longestPause)} ms`,
    'lone callers refused': `${refused.length} (median ${median(refused)} ms)`,
  });
  expect(faults).toEqual([]);
  expect(counts.unknown).toBe(0);
  expect(refused.length).toBeGreaterThan(0);
  // From arrival to answer: on the way the machine has other things to do, and it may pause as a whole.
  expect(refusing.length).toBeGreaterThanOrEqual(refused.length);
  expect(ninetyNinth(refusing)).toBeLessThan(50 + longestPause);
  expect(median(accepted)).toBeLessThan(5 * median(before));
});

async function timesOfAnswers(record: string, status: number): Promise<number[]> {
  // As the stopwatch writes it.
  const answers = JSON.parse(await readFile(record, 'utf8')) as [status: number, milliseconds: number][];
  return answers.filter(([given]) => given === status).map(([, milliseconds]) => milliseconds);
}

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
