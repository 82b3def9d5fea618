import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Database, Db } from '../db/database.js';
import { asUnavailable } from '../db/failures.js';
import { type Fault, formatPath } from '../errors.js';
import { parseStoredJson } from '../json.js';
import {
  insertLines,
  keepIds,
  linesOf,
  lockIds,
  raiseVersions,
  type WrittenLine,
} from './line-statements.js';
import { Faults } from './rules.js';
import { readServiceLine } from './service-lines.js';
import { kindOf, type ServiceLine } from './transfer-format.js';

/** Why a line is not imported. */
export type Refusal = { line: number; serviceId: string | null; reasons: readonly string[] };

export type ImportCounts = {
  /** Services that were inserted; of a dry run, that would be. */
  imported: number;
  /** Services that were there already, just as the line says; their versions may be others. */
  there: number;
  /** Lines. */
  refused: number;
};

/** What one batch may be of: services, and bytes of their lines. */
const batchServices = 300;
const batchBytes = 4 * 1024 * 1024;

/**
 * After how many services the statistics are made anew: with those of an empty table PostgreSQL keeps plans for
 * the foreign keys that look through whole tables.
 */
const analyzedAfter = [1_000, 10_000, 100_000, 1_000_000];

type Entry = { line: number; service: ServiceLine } | Refusal;

/** Inserts services batch by batch, each a commit; what is there is left as it is. */
export class ServiceImport {
  readonly counts: ImportCounts = { imported: 0, there: 0, refused: 0 };
  readonly #database: Database;
  readonly #db: Db;
  readonly #isDryRun: boolean;
  /** Of a dry run: a hash of each service that would be there by now. */
  readonly #wouldBe = new Map<string, string>();
  #entries: Entry[] = [];
  #ids = new Set<string>();
  #bytes = 0;
  /** No service gets an id any more up to this one. */
  #keptIds = 0n;

  constructor(database: Database, tenant: string, isDryRun: boolean) {
    this.#database = database;
    this.#db = database.forTenant(tenant);
    this.#isDryRun = isDryRun;
  }

  /** @returns the lines that are refused, of the batches that this one completes */
  async take(line: number, value: unknown, bytes: number): Promise<Refusal[]> {
    const faults = new Faults();
    const service = readServiceLine(value, faults);
    const { id } = service;
    if (faults.list.length > 0) return this.refuse(line, faults.list.map(reasonOf), id === '0' ? null : id);
    // Twice in one statement the second one would be neither inserted nor compared.
    const refusals = this.#ids.has(id) ? await this.flush() : [];
    this.#ids.add(id);
    this.#bytes += bytes;
    return [...refusals, ...(await this.#add({ line, service }))];
  }

  /** Takes a line that is none that can be imported, so that all are told in their order. */
  refuse(line: number, reasons: readonly string[], serviceId: string | null = null): Promise<Refusal[]> {
    return this.#add({ line, serviceId, reasons });
  }

  /** Does what was taken so far. */
  async flush(): Promise<Refusal[]> {
    const entries = this.#entries;
    this.#entries = [];
    this.#ids = new Set();
    this.#bytes = 0;
    const services = entries.flatMap((entry) => ('service' in entry ? entry.service : []));
    const reasons = services.length === 0 ? new Map<string, string>() : await this.#insert(services);
    const refusals = entries.flatMap((entry) => refusalOf(entry, reasons));
    this.counts.refused += refusals.length;
    return refusals;
  }

  /** Lets no service get an id up to this one any more. */
  async keepIds(upTo: bigint): Promise<void> {
    if (this.#isDryRun || upTo <= this.#keptIds) return;
    await this.#database.transaction(this.#db.tenant, async ({ prisma }) => {
      await prisma.$executeRawUnsafe(lockIds);
      await prisma.$queryRaw(keepIds(upTo));
    });
    this.#keptIds = upTo;
  }

  /** So that PostgreSQL knows what came. */
  async analyze(): Promise<void> {
    if (this.#isDryRun || this.counts.imported === 0) return;
    await this.#db.prisma.$executeRawUnsafe('analyze service, state, task, extension, association');
  }

  async #add(entry: Entry): Promise<Refusal[]> {
    this.#entries.push(entry);
    const isFull = this.#entries.length >= batchServices || this.#bytes >= batchBytes;
    return isFull ? this.flush() : [];
  }

  /** @returns why which services are refused, by their ids */
  async #insert(services: readonly ServiceLine[]): Promise<ReadonlyMap<string, string>> {
    const before = this.counts.imported;
    const imported = this.#isDryRun ? await this.#findAbsent(services) : await this.#write(services);
    this.counts.imported += imported.size;
    if (analyzedAfter.some((count) => before < count && this.counts.imported >= count)) await this.analyze();
    const others = services.filter(({ id }) => !imported.has(id));
    const stored = await this.#findStored(others);
    const isThere = (service: ServiceLine) =>
      this.#wouldBe.get(service.id) === hashOf(service) || isSame(stored.get(service.id), service);
    const differing = others.filter((service) => !isThere(service));
    this.counts.there += others.length - differing.length;
    return new Map(
      differing.map(({ id }) => [id, `there is a service ${id} already, and it is not the same`]),
    );
  }

  /**
   * Ids are kept first: a gateway that runs must not have given one away that comes now.
   * @throws Unavailable, also where a commit is not answered: the same import again finds what was committed
   */
  async #write(services: readonly ServiceLine[]): Promise<Set<string>> {
    const ids = services.map(({ id }) => BigInt(id));
    await this.keepIds(ids.reduce((most, id) => (id > most ? id : most)));
    const { tenant } = this.#db;
    try {
      return await this.#database.transaction(tenant, async ({ prisma }) => {
        const rows = await prisma.$queryRaw<{ id: string }[]>(insertLines(tenant, services));
        const written = rows.map(({ id }) => id);
        await prisma.$executeRaw(raiseVersions(tenant, written));
        return new Set(written);
      });
    } catch (error) {
      throw asUnavailable(error) ?? error;
    }
  }

  async #findAbsent(services: readonly ServiceLine[]): Promise<Set<string>> {
    const stored = await this.#findStored(services);
    const absent = services.filter(({ id }) => !stored.has(id) && !this.#wouldBe.has(id));
    for (const service of absent) this.#wouldBe.set(service.id, hashOf(service));
    return new Set(absent.map(({ id }) => id));
  }

  async #findStored(services: readonly ServiceLine[]): Promise<Map<string, ServiceLine>> {
    if (services.length === 0) return new Map();
    const ids = services.map(({ id }) => id);
    const rows = await this.#db.read<WrittenLine>(linesOf(this.#db.tenant, ids));
    return new Map(rows.map(({ id, line }) => [id, readStored(line)]));
  }
}

function readStored(line: string): ServiceLine {
  return readServiceLine(kindOf(parseStoredJson(line))?.value, new Faults());
}

function isSame(stored: ServiceLine | undefined, service: ServiceLine): boolean {
  return stored !== undefined && isDeepStrictEqual(withoutVersion(stored), withoutVersion(service));
}

function hashOf(service: ServiceLine): string {
  return createHash('sha256')
    .update(JSON.stringify(withoutVersion(service)))
    .digest('base64');
}

/** An import may have raised it, here or where the line was written. Every change is told by `updated_at`, too. */
function withoutVersion({ service: { version: _, ...service }, ...parts }: ServiceLine): ServiceLine {
  return { service, ...parts };
}

function refusalOf(entry: Entry, reasons: ReadonlyMap<string, string>): Refusal[] {
  if (!('service' in entry)) return [entry];
  const { line, service } = entry;
  const reason = reasons.get(service.id);
  return reason === undefined ? [] : [{ line, serviceId: service.id, reasons: [reason] }];
}

/** `states[0].media_type: must be an integer or a string` */
export function reasonOf({ path, message }: Fault): string {
  return path.length === 0 ? message : `${formatPath(path)}: ${message}`;
}
