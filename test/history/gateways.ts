import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDatabase } from '../databases.js';
import { bootGateway, project } from '../process.js';

/** Two gateway processes on one database of their own. */
export type Gateways = AsyncDisposable & { connectionString: string; urls: string[] };

/** @param main the file that they run, another one than what was built */
export async function bootTwoGateways(serverUrl: string, main = 'dist/main.js'): Promise<Gateways> {
  const database = await createTestDatabase(serverUrl);
  const { connectionString } = database;
  const environment = { DATABASE_URL: connectionString, LOG_LEVEL: 'info' };
  const gateways = await Promise.all([
    bootGateway({ environment, main }),
    bootGateway({ environment, main }),
  ]);
  return {
    connectionString,
    urls: gateways.map(({ url }) => url),
    async [Symbol.asyncDispose]() {
      await Promise.all(gateways.map((gateway) => gateway.interrupt()));
      await database[Symbol.asyncDispose]();
    },
  };
}

/** A mistake in the sources: what stands there, and what stands there instead. */
export type PlantedBug = { name: string; file: string; edits: readonly (readonly [string, string])[] };

/** A copy of the sources with the mistake, beside the project's so that it finds the same packages. */
export async function plant({ name, file, edits }: PlantedBug): Promise<AsyncDisposable & { main: string }> {
  const folder = join(project, 'test/generated', `planted ${name}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(project, 'src'), join(folder, 'src'), { recursive: true });
  await symlink(join(project, 'prisma'), join(folder, 'prisma'));
  await symlink(join(project, 'package.json'), join(folder, 'package.json'));
  const path = join(folder, 'src', file);
  let text = await readFile(path, 'utf8');
  for (const [sound, broken] of edits) {
    if (!text.includes(sound)) throw new Error(`${file} no longer says: ${sound}`);
    text = text.replace(sound, broken);
  }
  await writeFile(path, text);
  return {
    main: join(folder, 'src/main.ts'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
