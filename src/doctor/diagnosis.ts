import type { Config, Environment } from '../config.js';
import { joinEmbeddedPostgres } from '../db/embedded/postgres.js';
import { examineDatabase } from '../db/examination.js';
import { OperatorError } from '../errors.js';
import { createLogger } from '../logger.js';
import { connectionFindings } from './connection.js';
import { migrationFindings, serverFindings } from './database.js';
import { error, type Finding } from './finding.js';
import { folderFindings, hasData } from './folder.js';
import { exposureFindings, readSettings } from './settings.js';
import { nodeFindings, portFindings, tokenFindings } from './surroundings.js';
import { tableFindings } from './tables.js';

export type { Finding };

export type Patient = {
  environment: Environment;
  /** Like `20.20.2`. */
  nodeVersion: string;
  /** This machine's clock. */
  clock: () => Date;
};

/** Looks at everything that a gateway with this environment depends on, and changes nothing. */
export async function diagnose({ environment, nodeVersion, clock }: Patient): Promise<Finding[]> {
  const { config, findings, hasDatabase } = readSettings(environment);
  return [
    ...nodeFindings(nodeVersion),
    ...findings,
    ...exposureFindings(config),
    ...(await portFindings(config)),
    ...(await tokenFindings(config)),
    ...(hasDatabase ? await storageFindings(config, clock) : []),
  ];
}

async function storageFindings(config: Config, clock: () => Date): Promise<Finding[]> {
  const { database } = config;
  if (database.kind === 'url') return databaseFindings(config, database.url, clock);
  const { directory } = database;
  const findings = await folderFindings(directory);
  // What is not there yet the first start makes.
  if (!(await hasData(directory))) return findings;
  try {
    const { connectionString, stop } = await joinEmbeddedPostgres({
      directory,
      logger: createLogger('silent'),
    });
    return [...findings, ...(await databaseFindings(config, connectionString, clock).finally(stop))];
  } catch (caught) {
    if (!(caught instanceof OperatorError)) throw caught;
    return [...findings, embeddedFinding(caught)];
  }
}

/** Its message says first what is wrong, and then what to do. */
function embeddedFinding({ message }: OperatorError): Finding {
  const end = message.indexOf('. ') + 1;
  const [what, fix] = end > 0 ? [message.slice(0, end), message.slice(end + 1)] : [message, 'See its log.'];
  return error('embedded-postgres', { what, why: 'The gateway’s own PostgreSQL does not start.', fix });
}

async function databaseFindings(
  config: Config,
  connectionString: string,
  clock: () => Date,
): Promise<Finding[]> {
  const { place, facts, failure } = await examineDatabase(connectionString, clock);
  if (failure) return connectionFindings(place, failure);
  return [
    ...serverFindings(config, facts, clock()),
    ...migrationFindings(facts.migrations),
    ...(facts.tables ? tableFindings(config, facts.tables, clock()) : []),
  ];
}
