import type { MigrationLevel } from './db/migration-level.js';
import type { Logger } from './logger.js';
import type { ServerModeFollower } from './server-mode.js';
import { within } from './within.js';

export type ReadinessReport = {
  status: 'ready' | 'unready';
  checks: {
    /** Whether it answers, and in time. */
    database: 'ok' | 'unreachable';
    /** Whether it has all that this gateway was built with. */
    migrations: 'ok' | 'missing' | 'unknown';
    process: 'ok' | 'stopping';
  };
  /** What the server serves. A gateway in maintenance is ready: it answers all that it is to answer. */
  mode: 'production' | 'maintenance' | 'unknown';
};

export type ReadinessOptions = { level: MigrationLevel; server: ServerModeFollower; logger: Logger };

type DatabaseChecks = Pick<ReadinessReport['checks'], 'database' | 'migrations'>;

const patienceMilliseconds = 2_000;
/** How old an answer of the database may be: however often it is asked here, that is asked once. */
const freshMilliseconds = 1_000;
/** Whoever sends calls by it asks more often. */
const watchMilliseconds = 30_000;

/** Knows whether calls should be sent to this gateway. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #looked: { at: number; checks: Promise<DatabaseChecks> } | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isStopping = false;
  #wasReady = true;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** From now on it is not ready: what is in flight is finished, and the rest is to go elsewhere. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Whether somebody goes by it, to whom it takes a while to find out. */
  get isWatched(): boolean {
    return performance.now() - this.#askedAt < watchMilliseconds;
  }

  async check(): Promise<ReadinessReport> {
    this.#askedAt = performance.now();
    const process = this.#isStopping ? 'stopping' : 'ok';
    const checks = { ...(await this.#look()), process } as const;
    const isReady = Object.values(checks).every((check) => check === 'ok');
    const mode = this.#options.server.knownMode?.toLowerCase() as 'production' | 'maintenance' | undefined;
    this.#tell(isReady, checks);
    return { status: isReady ? 'ready' : 'unready', checks, mode: mode ?? 'unknown' };
  }

  #look(): Promise<DatabaseChecks> {
    const now = performance.now();
    if (!this.#looked || now - this.#looked.at >= freshMilliseconds) {
      this.#looked = { at: now, checks: this.#ask() };
    }
    return this.#looked.checks;
  }

  async #ask(): Promise<DatabaseChecks> {
    try {
      const isReached = await within(patienceMilliseconds, this.#options.level.isReached());
      return { database: 'ok', migrations: isReached ? 'ok' : 'missing' };
    } catch {
      // Why is logged where somebody needed the database.
      return { database: 'unreachable', migrations: 'unknown' };
    }
  }

  #tell(isReady: boolean, checks: ReadinessReport['checks']): void {
    if (isReady === this.#wasReady) return;
    this.#wasReady = isReady;
    const { logger } = this.#options;
    if (isReady) logger.info('the gateway is ready again');
    else logger.warn(checks, 'the gateway is not ready');
  }
}
