import type { TestApp } from '../harness.js';
import { type Run, type RunOptions, run } from './terminal.js';

type Target = Pick<TestApp, 'connectionString'>;

/** A command on the app's database. */
export function on(app: Target, line: string, options: RunOptions = {}): Promise<Run> {
  return run(line, {
    ...options,
    environment: { DATABASE_URL: app.connectionString, ...options.environment },
  });
}

/** All of the tenant, as text. */
export async function exported(app: Target, line = ''): Promise<string> {
  return (await on(app, `export - ${line}`)).stdout;
}

/** The hash of the content, as its last line tells it. */
export function hashIn(text: string): string {
  return /"contentHash":"(sha256:[0-9a-f]{64})"\}\}\n$/.exec(text)?.[1] ?? 'none';
}

export const contentTables = ['service', 'state', 'task', 'extension', 'association'] as const;

/** Every row of what hangs on services, and of what is defined. */
export async function contentOf({ sql }: Pick<TestApp, 'sql'>): Promise<unknown> {
  const tables = [...contentTables, 'extension_schema', 'business_attribute', 'field_mapping'];
  return Promise.all(tables.map((table) => sql(`select t::text as row from ${table} t order by 1`)));
}
