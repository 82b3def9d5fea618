import { type FileHandle, open } from 'node:fs/promises';
import type { Refusal } from '../domain/tenant-import.js';
import { OperatorError } from '../errors.js';
import { note, type Terminal } from './command.js';

/** Where it is told which lines are refused, and why. */
export type Refusals = AsyncDisposable & { tell(refusals: readonly Refusal[]): Promise<void> };

/** So many are shown where there is no report. */
const mostShown = 20;

/**
 * The report, one JSON object a line; without a file the first ones are shown in the end.
 * @throws OperatorError when the file cannot be written
 */
export async function openRefusals(file: string | null, terminal: Terminal): Promise<Refusals> {
  if (file === null) return shown(terminal);
  const report = await open(file, 'w', 0o600).catch((error: Error) => {
    throw new OperatorError(`${file} cannot be written: ${error.message}`);
  });
  return written(report);
}

function written(report: FileHandle): Refusals {
  return {
    async tell(refusals) {
      for (const refusal of refusals) await report.write(`${JSON.stringify(refusal)}\n`);
    },
    [Symbol.asyncDispose]: () => report.close(),
  };
}

function shown(terminal: Terminal): Refusals {
  const lines: string[] = [];
  let count = 0;
  return {
    async tell(refusals) {
      count += refusals.length;
      lines.push(...refusals.slice(0, mostShown - lines.length).map(toText));
    },
    async [Symbol.asyncDispose]() {
      for (const line of lines) note(terminal, line);
      if (count > lines.length)
        note(terminal, `and ${count - lines.length} more: --report FILE writes them all`);
    },
  };
}

function toText({ line, serviceId, reasons }: Refusal): string {
  const which = serviceId === null ? `line ${line}` : `line ${line}, service ${serviceId}`;
  return `${which}: ${reasons.join('; ')}`;
}
