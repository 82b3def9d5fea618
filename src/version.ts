import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The version of the package that the gateway is. */
export async function readVersion(): Promise<string> {
  const manifest = await readFile(join(import.meta.dirname, '../package.json'), 'utf8');
  return JSON.parse(manifest).version;
}
