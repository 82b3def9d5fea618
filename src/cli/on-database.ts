import { type Config, type DatabaseConfig, readConfig } from '../config.js';
import { type Database, openDatabase } from '../db/database.js';
import { joinEmbeddedPostgres } from '../db/embedded/postgres.js';
import { migrate } from '../db/migrate.js';
import { createLogger, type Logger } from '../logger.js';
import type { Command, Terminal } from './command.js';

/** Where a command works: the gateway's database, with the tables of this version. */
export type Place = {
  config: Config;
  terminal: Terminal;
  connectionString: string;
  database: Database;
  logger: Logger;
};

/** Nobody waits for an answer as callers do. */
const statementSeconds = 600;

/** What a command is for that works on the gateway's database, whether a gateway runs or not. */
export function onDatabase(act: (place: Place) => Promise<number>): Command {
  return async (terminal) => {
    const config = readConfig(terminal.environment);
    const logger = createLogger('silent');
    // From here on Ctrl-C leaves no PostgreSQL behind that nobody uses.
    terminal.interruption();
    await using postgres = await joinPostgres(config.database, logger);
    const { connectionString } = postgres;
    await migrate(connectionString, logger);
    await using database = openDatabase({
      ...config,
      connectionString,
      poolSize: 2,
      timeouts: { statementSeconds },
      logger,
    });
    return await act({ config, terminal, connectionString, database, logger });
  };
}

export type Postgres = AsyncDisposable & { connectionString: string };

/** The PostgreSQL of the settings; the gateway's own is joined where it runs, else started until it is disposed of. */
export async function joinPostgres(database: DatabaseConfig, logger: Logger): Promise<Postgres> {
  if (database.kind === 'url') {
    return { connectionString: database.url, [Symbol.asyncDispose]: async () => {} };
  }
  const { connectionString, stop } = await joinEmbeddedPostgres({ directory: database.directory, logger });
  return { connectionString, [Symbol.asyncDispose]: stop };
}
