import { expect } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { insertDemoData } from '../../src/domain/demo-data.js';
import { createTestApp, type TestApp } from '../harness.js';
import { asShown, readHttp } from './answers.js';
import { type Block, placeOf } from './pages.js';
import { openShell, type Shell } from './shell.js';

/** When readers of all pages begin; each block is run ten seconds after the one before. */
const begin = Date.parse('2026-03-02T09:00:00Z');
const stepMilliseconds = 10_000;

export type Scene = AsyncDisposable & { app: TestApp; shell: Shell; clock: { now: Date } };

/** The languages of what is run, and of what is shown as the answer to the block before. */
const runners: Readonly<Record<string, (scene: Scene, block: Block) => Promise<string | null>>> = {
  console: runConsole,
  graphql: async ({ app }, { text }) => (await app.rest('POST', '/graphql', { body: { query: text } })).text,
  sh: runCommands,
  sql: async ({ app }, { text }) => JSON.stringify(await app.sql(text)),
};

const answers: Readonly<Record<string, (answer: string, block: Block) => void>> = {
  json: (answer, block) => {
    const shown = JSON.parse(block.text);
    expect(asShown(JSON.parse(answer), shown), placeOf(block)).toEqual(shown);
  },
  http: (answer, block) => {
    const shown = readHttp(block.text);
    const answered = readHttp(answer, Object.keys(shown.headers));
    expect(asShown(answered, shown), placeOf(block)).toEqual(shown);
  },
  text: (answer, { text, ...block }) => {
    const shown = text.trimEnd();
    expect(asShown(answer.trimEnd(), shown), placeOf({ text, ...block })).toBe(shown);
  },
};

/** What is looked at, and not run. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  json: JSON.parse,
  yaml: (text) => parseYaml(text),
  ini: readIni,
  // Compiled all at once: see type-check.ts.
  ts: () => undefined,
  js: () => undefined,
  http: (text) => readHttp(text),
  text: () => undefined,
  '': () => undefined,
};

/** A gateway with the demo data, and a shell to call it from. */
export async function openScene(): Promise<Scene> {
  const clock = { now: new Date(begin) };
  const app = await createTestApp({ now: () => clock.now });
  await insertDemoData(app.gateway.database.forTenant('default'), clock.now);
  const url = await app.server.listen({ port: 0, host: '127.0.0.1' });
  const shell = await openShell({ url, databaseUrl: app.connectionString });
  return {
    app,
    shell,
    clock,
    async [Symbol.asyncDispose]() {
      await shell[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

/**
 * Runs blocks from top to bottom, as the reader of a page does.
 * @throws AssertionError, Error with the place of the block that does not do what the page says
 */
export async function runBlocks(scene: Scene, blocks: readonly Block[]): Promise<void> {
  let answer: string | null = null;
  for (const block of blocks.filter(({ notRun }) => notRun === null)) {
    scene.clock.now = new Date(scene.clock.now.getTime() + stepMilliseconds);
    answer = await runBlock(scene, block, answer);
  }
}

/** Answers what the block after it may show; null where it may not. */
async function runBlock(scene: Scene, block: Block, answer: string | null): Promise<string | null> {
  const run = runners[block.language];
  const compare = answers[block.language];
  const read = readers[block.language];
  if (run) return run(scene, block);
  if (compare && answer !== null && block.isRightBehind) compare(answer, block);
  else if (read) look(read, block);
  else throw new Error(`${placeOf(block)}: nobody knows how to run ${block.language}`);
  return null;
}

async function runCommands({ shell }: Scene, block: Block): Promise<string> {
  if (block.until !== null) return expectUntil(shell, block, block.text);
  const { code, stdout, stderr } = await shell.run(block.text);
  if (code !== 0) throw new Error(`${placeOf(block)}: ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** Each command with what it prints, on whichever of the two outputs. */
async function runConsole({ shell }: Scene, block: Block): Promise<null> {
  for (const part of block.text.split(/^\$ /m).slice(1)) {
    const [command = '', ...lines] = part.split('\n');
    if (block.until !== null) {
      await expectUntil(shell, block, command);
      continue;
    }
    const { stdout } = await shell.run(`{ ${command}\n} 2>&1 || true`);
    const shown = lines.join('\n').trimEnd();
    expect(asShown(stdout.trimEnd(), shown), `${placeOf(block)}: ${command}`).toBe(shown);
  }
  return null;
}

/** What goes on until it is ended has said by then what the page is after. */
async function expectUntil(shell: Shell, block: Block, commands: string): Promise<string> {
  const awaited = block.until ?? '';
  const printed = await shell.runUntil(commands, awaited);
  if (!printed.includes(awaited)) throw new Error(`${placeOf(block)}: no "${awaited}" in\n${printed}`);
  return printed;
}

function look(read: (text: string) => unknown, block: Block): void {
  try {
    read(block.text);
  } catch (error) {
    throw new Error(`${placeOf(block)}: ${String(error)}`);
  }
}

/** Sections, settings and comments: systemd's form, and that of environment files. */
export function readIni(text: string): void {
  const wrong = text.split('\n').find((line) => !/^\s*($|[#;]|\[[\w ]+\]$|[A-Za-z]\w*=)/.test(line));
  if (wrong !== undefined) throw new Error(`neither a section nor a setting: ${wrong}`);
}
