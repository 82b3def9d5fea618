import { parseArgs } from 'node:util';
import { type PeerName, peerNames } from './candidates.js';

export const workNames = ['associate', 'screen-pop', 'conversation'] as const;
export type WorkName = (typeof workNames)[number];

export type Options = {
  works: readonly WorkName[];
  peers: readonly PeerName[];
  connections: readonly number[];
  /** How many services there are, one table each. */
  sizes: readonly number[];
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  conversationSeconds: number;
  /** How many services there are when conversations are held. */
  conversationServices: number;
  /** The server to make a database on; null for an embedded one. */
  serverUrl: string | null;
};

export class UsageError extends Error {}

export const usage = `npm run bench -- [options]
  --only WORKS      of ${workNames.join(', ')}; comma separated
  --peers NAMES     of ${peerNames.join(', ')}; comma separated
  --rounds N        measurements of each, of which the median counts (3)
  --seconds N       how long a measurement takes (4)
  --minutes N       how long the conversations go on (1/3; 5 with --full)
  --database URL    a PostgreSQL to make a database on, instead of an embedded one
  --full            16 connections too, and 1 k and 1 M services beside the 100 k
  --smoke           everything once, for a second, with 1 k services: whether it works`;

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  const { full = false, smoke = false } = values;
  if (full && smoke) throw new UsageError('--full and --smoke exclude each other');
  const url = values.database ?? null;
  return {
    works: readNames('--only', values.only, workNames),
    peers: readNames('--peers', values.peers, peerNames),
    // Most first: so many requests warm a server up.
    connections: full ? [64, 16, 1] : [64, 1],
    sizes: full ? [1_000, 100_000, 1_000_000] : [smoke ? 1_000 : 100_000],
    rounds: readNumber('--rounds', values.rounds, smoke ? 1 : 3),
    seconds: readNumber('--seconds', values.seconds, smoke ? 1 : 4),
    warmUpSeconds: 1,
    conversationSeconds: 60 * readNumber('--minutes', values.minutes, full ? 5 : smoke ? 1 / 30 : 1 / 3),
    conversationServices: smoke ? 1_000 : 100_000,
    serverUrl: url === null ? null : readUrl(url),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        peers: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        minutes: { type: 'string' },
        database: { type: 'string' },
        full: { type: 'boolean' },
        smoke: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readNames<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  const asked = given?.split(',') ?? names;
  for (const name of asked) {
    if (!names.some((known) => known === name)) {
      throw new UsageError(`${option} ${name} is none of ${names.join(', ')}`);
    }
  }
  return names.filter((name) => asked.includes(name));
}

function readNumber(option: string, given: string | undefined, otherwise: number): number {
  const number = given === undefined ? otherwise : Number(given);
  if (!(number > 0)) throw new UsageError(`${option} ${given} must be a number above 0`);
  return number;
}

function readUrl(url: string): string {
  if (!/^postgres(ql)?:\/\/[^/]*\/\w/.test(url)) {
    throw new UsageError('--database must be like postgresql://user:password@host:5432/database');
  }
  return url;
}
