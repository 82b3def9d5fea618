import { PassThrough, Readable, type Writable } from 'node:stream';
import type { Terminal } from '../../src/cli/command.js';
import { readCommand } from '../../src/cli/commands.js';
import type { Environment } from '../../src/config.js';

export type Run = { code: number; stdout: string; stderr: string };

export type RunOptions = {
  environment?: Environment;
  input?: string | Buffer;
  isTTY?: boolean;
  now?: () => Date;
  /** Ctrl-C. */
  interruption?: AbortSignal;
};

/** A command of the command line, in process; what is refused is thrown. Arguments have no spaces. */
export async function run(line: string, options: RunOptions = {}): Promise<Run> {
  const { environment = {}, input = '', isTTY = false, now, interruption } = options;
  const [stdout, stderr] = [collected(), collected()];
  const terminal: Terminal = {
    environment,
    stdin: Readable.from([Buffer.from(input)]),
    stdout: stdout.stream,
    stderr: Object.assign(stderr.stream, { isTTY, columns: 100 }),
    now: now ?? (() => new Date()),
    interruption: () => interruption ?? new AbortController().signal,
  };
  const code = await readCommand(line.split(' ').filter(Boolean))(terminal);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collected(): { stream: Writable; text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
