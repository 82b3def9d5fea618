import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { project } from '../process.js';

// The client as it is built, in a project that has nothing else: no gateway, no graphql, no types of Node.js.

const run = promisify(execFile);
let desk: string;

beforeAll(async () => {
  desk = await mkdtemp(join(tmpdir(), 'context-gateway-desk-'));
  const installed = join(desk, 'node_modules/context-gateway');
  await mkdir(installed, { recursive: true });
  for (const path of ['package.json', 'dist/client']) {
    await cp(join(project, path), join(installed, path), { recursive: true });
  }
  for (const file of ['example-desk.ts', 'types.ts'])
    await cp(join(project, 'test/client', file), join(desk, file));
});
afterAll(() => rm(desk, { recursive: true, force: true }));

test('a project for browsers compiles against its types, and so does what they are to refuse', async () => {
  const tsc = join(project, 'node_modules/.bin/tsc');
  const options = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,dom',
  ];

  const { stdout } = await run(tsc, [...options, '--types', '', 'example-desk.ts', 'types.ts'], {
    cwd: desk,
  });

  expect(stdout).toBe('');
});

test('Node.js runs it', async () => {
  const script =
    "import * as client from 'context-gateway/client'; console.log(Object.keys(client).join(' '))";

  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: desk });

  expect(stdout.split(/\s/)).toEqual(
    expect.arrayContaining(['createClient', 'associateService', 'NoAnswer']),
  );
});

test('a bundle for browsers has nothing but what is made use of', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(desk, 'example-desk.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  const text = outputFiles.map((file) => file.text).join();

  expect(text).toContain('mutation AssociateService(');
  expect(text).not.toContain('mutation UpdateExtensionRecord(');
  expect(text).not.toMatch(/from "|require\(/);
});
