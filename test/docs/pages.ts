import { readdir, readFile } from 'node:fs/promises';

/** What stands between two fences. */
export type Block = {
  /** The first word after the opening fence; empty for text that is only shown. */
  language: string;
  /** Why it cannot run here, as the page says it. */
  notRun: string | null;
  /** What it prints once it does what the page says, for what goes on until somebody ends it. */
  until: string | null;
  text: string;
  /** Whether nothing stands between it and the block before. */
  isRightBehind: boolean;
  page: string;
  /** Of the opening fence, from 1. */
  line: number;
};

/** The pages whose blocks are run, by their paths. */
export async function listPages(): Promise<string[]> {
  const docs = (await readdir('docs')).filter((name) => name.endsWith('.md')).sort();
  return ['README.md', ...docs.map((name) => `docs/${name}`)];
}

export async function readBlocks(page: string): Promise<Block[]> {
  return blocksOf(page, await readFile(page, 'utf8'));
}

/** @throws Error for a block without an end, or one that is not run and does not say why */
export function blocksOf(page: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: string; block: Block; lines: string[] } | null = null;
  let isRightBehind = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, indent = '', fence = '', info = ''] = /^( *)(`{3,})(.*)$/.exec(line) ?? [];
    if (open && fence.length >= open.fence.length && info.trim() === '') {
      blocks.push({ ...open.block, text: `${open.lines.join('\n')}\n` });
      open = null;
      isRightBehind = true;
    } else if (open) {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (fence !== '') {
      const block = {
        ...readInfo(info, `${page}:${index + 1}`),
        text: '',
        isRightBehind,
        page,
        line: index + 1,
      };
      open = { fence, indent, lines: [], block };
    } else if (line.trim() !== '') isRightBehind = false;
  }
  if (open) throw new Error(`${placeOf(open.block)}: the block has no end`);
  return blocks;
}

/** As a terminal makes a link of it. */
export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}

/** Without what stands between fences, which holds no links; the lines keep their numbers. */
export function proseOf(markdown: string): string {
  return markdown.replace(/^( *)(`{3,}).*\n(?:.*\n)*?\1\2`*$/gm, (block) => block.replace(/[^\n]/g, ''));
}

function readInfo(info: string, place: string): Pick<Block, 'language' | 'notRun' | 'until'> {
  const [, language = '', , word, told = null] =
    /^\s*(\S*)\s*((no-run|until):\s*(.*\S))?\s*$/.exec(info) ?? [];
  if (info.trim() !== language && told === null)
    throw new Error(
      `${place}: after the language comes nothing, "no-run: " and why, or "until: " and a text`,
    );
  return {
    language,
    notRun: word === 'no-run' ? told : null,
    until: word === 'until' ? told : null,
  };
}
