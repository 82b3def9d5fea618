#!/usr/bin/env node
import { exitCodes, type Terminal } from './cli/command.js';
import { readCommand, UsageError } from './cli/commands.js';
import { ConfigError } from './config.js';
import { DomainError, OperatorError } from './errors.js';

/** A second Ctrl-C within this time is the first one. */
const hasteMilliseconds = 500;

let interrupted: AbortSignal | undefined;

const terminal: Terminal = {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  interruption,
};

try {
  process.exitCode = await readCommand(process.argv.slice(2))(terminal);
} catch (error) {
  const isExpected = [UsageError, OperatorError, DomainError].some((kind) => error instanceof kind);
  if (!isExpected || !(error instanceof Error)) throw error;
  console.error(error.message);
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: Error): number {
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof ConfigError ? exitCodes.settings : exitCodes.refused;
}

function interruption(): AbortSignal {
  interrupted ??= untilInterrupted();
  return interrupted;
}

/** npm may pass the same signal on again at once, which is no haste. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  let isHasteAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted && performance.now() > isHasteAt) process.exit(exitCodes.interrupted);
      if (!controller.signal.aborted) isHasteAt = performance.now() + hasteMilliseconds;
      controller.abort();
    });
  }
  return controller.signal;
}
