import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { type App, createApp } from './app.js';
import { type Config, ConfigError, type DatabaseConfig, readConfig } from './config.js';
import { startEmbeddedPostgres } from './db/embedded/postgres.js';
import { migrate } from './db/migrate.js';
import { insertDemoData, isUnused } from './domain/demo-data.js';
import { OperatorError } from './errors.js';
import { createLogger, type Logger } from './logger.js';
import { measureProcess } from './metrics/metrics.js';

/** EX_CONFIG of sysexits.h: a supervisor need not try again. */
const configFaultCode = 78;

/** Whatever hangs, a supervisor that asked for the end need not kill. */
const longestStopMilliseconds = 9_500;

const stopped = untilSignal();

// On a machine with much memory V8 lets what is old grow fourfold before it looks through it. Once what lives has
// doubled is soon enough, and takes a quarter less memory under load.
setFlagsFromString('--heap-growing-percent=100');

try {
  await run(readConfig(process.env));
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof ConfigError ? configFaultCode : 1;
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  const postgres = await startPostgres(config.database, logger);
  try {
    await serve(config, postgres.connectionString, logger);
  } finally {
    await postgres.stop();
  }
}

/** Serves until a signal says stop, then finishes what is in flight. */
async function serve(config: Config, connectionString: string, logger: Logger): Promise<void> {
  await migrate(connectionString, logger);
  await using app = await createApp({
    ...config,
    connectionString,
    logger,
    processMetrics: measureProcess(),
  });
  const { database } = app.gateway;
  const isDemo = config.hasDemoData && config.database.kind === 'embedded';
  if (isDemo && (await isUnused(database.forTenant('default')))) {
    await database.transaction('default', (db) => insertDemoData(db, new Date()));
  }
  await requireCredentials(app, config);
  await listen(app, config);
  announce(app, { isOpen: await app.gateway.authenticator.isOpen(), ...config.graphql });
  await stopped;
}

/** Asked of the database, where keys are; so it comes after all else that can be wrong. */
async function requireCredentials({ gateway }: App, { host, auth }: Config): Promise<void> {
  const hasCredentials = await gateway.authenticator.hasCredentials();
  if (auth.isOff && hasCredentials) {
    gateway.logger.warn('AUTH=none: credentials are there, and nobody is asked for them');
  }
  if (auth.isReachable && !auth.isOff && !hasCredentials) {
    throw new ConfigError([
      `HOST ${host} can be reached by others and there are no credentials: make a key (npm run cli -- key create), set JWT_JWKS_URL, JWT_PUBLIC_KEY or JWT_SECRET, say AUTH=none to let everybody do everything, or leave HOST at 127.0.0.1`,
    ]);
  }
}

async function listen({ server }: App, { host, port }: Config): Promise<void> {
  await server.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw new OperatorError(`Port ${port} of ${host} is taken.`);
    throw new OperatorError(`The gateway cannot listen on port ${port} of ${host}: ${error.message}`);
  });
}

type Postgres = { connectionString: string; stop: () => Promise<void> };

async function startPostgres(database: DatabaseConfig, logger: Logger): Promise<Postgres> {
  if (database.kind === 'url') return { connectionString: database.url, stop: async () => {} };
  return startEmbeddedPostgres({ directory: database.directory, logger });
}

/** On standard error: standard output has the log, line by line. */
function announce({ server }: App, { isOpen, hasGraphiql }: { isOpen: boolean; hasGraphiql: boolean }): void {
  const { address, port, family } = server.server.address() as AddressInfo;
  const host = address === '127.0.0.1' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  const url = `http://${host}:${port}`;
  const key = isOpen ? '' : ` -H "Authorization: Bearer $KEY"`;
  console.error(`
  ${hasGraphiql ? 'GraphiQL' : 'GraphQL '}   ${url}/graphql
  try        curl -i -X POST ${url}/customers/0004Va58A92T0018/services/1500 \\
               -H 'Content-Type: application/json'${key} -d '{"interaction_id":"123ABC","media_type":1}'
             curl${key} '${url}/customers/0004Va58A92T0018/services/active?extensions=*'
  stop       Ctrl-C
`);
}

/** Resolves at the first of the signals; npm may pass the same one on again, which is no haste. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      resolve();
      setTimeout(() => process.exit(1), longestStopMilliseconds).unref();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  });
}
