import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readVersion } from '../../version.js';
import { openApiDocument } from './document.js';

/** Writes the document as text beside this folder; with `--check` only tells whether it is up to date. */
const path = join(import.meta.dirname, '../openapi.json');
const printed = `${JSON.stringify(openApiDocument(await readVersion()), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(path, printed);
} else if ((await readFile(path, 'utf8')) !== printed) {
  console.error('src/rest/openapi.json is out of date: run "npm run print-openapi".');
  process.exitCode = 1;
}
