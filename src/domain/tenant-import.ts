import { createHash } from 'node:crypto';
import type { Database } from '../db/database.js';
import { DomainError, Invalid } from '../errors.js';
import { decodeUtf8, parseStoredJson } from '../json.js';
import { RegistryImport } from './registry-lines.js';
import { Faults, isObject } from './rules.js';
import { type ImportCounts, type Refusal, reasonOf, ServiceImport } from './service-import.js';
import {
  endKind,
  endRules,
  formatVersion,
  headerKind,
  headerRules,
  kindOf,
  type RegistryKind,
  registryKinds,
  serviceKind,
} from './transfer-format.js';

export type { ImportCounts, Refusal };

/** The file is none that can be imported: nothing was changed. */
export class NoExport extends DomainError {
  readonly code = 'NO_EXPORT';
}

/** A line of a file, without its end; null where it is longer than any can be. */
export type GivenLine = { number: number; bytes: Buffer | null };

export type ImportOptions = { tenant: string; isDryRun: boolean; now: Date };

/**
 * Takes the lines of an export one after the other. Services keep their ids, versions and history; one that was
 * there before goes on behind the versions that were told of it. No events are written, since nothing happens to
 * them. What is there is never changed, so that the same lines again change nothing, and go on wherever a former
 * import was cut off. Gateways may run meanwhile.
 */
export class TenantImport {
  readonly #services: ServiceImport;
  readonly #registry: RegistryImport;
  readonly #now: Date;
  readonly #hash = createHash('sha256');
  #hasHeader = false;
  #end: { contentHash?: string } | null = null;

  constructor(database: Database, { tenant, isDryRun, now }: ImportOptions) {
    this.#services = new ServiceImport(database, tenant, isDryRun);
    this.#registry = new RegistryImport(database.forTenant(tenant), isDryRun);
    this.#now = now;
  }

  get counts(): Readonly<ImportCounts> {
    return this.#services.counts;
  }

  /**
   * @returns the lines that turned out to be refused, up to this one, in their order
   * @throws NoExport when the first line is no header of a known format; Unavailable, OutcomeUnknown
   */
  async take({ number, bytes }: GivenLine): Promise<readonly Refusal[]> {
    const parsed = parseLine(bytes);
    const entry = 'value' in parsed ? kindOf(parsed.value) : null;
    if (!this.#hasHeader) return this.#begin(entry);
    if (this.#end) return this.#services.refuse(number, ['stands behind the end']);
    if (entry?.kind === endKind) return this.#takeEnd(number, entry.value);
    this.#hash.update(bytes ?? '').update('\n');
    if ('reasons' in parsed) return this.#services.refuse(number, parsed.reasons);
    if (entry?.kind === serviceKind) return this.#services.take(number, entry.value, bytes?.length ?? 0);
    const kind = registryKinds.find((known) => known === entry?.kind);
    if (kind) return this.#define(number, kind, entry?.value);
    const kinds = [...registryKinds, serviceKind, endKind].join(', ');
    return this.#services.refuse(number, [`must be an object with one member of ${kinds}`]);
  }

  /** Does what was taken so far. */
  flush(): Promise<readonly Refusal[]> {
    return this.#services.flush();
  }

  /**
   * Does the last of it.
   * @returns the lines that are refused besides, and what is wrong with the file as a whole
   * @throws as `take`
   */
  async finish(): Promise<{ refusals: readonly Refusal[]; fault: string | null }> {
    if (!this.#hasHeader) throw noExport();
    const refusals = await this.flush();
    await this.#services.analyze();
    return { refusals, fault: this.#faultOfFile() };
  }

  async #begin(entry: ReturnType<typeof kindOf>): Promise<readonly Refusal[]> {
    if (entry?.kind !== headerKind || !isObject(entry.value)) throw noExport();
    const { formatVersion: given } = entry.value;
    if (given !== formatVersion) {
      throw new NoExport(
        `The export has the format ${JSON.stringify(given)}, and ${formatVersion} is read here.`,
      );
    }
    const faults = new Faults();
    const { lastServiceId } = faults.read(headerRules, entry.value);
    if (faults.list.length > 0) throw new NoExport(`The first line: ${faults.list.map(reasonOf).join('; ')}`);
    if (lastServiceId) await this.#services.keepIds(lastServiceId);
    this.#hasHeader = true;
    return [];
  }

  async #define(line: number, kind: RegistryKind, value: unknown): Promise<readonly Refusal[]> {
    const faults = new Faults();
    const outcome = await this.#registry.take({ kind, value }, this.#now, faults);
    return outcome ? [] : this.#services.refuse(line, faults.list.map(reasonOf));
  }

  async #takeEnd(line: number, value: unknown): Promise<readonly Refusal[]> {
    const faults = new Faults();
    if (!isObject(value)) faults.add([endKind], { message: 'must be an object' });
    this.#end = isObject(value) ? faults.read(endRules, value) : {};
    return faults.list.length === 0 ? [] : this.#services.refuse(line, faults.list.map(reasonOf));
  }

  #faultOfFile(): string | null {
    if (!this.#end) return 'The file has no end: it was cut off, and there may be more than what came.';
    const { contentHash } = this.#end;
    const found = `sha256:${this.#hash.digest('hex')}`;
    if (contentHash === undefined || contentHash === found) return null;
    return `The file is not as it was written: its content has the hash ${found}, and its end says ${contentHash}.`;
  }
}

function noExport(): NoExport {
  return new NoExport(`This is no export of a context gateway: the first line must have ${headerKind}.`);
}

type Parsed = { value: unknown } | { reasons: readonly string[] };

function parseLine(bytes: Buffer | null): Parsed {
  if (!bytes) return { reasons: ['is longer than a line can be'] };
  try {
    return { value: parseStoredJson(decodeUtf8(bytes)) };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    // Of the line as a whole the parser says that it is a body.
    return {
      reasons: error.faults.map(({ path, ...fault }) =>
        reasonOf({ ...fault, path: path.filter((step) => step !== 'body') }),
      ),
    };
  }
}
