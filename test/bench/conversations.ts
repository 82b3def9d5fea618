import type { Bench } from './bench.js';
import type { LoadAnswer, LoadRequest } from './conversation/load.js';
import { steps } from './conversation/script.js';
import { countRows, type RowCounts, settle } from './database.js';
import { residentMegabytes } from './process-facts.js';
import { run, type ServerProcess, script } from './processes.js';

export type ConversationResult = LoadAnswer & {
  /** The memory that the gateway has in the end; null where the machine does not tell. */
  megabytes: number | null;
  /** How the memory grew over the second half. */
  megabytesPerMinute: number | null;
};

const conversationsAtOnce = 64;

/**
 * Lets callers be served from the first call to the last, as many at once as there are connections.
 * @param say is told how much memory the gateway has, every 30 s
 * @throws Error on any answer that is not right, and on rows that do not add up
 */
export async function holdConversations(
  { database, pinning, signal }: Bench,
  gateway: ServerProcess,
  seconds: number,
  say: (line: string) => void,
): Promise<ConversationResult> {
  await settle(database.client);
  const before = await countRows(database.client);
  const memory = watchMemory(gateway.pid, say);
  const request: LoadRequest = { url: gateway.url, atOnce: conversationsAtOnce, seconds };
  const output = await run(script('conversation/load.ts', [JSON.stringify(request)]), {
    core: pinning?.load,
    signal,
  }).finally(() => memory.stop());
  // Written by conversation/load.ts.
  const answer = JSON.parse(output) as LoadAnswer;
  if (answer.errorCount > 0) {
    throw new Error(`${answer.errorCount} conversations broke off: ${answer.errors.join('; ')}`);
  }
  await requireConversations(database.client, before, answer);
  return { ...answer, ...memory.summary() };
}

/** Every call is an event; the start and the association are the history. */
async function requireConversations(
  client: Bench['database']['client'],
  before: RowCounts,
  { conversations, calls }: LoadAnswer,
): Promise<void> {
  if (calls !== conversations * steps.length)
    throw new Error(`${calls} calls for ${conversations} conversations`);
  const after = await countRows(client);
  const written = {
    events: after.events - before.events,
    associations: after.associations - before.associations,
  };
  if (written.events !== calls || written.associations !== 2 * conversations) {
    throw new Error(
      `${JSON.stringify(written)} were written for ${calls} calls of ${conversations} conversations`,
    );
  }
}

type Sample = { minutes: number; megabytes: number };

function watchMemory(pid: number, say: (line: string) => void) {
  const start = performance.now();
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    const megabytes = residentMegabytes(pid);
    if (megabytes === null) return;
    samples.push({ minutes: (performance.now() - start) / 60_000, megabytes });
    if (samples.length % 30 === 0)
      say(`  after ${samples.length} s the gateway has ${Math.round(megabytes)} MB`);
  }, 1_000);
  return {
    stop: () => clearInterval(timer),
    summary: () => ({
      megabytes: samples.at(-1)?.megabytes ?? null,
      megabytesPerMinute: slopeOf(samples.slice(Math.floor(samples.length / 2))),
    }),
  };
}

/** By least squares. */
function slopeOf(samples: readonly Sample[]): number | null {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [time, size] = [
    mean(samples.map(({ minutes }) => minutes)),
    mean(samples.map(({ megabytes }) => megabytes)),
  ];
  const spread = samples.reduce((sum, { minutes }) => sum + (minutes - time) ** 2, 0);
  const common = samples.reduce(
    (sum, { minutes, megabytes }) => sum + (minutes - time) * (megabytes - size),
    0,
  );
  return spread > 0 ? common / spread : null;
}
