import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../config.js';
import type { Arguments } from './arguments.js';

/** What a command runs in: standard output gets what was asked for, standard error all that is said besides. */
export type Terminal = {
  environment: Environment;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean; columns?: number };
  now: () => Date;
  /** Aborts at the first Ctrl-C from then on; the second one ends the process. */
  interruption: () => AbortSignal;
};

/** Does what was asked for, and answers the exit code. */
export type Command = (terminal: Terminal) => Promise<number>;

/** How a command is written. */
export type Form = {
  /** As they stand behind its name. */
  parameters: string;
  summary: string;
  /** What else there is to know, line by line. */
  details?: readonly string[];
  read: (given: Arguments) => Command;
};

export const exitCodes = {
  done: 0,
  refused: 1,
  /** EX_USAGE and EX_CONFIG of sysexits.h. */
  usage: 64,
  settings: 78,
  /** As shells tell of what SIGINT has ended. */
  interrupted: 130,
} as const;

export function print({ stdout }: Pick<Terminal, 'stdout'>, lines: readonly string[]): void {
  for (const line of lines) stdout.write(`${line}\n`);
}

export function note({ stderr }: Pick<Terminal, 'stderr'>, line: string): void {
  stderr.write(`${line}\n`);
}

/** The cells below each other; the first row is the heading. */
export function aligned(rows: readonly string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** `1 service`, `1,200 services` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
