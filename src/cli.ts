import { type Command, readCommand, UsageError } from './cli/commands.js';
import { type Config, ConfigError, type DatabaseConfig, readConfig } from './config.js';
import { openDatabase } from './db/database.js';
import { joinEmbeddedPostgres } from './db/embedded/postgres.js';
import { migrate } from './db/migrate.js';
import { DomainError, OperatorError } from './errors.js';
import { createLogger, type Logger } from './logger.js';

/** EX_USAGE and EX_CONFIG of sysexits.h. */
const usageFaultCode = 64;
const configFaultCode = 78;

try {
  await run(readCommand(process.argv.slice(2)), readConfig(process.env));
} catch (error) {
  const isExpected = [UsageError, OperatorError, DomainError].some((kind) => error instanceof kind);
  if (!isExpected || !(error instanceof Error)) throw error;
  console.error(error.message);
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: Error): number {
  if (error instanceof UsageError) return usageFaultCode;
  return error instanceof ConfigError ? configFaultCode : 1;
}

/** Works on the gateway's database, whether a gateway runs or not. What is asked for is all that standard output gets. */
async function run(command: Command, config: Config): Promise<void> {
  const logger = createLogger('silent');
  const postgres = await joinPostgres(config.database, logger);
  try {
    await migrate(postgres.connectionString, logger);
    await using database = openDatabase({ ...config, ...postgres, poolSize: 1, logger });
    const { lines, note } = await command(database, new Date());
    for (const line of lines) console.log(line);
    if (note) console.error(note);
  } finally {
    await postgres.stop();
  }
}

type Postgres = { connectionString: string; stop: () => Promise<void> };

async function joinPostgres(database: DatabaseConfig, logger: Logger): Promise<Postgres> {
  if (database.kind === 'url') return { connectionString: database.url, stop: async () => {} };
  return joinEmbeddedPostgres({ directory: database.directory, logger });
}
