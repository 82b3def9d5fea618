import type { Front } from '../exchange.js';
import type { ServerCommand } from '../processes.js';

/** Somebody who does the works: the gateway by one of its fronts, or a peer. */
export type Candidate = {
  /** As the table has it. */
  title: string;
  command: (databaseUrl: string) => ServerCommand;
  /** A file of SQL beside the peers that is to be in the database. */
  sql?: string;
  associate: Front;
  screenPop: Front;
};
