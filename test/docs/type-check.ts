import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { project } from '../process.js';
import type { Block } from './pages.js';

/** Within the project, for the blocks import it by its name; and where nothing else is compiled. */
const parent = join(project, 'dist');

/** Compiles each block, of TypeScript or JavaScript, as a module of its own. Answers what the compiler says, with the lines of the pages. */
export async function typeCheck(blocks: readonly Block[]): Promise<string> {
  if (blocks.length === 0) return '';
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'docs-'));
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(options));
    const files = blocks.map(async (block, index) => {
      const name = `${block.page.replaceAll('/', '.')}.${index}.${block.language}`;
      // The lines of the page are those of the file.
      await writeFile(join(folder, name), `${'\n'.repeat(block.line)}${block.text}export {};\n`);
    });
    await Promise.all(files);
    return withPages(await compile(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const options = {
  extends: '../../tsconfig.json',
  compilerOptions: {
    lib: ['es2023', 'dom', 'dom.asynciterable', 'esnext.disposable'],
    noUnusedLocals: false,
  },
  include: ['*.ts'],
};

async function compile(folder: string): Promise<string> {
  const compiled = promisify(execFile)('npx', ['tsc', '--pretty', 'false', '-p', folder], { cwd: project });
  return compiled.then(
    ({ stdout }) => stdout,
    ({ stdout }) => String(stdout),
  );
}

/** `dist/docs-x/docs.some.md.0.ts(4,14)` is `docs/some.md:4`. */
function withPages(output: string): string {
  return output.replace(
    /^\S*\/docs-\w+\/(\S+?)\.\d+\.[jt]s\((\d+),\d+\)/gm,
    (_, page, line) => `${page.replace(/^docs\./, 'docs/')}:${line}`,
  );
}
