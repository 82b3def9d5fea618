import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { project } from '../process.js';

export type ShellOutcome = { code: number | null; stdout: string; stderr: string };

/** Runs the blocks of one page, one after the other, in a folder that they share, as they share variables. */
export type Shell = AsyncDisposable & {
  run(commands: string): Promise<ShellOutcome>;
  /** Ends what goes on by itself, once it has printed a text. or after half a minute. @returns what it printed */
  runUntil(commands: string, text: string): Promise<string>;
};

/** Where pages say that the gateway is. */
const shownUrl = 'http://localhost:4000';

/** What pages call by these names is what was built here; what takes a moment may take a few on a busy machine. */
const prelude = `
set -euo pipefail
[ ! -e variables ] || . ./variables
trap 'export -p >variables' EXIT
curl() { command curl --silent --show-error "$@"; }
context-gateway() { node "$PROJECT/dist/cli.js" "$@"; }
npx() { "$@"; }
sleep() { command sleep $((5 * $1)); }
npm() {
  case "$*" in
    'run -s cli -- '*) context-gateway "\${@:5}" ;;
    start) context-gateway start ;;
    *) echo "npm $* is not run here" >&2; return 1 ;;
  esac
}
set -a
`;

/** Of what goes on until it has printed something. */
const longestMilliseconds = 30_000;

/** Not as Ctrl-C does, which goes unheard where all this was started in the background. */
function endGroup(id: number): void {
  try {
    process.kill(-id, 'SIGTERM');
  } catch (error) {
    // It may have ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export async function openShell({ url, databaseUrl }: { url: string; databaseUrl: string }): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'context-gateway-docs-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    PROJECT: project,
    DATABASE_URL: databaseUrl,
    PORT: '0',
  };
  const start = (commands: string, detached = false) => {
    const options = { cwd: folder, env, detached };
    const child = spawn('bash', ['-c', prelude + commands.replaceAll(shownUrl, url)], options);
    child.stdin.end();
    return child;
  };
  return {
    async run(commands) {
      const child = start(commands);
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      if (child.exitCode === null) await once(child, 'exit');
      return { code: child.exitCode, stdout: stdout.replaceAll(url, shownUrl), stderr };
    },
    async runUntil(commands, awaited) {
      // In a process group of its own, so that all of it can be ended at once.
      const child = start(commands, true);
      let printed = '';
      let ending: NodeJS.Timeout | undefined;
      // What bash is just about to run does not hear the first one.
      const end = () => {
        ending ??= setInterval(() => endGroup(child.pid ?? 0), 100);
      };
      const late = setTimeout(end, longestMilliseconds);
      const look = (chunk: Buffer) => {
        printed += chunk;
        if (printed.includes(awaited)) end();
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      await once(child, 'close');
      clearTimeout(late);
      clearInterval(ending);
      return printed;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
