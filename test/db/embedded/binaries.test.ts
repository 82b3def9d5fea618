import { execFile } from 'node:child_process';
import { chmod, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findPackage, locateBinaries } from '../../../src/db/embedded/binaries.js';
import { runAs } from '../../../src/db/embedded/process.js';
import { isRoot, makeDirectory } from './harness.js';

const NOBODY = { uid: 65_534, gid: 65_534 };

test('library links an install script should have made are mended', async () => {
  const directory = await makeDirectory();
  const packageRoot = await copyWithoutLinks(directory);
  const program = join(packageRoot, 'native', 'bin', 'postgres');
  const before = await runAs({}, program, ['--version']);

  const binaries = await locateBinaries(packageRoot, {}, directory);

  expect(before.failure).not.toBeNull();
  expect(await runAs({}, program, ['--version'])).toMatchObject({ failure: null });
  expect(binaries).toEqual({ directory: dirname(program), major: '18' });
});

test.runIf(isRoot)('a package under a closed folder is copied to where its user can run it', async () => {
  const [open, closed] = [await makeDirectory(), await makeDirectory()];
  const packageRoot = await copyWithoutLinks(closed);
  await chmod(closed, 0o700);

  const binaries = await locateBinaries(packageRoot, NOBODY, open);
  const initdb = await runAs(NOBODY, join(binaries.directory, 'initdb'), ['--version']);

  expect(dirname(dirname(dirname(binaries.directory)))).toBe(open);
  expect(initdb).toMatchObject({ failure: null });
});

/** As a package manager leaves the package that blocks install scripts. */
async function copyWithoutLinks(parent: string): Promise<string> {
  const packageRoot = join(parent, 'package');
  await promisify(execFile)('cp', ['-a', findPackage(), packageRoot]);
  const libraries = join(packageRoot, 'native', 'lib');
  for (const entry of await readdir(libraries, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(libraries, entry.name));
  }
  return packageRoot;
}
