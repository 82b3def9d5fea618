import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { readSnapshot } from '../db/snapshot.js';
import { dateTime, text } from '../domain/rules.js';
import { countExport, type ExportStep, exportTenant } from '../domain/tenant-export.js';
import { defaultTenant, requireTenants, tenantId } from '../domain/tenants.js';
import { OperatorError } from '../errors.js';
import { readVersion } from '../version.js';
import { counted, exitCodes, type Form, note, print, type Terminal } from './command.js';
import { onDatabase, type Place } from './on-database.js';
import { Progress } from './progress.js';

export const exportForms = {
  export: {
    parameters: 'FILE|- [--tenant ID] [--from TIME] [--to TIME]',
    summary: 'writes all of a tenant to a file, as a backup or to move it',
    details: [
      'As it is at one moment, while gateways go on: line by line as JSON, compressed where FILE ends in .gz;',
      '- is standard output. FILE is replaced once it is complete. API keys and events are not in it.',
      '--from and --to leave out services that were started before, or then and later.',
    ],
    read(given) {
      const file = given.positional('FILE', text(4096, 1)) ?? '';
      const tenant = given.option('tenant', tenantId) ?? defaultTenant;
      const range = {
        from: given.option('from', dateTime) ?? null,
        to: given.option('to', dateTime) ?? null,
      };
      return onDatabase((place) => exportTo(place, { file, tenant, range }));
    },
  },
} satisfies Record<string, Form>;

type Order = { file: string; tenant: string; range: { from: Date | null; to: Date | null } };

async function exportTo(place: Place, { file, tenant, range }: Order): Promise<number> {
  const { connectionString, database, terminal } = place;
  await requireTenants(database.admin, [tenant]);
  const signal = terminal.interruption();
  const gateway = await readVersion();
  let last: ExportStep | undefined;
  await readSnapshot({ connectionString, tenant }, async (snapshot) => {
    const total = await countExport(snapshot, range);
    using progress = new Progress(terminal, { act: 'export', noun: 'service', total });
    async function* lines(): AsyncGenerator<string> {
      for await (const step of exportTenant(snapshot, { ...range, gateway, now: terminal.now() })) {
        signal.throwIfAborted();
        yield step.lines.map((line) => `${line}\n`).join('');
        progress.update(step.counts.services, step.counts.services);
        last = step;
      }
    }
    await (file === '-' ? writeTo(terminal.stdout, lines()) : writeFile(file, lines()));
  }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return told(terminal, { file, isComplete: !signal.aborted, last });
}

type Told = { file: string; isComplete: boolean; last: ExportStep | undefined };

function told(terminal: Terminal, { file, isComplete, last }: Told): number {
  if (!isComplete || !last?.contentHash) {
    note(terminal, file === '-' ? 'Cut off: what came is not complete.' : `Cut off: ${file} is as it was.`);
    return exitCodes.interrupted;
  }
  const line = `${last.contentHash}  ${counted(last.counts.services, 'service')}`;
  if (file === '-') note(terminal, line);
  else print(terminal, [line]);
  return exitCodes.done;
}

/** It stays open: it is the process's. */
function writeTo(stream: Writable, lines: AsyncGenerator<string>): Promise<void> {
  return pipeline(Readable.from(lines), stream, { end: false });
}

/** A file is whole or not there: what is unfinished has another name. A device or a pipe is written to as it is. */
async function writeFile(file: string, lines: AsyncGenerator<string>): Promise<void> {
  const known = await stat(file).catch(() => null);
  const isReplaced = !known || known.isFile();
  const path = isReplaced ? `${file}.unfinished` : file;
  try {
    const target = createWriteStream(path, { mode: 0o600 });
    if (file.endsWith('.gz')) await pipeline(Readable.from(lines), createGzip(), target);
    else await pipeline(Readable.from(lines), target);
    if (isReplaced) await keep(path, file);
  } catch (error) {
    if (isReplaced) await rm(path, { force: true });
    throw asRefusal(file, error);
  }
}

async function keep(path: string, file: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.sync().finally(() => handle.close());
  await rename(path, file);
}

/** What the file system says, in words; the database's failures are told as they are. */
function asRefusal(file: string, error: unknown): unknown {
  const isOfFile = error instanceof Error && 'syscall' in error && 'path' in error;
  return isOfFile ? new OperatorError(`${file} cannot be written: ${error.message}`) : error;
}
