import { readFile, stat } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('every file and folder that the README names is there', async () => {
  const readme = await readFile('README.md', 'utf8');

  const named = [...readme.matchAll(/^(src|prisma|test|deploy)\/\S*/gm)].map(([path]) => path);

  expect(named.length).toBeGreaterThan(8);
  for (const path of named) await expect(stat(path)).resolves.toBeDefined();
});

test('every GraphQL field beside a name of REST is one', async () => {
  const schema = await readFile('src/graphql/schema.graphql', 'utf8');
  const [table = ''] = /\| REST \| GraphQL \|.*/s.exec(await readFile('docs/rest.md', 'utf8')) ?? [];
  const rows = [...table.matchAll(/^\| .*\| (.*) \|$/gm)].map(([, cell]) => cell ?? '');
  const names = rows.flatMap((cell) =>
    [...cell.matchAll(/`(?:\w+\.)?(\w+)`/g)].map(([, name]) => name ?? ''),
  );

  expect(names).toContain('dispositionDesc');
  for (const name of names) expect(schema).toMatch(new RegExp(`\\b${name}\\b`));
});
