import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { listPages, proseOf } from './pages.js';

const others = (await readdir('.')).filter((name) => name.endsWith('.md') && name !== 'README.md');
const pages = [...(await listPages()), ...others];

test.each(pages)('every link of %s leads somewhere', async (page) => {
  const prose = proseOf(await readFile(page, 'utf8'));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|<(https?:[^>\s]+)>/g)].map(
    ([, target, url]) => target ?? url ?? '',
  );

  const faults = await Promise.all(
    links.map(async (link) => ((await leadsSomewhere(page, link)) ? [] : [link])),
  );

  expect(faults.flat()).toEqual([]);
});

/** Other sites are not asked. */
async function leadsSomewhere(page: string, link: string): Promise<boolean> {
  if (/^[a-z]+:/.test(link))
    return URL.canParse(link) && /^(https:|mailto:|http:\/\/localhost[:/])/.test(link);
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (!isThere || anchor === undefined) return isThere;
  return anchorsOf(await readFile(target, 'utf8')).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  const headings = [...proseOf(markdown).matchAll(/^#+ +(.*)$/gm)].map(([, heading]) => heading ?? '');
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
