import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from './schema.js';

/** Writes the schema as text beside this file; with `--check` only tells whether it is up to date. */
const path = join(import.meta.dirname, 'schema.graphql');
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(path, printed);
} else if ((await readFile(path, 'utf8')) !== printed) {
  console.error('src/graphql/schema.graphql is out of date: run "tsx src/graphql/print-schema.ts".');
  process.exitCode = 1;
}
