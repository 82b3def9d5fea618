import type { Bench } from './bench.js';
import { gatewayCommand } from './candidates/gateway.js';
import { openContest } from './contest.js';
import { type ConversationResult, holdConversations } from './conversations.js';
import { createDatabase, describeServer, openServer, type Server } from './database.js';
import { choosePinning, describeCores, describePinning, loadGenerator, type Pinning } from './machine.js';
import { type Options, readOptions, UsageError, usage } from './options.js';
import { populationOf } from './population.js';
import { prepare } from './preparation.js';
import { startServer } from './processes.js';
import { defineRegistry } from './registry.js';
import { Results } from './results.js';
import { alternate } from './rounds.js';
import { formatTable, legend } from './table.js';
import { associate, screenPop } from './works/work.js';

/** Measures the gateway beside what a user would take instead; ends with 1 on any answer that is not right. */
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

const args = process.argv.slice(2);
try {
  if (args.includes('--help')) console.log(usage);
  else await main(readOptions(args), stop.signal);
} catch (error) {
  process.exitCode = 1;
  if (error instanceof UsageError) console.error(`${error.message}\n\n${usage}`);
  else if (stop.signal.aborted) console.error('stopped');
  else console.error('FAILED:', error);
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const pinning = choosePinning();
  console.log(`${describeCores()}, Node ${process.versions.node}, load by ${loadGenerator}`);
  console.log(describePinning(pinning));
  await prepare(signal);
  const results = new Results();
  let conversation: ConversationResult | null = null;
  await using server = await openServer(options.serverUrl, pinning?.database);
  for (const services of options.sizes) {
    const measured = await measureAll({ server, pinning, signal }, services, options, results);
    conversation ??= measured;
  }
  console.log(`\n${formatTable(results, conversation)}\n\n${legend}\nEvery answer was right.`);
}

type Place = { server: Server; pinning: Pinning; signal: AbortSignal };

/** Everything, on one database. */
async function measureAll(
  place: Place,
  services: number,
  options: Options,
  results: Results,
): Promise<ConversationResult | null> {
  const population = populationOf(services);
  await using database = await createDatabase(place.server.url, population);
  console.log(`${services} services on ${await describeServer(database.client)}`);
  await defineRegistry(database.url);
  const bench: Bench = { ...place, database, population };
  await compare(bench, options, results);
  const isTheirTurn = options.works.includes('conversation') && services === options.conversationServices;
  return isTheirTurn ? await converse(bench, options.conversationSeconds) : null;
}

async function compare(bench: Bench, options: Options, results: Results): Promise<void> {
  const works = [associate, screenPop].filter(({ option }) => options.works.includes(option));
  if (works.length === 0) return;
  await using contest = await openContest(bench, options.peers, console.log);
  for (const work of works) {
    for (const connections of options.connections) {
      console.log(`  ${work.name}, ${connections} connections`);
      // One limit there is, however many wait.
      const hasLimit = work === associate && options.peers.includes('limit') && connections === 64;
      const { contestants } = contest;
      await alternate(bench, work, { contestants, hasLimit }, { ...options, connections }, results);
    }
  }
}

/** With a gateway that has done nothing else: it is its memory that is looked at. */
async function converse(bench: Bench, seconds: number): Promise<ConversationResult> {
  console.log('  conversations');
  await using gateway = await startServer(gatewayCommand(bench.database.url), bench.pinning?.server);
  // The gateway goes on until then.
  return await holdConversations(bench, gateway, seconds, console.log);
}
