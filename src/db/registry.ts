import type { ExtensionSchema, ExtensionScope, Prisma } from '../generated/prisma/client.js';

/** What a tenant's inputs are checked against, with the version that the write statement compares. */
export type Registry = {
  readonly version: number;
  readonly schemas: readonly ExtensionSchema[];
  /** By their names. */
  readonly businessAttributes: readonly BusinessAttribute[];
  /** What mapped fields take, by the field: `Service.type`. */
  readonly mappings: ReadonlyMap<string, ClosedList>;
  /** Whether mapped fields are answered as names. */
  readonly mapNames: boolean;
};

/** A closed list of values, and the fields that are mapped to it. What was not given is absent. */
export type BusinessAttribute = {
  readonly name: string;
  readonly dbid?: number;
  readonly displayName?: string;
  readonly description?: string;
  readonly values: readonly AttributeValue[];
  readonly fields: readonly string[];
};

export type AttributeValue = {
  readonly dbid: number;
  readonly name: string;
  readonly displayName?: string;
  readonly description?: string;
};

export type ClosedList = {
  readonly attribute: BusinessAttribute;
  /** Each value by whatever names it: its dbid, the digits of that, its name. */
  readonly byForm: ReadonlyMap<unknown, AttributeValue>;
};

type Named = { scope: ExtensionScope; nameKey: string };

const lookMilliseconds = 1_000;

/** One tenant's registry, kept in memory: writes notice when it is out of date, reads within seconds. */
export class RegistryCache {
  readonly #prisma: Prisma.TransactionClient;
  readonly #tenant: string;
  #current: Promise<Registry> | undefined;
  #loaded: Registry | undefined;
  /** The promise that `#loaded` came of. */
  #settled: Promise<Registry> | undefined;
  /** The newest version that was heard of. */
  #noticed = 0;
  #nextLook = 0;

  constructor(prisma: Prisma.TransactionClient, tenant: string) {
    this.#prisma = prisma;
    this.#tenant = tenant;
  }

  /** Whether `loaded` is what `current` would answer. */
  get isLoaded(): boolean {
    return this.#current !== undefined && this.#settled === this.#current;
  }

  /**
   * The registry for showing what is stored, at once: every call of a front finds one loaded.
   * @throws Error where none was
   */
  get loaded(): Registry {
    if (!this.#loaded) throw new Error('The registry is yet to be loaded.');
    return this.#loaded;
  }

  current(): Promise<Registry> {
    this.#current ??= this.#start();
    return this.#current;
  }

  /**
   * The registry for reading these extensions. Schemas are only ever added, so that a known one is
   * current; a name without one may have got it since, which is looked up at most once a second.
   * Without a promise where nothing is looked up: who shows a list would wait for one at each item.
   */
  knowing(extensions: readonly Named[]): Registry | Promise<Registry> {
    if (!this.isLoaded) return this.current().then(() => this.knowing(extensions));
    const { loaded } = this;
    const isKnown = ({ scope, nameKey }: Named) =>
      loaded.schemas.some((schema) => schema.scope === scope && schema.nameKey === nameKey);
    if (extensions.every(isKnown) || performance.now() < this.#nextLook) return loaded;
    this.#nextLook = performance.now() + lookMilliseconds;
    return this.newerThan(loaded).then((newer) => newer ?? loaded);
  }

  /** The registry as the database has it now. */
  async latest(): Promise<Registry> {
    const current = await this.current();
    return (await this.newerThan(current)) ?? current;
  }

  /** Forgets a registry that is older than the version that somebody has read. */
  notice(version: number): void {
    if (version <= this.#noticed) return;
    this.#noticed = version;
    if (this.#loaded === undefined || this.#loaded.version < version) this.forget();
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

  /** A load that was forgotten meanwhile is no news, unless there is nothing else yet. */
  #start(): Promise<Registry> {
    const loading: Promise<Registry> = this.#load().then(
      (registry) => {
        if (this.#current === loading || !this.#loaded) {
          this.#loaded = registry;
          this.#settled = loading;
          this.#noticed = Math.max(this.#noticed, registry.version);
        }
        return registry;
      },
      (error: unknown) => {
        if (this.#current === loading) this.#current = undefined;
        throw error;
      },
    );
    return loading;
  }

  /** The version is read first: what is newer than it only costs a second look. */
  async #load(): Promise<Registry> {
    const { registryVersion: version, mapNames } = await this.#loadTenant();
    const schemas = await this.#prisma.extensionSchema.findMany({
      where: { tenant: this.#tenant },
      orderBy: [{ scope: 'asc' }, { nameKey: 'asc' }],
    });
    const businessAttributes = await loadBusinessAttributes(this.#prisma, this.#tenant);
    return { version, schemas, businessAttributes, mappings: indexMappings(businessAttributes), mapNames };
  }

  async #loadVersion(): Promise<number> {
    return (await this.#loadTenant()).registryVersion;
  }

  #loadTenant(): Promise<{ registryVersion: number; mapNames: boolean }> {
    return this.#prisma.tenant.findUniqueOrThrow({
      where: { id: this.#tenant },
      select: { registryVersion: true, mapNames: true },
    });
  }
}

/** By their names, with their mappings as they were at the same moment. */
export async function loadBusinessAttributes(
  prisma: Prisma.TransactionClient,
  tenant: string,
): Promise<BusinessAttribute[]> {
  const rows = await prisma.businessAttribute.findMany({
    where: { tenant },
    orderBy: { nameKey: 'asc' },
    include: { mappings: { orderBy: { field: 'asc' } } },
  });
  return rows.map(({ name, dbid, displayName, description, values, mappings }) => ({
    name,
    ...(dbid === null ? {} : { dbid: Number(dbid) }),
    ...(displayName === null ? {} : { displayName }),
    ...(description === null ? {} : { description }),
    // As the domain wrote them.
    values: values as unknown as AttributeValue[],
    fields: mappings.map(({ field }) => field),
  }));
}

/** Made once, since every row that is shown looks into it. */
function indexMappings(attributes: readonly BusinessAttribute[]): ReadonlyMap<string, ClosedList> {
  return new Map(attributes.flatMap((attribute) => listsOf(attribute)));
}

function listsOf(attribute: BusinessAttribute): [string, ClosedList][] {
  if (attribute.fields.length === 0) return [];
  const byForm = new Map<unknown, AttributeValue>(
    attribute.values.flatMap((value) => valueForms(value).map((form) => [form, value] as const)),
  );
  return attribute.fields.map((field) => [field, { attribute, byForm }]);
}

/** All that may be stored for a value: no name is made of digits alone. */
export function valueForms({ dbid, name }: AttributeValue): readonly (number | string)[] {
  return [dbid, String(dbid), name];
}
