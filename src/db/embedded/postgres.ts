import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../logger.js';
import { toConnectionString } from './address.js';
import { type Cluster, prepareCluster } from './cluster.js';
import { type Connection, discard } from './connection.js';
import { findAddress } from './join.js';
import { DATABASE, holdCluster } from './lock.js';
import { stopPostmaster } from './postmaster.js';

export { EmbeddedPostgresError } from './error.js';

/** The gateway's own PostgreSQL, running, and held by this gateway alone. */
export type EmbeddedPostgres = {
  /** Whether this start made the data folder. */
  isNew: boolean;
  /** Of the database `context_gateway`, as superuser. Stays the same when PostgreSQL has to be started again. */
  connectionString: string;
  /** Stops PostgreSQL and frees the folder. Idempotent. */
  stop(): Promise<void>;
};

type Options = {
  /** DATA_DIR; the data goes to `postgres` in it. */
  directory: string;
  logger: Logger;
  /** How long to wait for another gateway that holds the folder, and may be shutting down. */
  lockTimeoutMs?: number;
};

/**
 * Starts the gateway's own PostgreSQL in `directory`/postgres, or adopts the one that a killed gateway left
 * running there. From then on it is started again whenever it dies, until `stop`. It outlives this process when
 * that ends without `stop`. Throws EmbeddedPostgresError for what the operator has to mend.
 */
export async function startEmbeddedPostgres(options: Options): Promise<EmbeddedPostgres> {
  const { directory, logger, lockTimeoutMs = 10_000 } = options;
  const cluster = await prepareCluster(directory, logger);
  const stopping = new AbortController();
  const connection = await holdCluster(cluster, { lockTimeoutMs, signal: stopping.signal });
  const { pid, address, wasRunning } = connection;
  logger.info(
    { pid, dataDirectory: cluster.dataDirectory },
    wasRunning ? 'adopted the PostgreSQL that was running' : 'PostgreSQL started',
  );
  const keeper = new Keeper(cluster, connection, stopping, logger);
  return {
    isNew: cluster.isNew,
    connectionString: toConnectionString(cluster, address, DATABASE),
    stop: () => keeper.stop(),
  };
}

/**
 * For work beside a gateway: joins the PostgreSQL that runs in `directory`/postgres, which goes on when this
 * stops. Where none runs it is started, and stopped by `stop`. Throws like `startEmbeddedPostgres`.
 */
export async function joinEmbeddedPostgres(options: Options): Promise<Omit<EmbeddedPostgres, 'isNew'>> {
  const cluster = await prepareCluster(options.directory, options.logger);
  const address = await findAddress(cluster);
  if (!address) return startEmbeddedPostgres(options);
  return { connectionString: toConnectionString(cluster, address, DATABASE), stop: async () => {} };
}

const MAX_BACKOFF_MS = 5_000;

/** Owns the connection that holds the folder, and with it the server's life. */
class Keeper {
  readonly #cluster: Cluster;
  readonly #stopping: AbortController;
  readonly #logger: Logger;
  #connection: Connection | null = null;
  #recovery: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  constructor(cluster: Cluster, connection: Connection, stopping: AbortController, logger: Logger) {
    this.#cluster = cluster;
    this.#stopping = stopping;
    this.#logger = logger;
    this.#keep(connection);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #keep(connection: Connection): void {
    this.#connection = connection;
    connection.client.once('end', () => {
      if (this.#stopping.signal.aborted) return;
      this.#connection = null;
      this.#logger.warn({ pid: connection.pid }, 'lost the connection to PostgreSQL, bringing it back');
      this.#recovery = this.#recover(connection);
    });
  }

  /** At the old address: the gateway's pools know no other. */
  async #recover({ address }: Connection): Promise<void> {
    const { signal } = this.#stopping;
    for (let backoffMs = 50; !signal.aborted; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
      try {
        const connection = await holdCluster(this.#cluster, { address, signal, lockTimeoutMs: 0 });
        this.#logger.info({ pid: connection.pid }, 'PostgreSQL is back');
        this.#keep(connection);
        return;
      } catch (error) {
        if (!signal.aborted) this.#logger.warn({ err: error }, 'PostgreSQL is not back yet');
      }
      await sleep(backoffMs, undefined, { signal }).catch(() => {});
    }
  }

  /** The lock is held to the end, so that no other gateway takes a server that is about to go. */
  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#recovery;
    if (!this.#connection) return;
    await stopPostmaster(this.#cluster, this.#connection.pid);
    await discard(this.#connection.client);
  }
}
