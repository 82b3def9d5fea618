import type { ExtensionSchema, ExtensionScope, Prisma } from '../generated/prisma/client.js';

/** What a tenant's inputs are checked against, with the version that the write statement compares. */
export type Registry = {
  readonly version: number;
  readonly schemas: readonly ExtensionSchema[];
};

const lookMilliseconds = 1_000;

/** One tenant's registry, kept in memory: writes notice when it is out of date. */
export class RegistryCache {
  readonly #prisma: Prisma.TransactionClient;
  readonly #tenant: string;
  #current: Promise<Registry> | undefined;
  #nextLook = 0;

  constructor(prisma: Prisma.TransactionClient, tenant: string) {
    this.#prisma = prisma;
    this.#tenant = tenant;
  }

  current(): Promise<Registry> {
    this.#current ??= this.#load().catch((error: unknown) => {
      this.#current = undefined;
      throw error;
    });
    return this.#current;
  }

  /**
   * The registry for reading extensions of these names. Schemas are only ever added, so that a known
   * one is current; a name without one may have got it since, which is looked up at most once a second.
   */
  async knowing(scope: ExtensionScope, nameKeys: Iterable<string>): Promise<Registry> {
    const current = await this.current();
    const isKnown = (nameKey: string) =>
      current.schemas.some((schema) => schema.scope === scope && schema.nameKey === nameKey);
    if ([...nameKeys].every(isKnown) || performance.now() < this.#nextLook) return current;
    this.#nextLook = performance.now() + lookMilliseconds;
    return (await this.newerThan(current)) ?? current;
  }

  /** Loads it anew when it is next asked for. */
  forget(): void {
    this.#current = undefined;
  }

  /** The registry as it is now, or null when `known` still is that. */
  async newerThan(known: Registry): Promise<Registry | null> {
    const current = await this.current();
    if (current.version !== known.version) return current;
    if ((await this.#loadVersion()) === known.version) return null;
    this.forget();
    return this.current();
  }

  /** The version is read first: schemas newer than it only cost a second look. */
  async #load(): Promise<Registry> {
    const version = await this.#loadVersion();
    const schemas = await this.#prisma.extensionSchema.findMany({
      where: { tenant: this.#tenant },
      orderBy: [{ scope: 'asc' }, { nameKey: 'asc' }],
    });
    return { version, schemas };
  }

  async #loadVersion(): Promise<number> {
    const { registryVersion } = await this.#prisma.tenant.findUniqueOrThrow({ where: { id: this.#tenant } });
    return registryVersion;
  }
}
