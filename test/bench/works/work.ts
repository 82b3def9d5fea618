import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Candidate } from '../candidates/candidate.js';
import { countRows, type RowCounts } from '../database.js';
import type { Draws, Front } from '../exchange.js';
import type { Population } from '../population.js';
import { associateDraws, checkAssociate, requireExtensions } from './associate.js';
import { checkScreenPop, screenPopDraws } from './screen-pop.js';

/** Something that all candidates do in the same way. */
export type Work = {
  name: 'associate' | 'screen pop';
  /** What it is called on the command line. */
  option: 'associate' | 'screen-pop';
  draws: (population: Population) => Draws;
  frontOf: (candidate: Candidate) => Front;
  /** One request, whose answer is compared field by field. Throws AssertionError. */
  check: (client: pg.Client, url: string, front: Front, population: Population) => Promise<void>;
  /** Whether the rows that came since are those of the answers. Throws Error. */
  checkRows: (client: pg.Client, before: RowCounts, answers: Answers) => Promise<void>;
};

/** How many requests were carried out: those that were answered, and maybe some that the load did not wait for. */
export type Answers = { least: number; most: number };

export const associate: Work = {
  name: 'associate',
  option: 'associate',
  draws: associateDraws,
  frontOf: (candidate) => candidate.associate,
  check: checkAssociate,
  checkRows: async (client, before, answers) => {
    await requireRows(client, before, answers);
    await requireExtensions(client, before);
  },
};

export const screenPop: Work = {
  name: 'screen pop',
  option: 'screen-pop',
  draws: screenPopDraws,
  frontOf: (candidate) => candidate.screenPop,
  check: checkScreenPop,
  checkRows: (client, before) => requireRows(client, before, { least: 0, most: 0 }),
};

/** One event and one entry of history for each request. */
async function requireRows(client: pg.Client, before: RowCounts, { least, most }: Answers): Promise<void> {
  const after = await countQuietRows(client);
  for (const table of ['events', 'associations'] as const) {
    const written = after[table] - before[table];
    if (written < least || written > most) {
      throw new Error(`${written} ${table} were written for ${least} answers (${most} at most)`);
    }
  }
}

/** Once nothing is under way any more: no statement, no transaction, and nothing that still makes one. */
async function countQuietRows(client: pg.Client): Promise<RowCounts> {
  for (let last = await countRows(client); ; ) {
    await sleep(150);
    const counts = await countRows(client);
    if (counts.events === last.events && !(await isBusy(client))) return counts;
    last = counts;
  }
}

async function isBusy(client: pg.Client): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
  );
  return rowCount !== 0;
}
