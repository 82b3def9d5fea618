import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { text } from '../domain/rules.js';
import { type ImportCounts, TenantImport } from '../domain/tenant-import.js';
import { defaultTenant, requireTenants, tenantId } from '../domain/tenants.js';
import { OperatorError } from '../errors.js';
import { counted, exitCodes, type Form, note, print, type Terminal } from './command.js';
import { linesIn } from './lines.js';
import { onDatabase, type Place } from './on-database.js';
import { Progress } from './progress.js';
import { openRefusals } from './refusals.js';

export const importForms = {
  import: {
    parameters: 'FILE|- [--tenant ID] [--dry-run] [--report FILE] [--json]',
    summary: 'reads what export wrote into a tenant',
    details: [
      'Services keep their ids, versions and history; compressed files are told by their content.',
      'What is there is never changed, so that the same command again goes on where one was cut off.',
      'Lines that are refused are left out and told, in the report one JSON object each; it ends with 1 then.',
      '--dry-run changes nothing and tells the same.',
    ],
    read(given) {
      const file = given.positional('FILE', text(4096, 1)) ?? '';
      const tenant = given.option('tenant', tenantId) ?? defaultTenant;
      const report = given.option('report', text(4096, 1)) ?? null;
      const isDryRun = given.flag('dry-run');
      const isJson = given.flag('json');
      return onDatabase((place) => importFrom(place, { file, tenant, report, isDryRun, isJson }));
    },
  },
} satisfies Record<string, Form>;

type Order = { file: string; tenant: string; report: string | null; isDryRun: boolean; isJson: boolean };

async function importFrom({ database, terminal }: Place, order: Order): Promise<number> {
  const { file, tenant, isDryRun } = order;
  await requireTenants(database.admin, [tenant]);
  const source = await openSource(file, terminal);
  await using refusals = await openRefusals(order.report, terminal);
  const tenantImport = new TenantImport(database, { tenant, isDryRun, now: terminal.now() });
  const signal = terminal.interruption();
  {
    using progress = new Progress(terminal, { act: 'import', noun: 'service', total: source.size });
    for await (const line of linesIn(source.chunks)) {
      if (signal.aborted) break;
      await refusals.tell(await tenantImport.take(line));
      const { imported, there } = tenantImport.counts;
      progress.update(source.bytesRead(), imported + there);
    }
  }
  if (signal.aborted) {
    await refusals.tell(await tenantImport.flush());
    tell(terminal, order, tenantImport.counts, null);
    note(terminal, 'Cut off: the same command goes on.');
    return exitCodes.interrupted;
  }
  const end = await tenantImport.finish();
  await refusals.tell(end.refusals);
  tell(terminal, order, tenantImport.counts, end.fault);
  return tenantImport.counts.refused > 0 || end.fault ? exitCodes.refused : exitCodes.done;
}

function tell(
  terminal: Terminal,
  { isDryRun, isJson }: Order,
  counts: ImportCounts,
  fault: string | null,
): void {
  const { imported, there, refused } = counts;
  const line = `${counted(imported, 'service')} ${isDryRun ? 'would be ' : ''}imported, ${there.toLocaleString('en')} there already, ${counted(refused, 'line')} refused`;
  print(terminal, [isJson ? JSON.stringify({ dryRun: isDryRun, ...counts, fault }) : line]);
  if (fault) note(terminal, fault);
}

type Source = {
  chunks: AsyncIterable<Buffer>;
  /** In bytes; 0 where nobody knows. */
  size: number;
  bytesRead: () => number;
};

/** @throws OperatorError when it cannot be read */
async function openSource(file: string, { stdin }: Terminal): Promise<Source> {
  if (file === '-') return sourceOf(stdin, 0, 'standard input');
  const stream = createReadStream(file);
  await once(stream, 'open').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const known = await stat(file);
  return sourceOf(stream, known.isFile() ? known.size : 0, file);
}

function sourceOf(stream: Readable, size: number, name: string): Source {
  let bytesRead = 0;
  async function* raw(): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  return { chunks: readable(decompressed(raw()), name), size, bytesRead: () => bytesRead };
}

/** Whether it is compressed its first byte tells, which in JSON is another one. */
async function* decompressed(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { value: first, done } = await chunks.next();
  if (done) return;
  async function* all(): AsyncGenerator<Buffer> {
    yield first;
    yield* chunks;
  }
  if (first[0] !== 0x1f) return yield* all();
  const gunzip = createGunzip();
  // What fails in it fails in its reader, too.
  pipeline(Readable.from(all()), gunzip).catch(() => {});
  yield* gunzip;
}

async function* readable(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): OperatorError {
  return new OperatorError(`${name} cannot be read: ${error instanceof Error ? error.message : error}`);
}
