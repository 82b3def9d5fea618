import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.js';

/** Installs what the peers are made of, unless that has been done; builds the gateway, and checks the types here. */
export async function prepare(signal: AbortSignal): Promise<void> {
  if (!(await isInstalled())) {
    await run({ file: 'npm', args: ['ci', '--no-audit', '--no-fund'] }, { cwd: import.meta.dirname, signal });
  }
  await run({ file: 'npx', args: ['tsc', '-p', 'test/bench'] }, { signal });
  await run({ file: 'npm', args: ['run', 'build'] }, { signal });
}

async function isInstalled(): Promise<boolean> {
  const changed = async (file: string) =>
    (await stat(join(import.meta.dirname, file)).catch(() => null))?.mtimeMs ?? 0;
  return (await changed('node_modules/.package-lock.json')) >= (await changed('package-lock.json'));
}
