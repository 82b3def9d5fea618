import type { Trace } from '../trace-context.js';

/** A statement that was answered, or failed. */
export type SentStatement = {
  /** Without its parameters, which are customer data. */
  text: string;
  /** By the clock of `performance`. */
  startedAt: number;
  milliseconds: number;
  /** How many rows came back; null where that is not known, or it failed. */
  rows: number | null;
  /** How many commands travelled in it; null for what is no batch. */
  commands: number | null;
  /** The calls that it was sent for, as far as they are known. */
  traces: readonly Trace[];
  /** What it failed with. */
  error?: unknown;
};

/** Is told what is sent to the database; with every call, so it has to be quick, and must not throw. */
export type DatabaseObserver = {
  onStatement(statement: SentStatement): void;
  /** A statement that was refused for what others did meanwhile is sent again. */
  onRetry(): void;
  /** Nobody knows whether what a statement was to write is written. */
  onUnknownOutcome(): void;
};

/** How much the database layer has to do at the moment. */
export type DatabaseLoad = {
  connections: { most: number; idle: number; used: number; awaited: number };
  /** Of the group commit: what waits, and the batches under way. */
  commits: { waiting: number; waitingBytes: number; inFlight: number };
};
