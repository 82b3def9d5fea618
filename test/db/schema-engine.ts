import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/**
 * The SQL that would bring the database to what prisma/schema.prisma says: empty when they agree.
 * Prisma's own engine, as WebAssembly from npm, since its native one has to be downloaded.
 */
export async function diffFromSchema(connectionString: string): Promise<string> {
  loading ??= loadEngine();
  await loading;
  const path = join(import.meta.dirname, '../../prisma/schema.prisma');
  const files = [{ path, content: await readFile(path, 'utf8') }];
  const pool = new CatalogPool({ connectionString });
  const adapter = bindSqlAdapterFactory(new CatalogAdapter(pool, { disposeExternalPool: true }));
  const schemaEngine = await engine.SchemaEngine.new(
    { datamodels: [[path, files[0]?.content ?? '']] },
    () => {},
    adapter,
  );
  try {
    const { stdout } = await schemaEngine.diff({
      from: { tag: 'schemaDatasource', files, configDir: join(path, '..') },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    return stdout ?? '';
  } finally {
    schemaEngine.free();
  }
}

/** The catalog has columns of the internal type "char", which the adapter refuses: they pass as text. */
class CatalogPool extends pg.Pool {
  override connect(): never {
    throw new Error('the engine only queries');
  }

  // biome-ignore lint/suspicious/noExplicitAny: pg.Pool overloads query beyond what a subclass can restate
  override query = async (...query: any[]): Promise<any> => {
    const client = await super.connect();
    try {
      const result = await client.query(query[0], query[1]);
      for (const field of result.fields) if (field.dataTypeID === 18) field.dataTypeID = 25;
      return result;
    } finally {
      client.release();
    }
  };
}

/** One of those columns the engine wants as a single character and nothing else. */
class CatalogAdapter extends PrismaPg {
  override async connect() {
    const adapter = await super.connect();
    const query = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (sql) => {
      const result = await query(sql);
      const place = result.columnNames.indexOf('constraint_type');
      if (place >= 0) result.columnTypes[place] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  }
}

let loading: Promise<void> | undefined;

/** Once: its glue code holds one instance. */
async function loadEngine(): Promise<void> {
  // Where its glue code reports a panic, which else would only hang.
  Reflect.set(globalThis, 'PRISMA_WASM_PANIC_REGISTRY', { set_message: console.error });
  const directory = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bytes = await readFile(join(directory, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': engine });
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

type Exports = { __wbindgen_start(): void };

/** Node has it, but its types for Node 20 do not. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Exports } }>;
  };
};
