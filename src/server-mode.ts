import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Db } from './db/database.js';
import { getServerState, type ServerState, setServerMode } from './domain/server-mode.js';
import type { ServerMode } from './generated/prisma/client.js';
import type { Logger } from './logger.js';

export type FollowerOptions = { admin: Admin; logger: Logger; pollMilliseconds: number };

/**
 * Knows what all gateways on the database serve, at most a poll late, so that no call needs to ask.
 * While the database is away it goes by what it knew.
 */
export class ServerModeFollower implements AsyncDisposable {
  readonly #admin: Admin;
  readonly #logger: Logger;
  readonly #pollMilliseconds: number;
  readonly #disposal = new AbortController();
  #polling: Promise<void> = Promise.resolve();
  #state: ServerState | undefined;
  /** Answers may come in another order than they were asked for: an older one is no news. */
  #asked = 0;
  #taken = 0;
  #isDown = false;

  constructor({ admin, logger, pollMilliseconds }: FollowerOptions) {
    this.#admin = admin;
    this.#logger = logger;
    this.#pollMilliseconds = pollMilliseconds;
  }

  /** Looks for the first time, which may fail, and goes on doing so until it is disposed. */
  async start(): Promise<void> {
    await this.#tryToLook();
    this.#polling = this.#poll();
  }

  /** Null until the database was there for the first time. */
  get knownMode(): ServerMode | null {
    return this.#state?.mode ?? null;
  }

  /** At once where it is known, which it is as soon as the database was there once. */
  state(): ServerState | Promise<ServerState> {
    return this.#state ?? this.#look();
  }

  /** Changes what all gateways serve: this one at once, the others by their next poll. */
  async change(db: Pick<Db, 'write'>, mode: ServerMode, changedAt: Date): Promise<ServerState> {
    const state = await setServerMode(db, mode, changedAt);
    this.#take(state, ++this.#asked);
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await this.#polling;
  }

  async #poll(): Promise<void> {
    while (await this.#isTime()) await this.#tryToLook();
  }

  /** False once it is disposed. Keeps no process running. */
  #isTime(): Promise<boolean> {
    const { signal } = this.#disposal;
    return sleep(this.#pollMilliseconds, true, { ref: false, signal }).catch(() => false);
  }

  async #tryToLook(): Promise<void> {
    try {
      await this.#look();
      this.#isDown = false;
    } catch (error) {
      if (!this.#isDown) this.#logger.warn({ err: error }, 'the mode of the server cannot be looked up');
      this.#isDown = true;
    }
  }

  async #look(): Promise<ServerState> {
    const turn = ++this.#asked;
    return this.#take(await getServerState(this.#admin), turn);
  }

  #take(state: ServerState, turn: number): ServerState {
    if (this.#state && turn < this.#taken) return this.#state;
    this.#taken = turn;
    const known = this.#state?.mode ?? 'PRODUCTION';
    if (state.mode !== known) this.#logger.info({ mode: state.mode }, 'the mode of the server has changed');
    this.#state = state;
    return state;
  }
}
