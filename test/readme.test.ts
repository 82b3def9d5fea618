import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertDemoData } from '../src/domain/demo-data.js';
import { createTestApp, type TestApp } from './harness.js';

let app: TestApp;
let readme: string;

beforeAll(async () => {
  app = await createTestApp();
  await insertDemoData(app.gateway.database.forTenant('default'), new Date());
  readme = await readFile('README.md', 'utf8');
});
afterAll(() => app[Symbol.asyncDispose]());

test('the mutation of the README answers what the README says', async () => {
  const [query] = blocks('graphql');
  const [answer] = blocks('json');

  const { json } = await app.rest('POST', '/graphql', { body: { query } });

  expect(json).toEqual(JSON.parse(answer ?? ''));
});

test('every file and folder that the README names is there', async () => {
  const named = [...readme.matchAll(/^(src|prisma|test)\/\S*/gm)].map(([path]) => path);
  const linked = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '');

  expect(named.length + linked.length).toBeGreaterThan(8);
  for (const path of [...named, ...linked]) await expect(stat(path)).resolves.toBeDefined();
});

test('every GraphQL field of the README’s table is one', async () => {
  const schema = await readFile('src/graphql/schema.graphql', 'utf8');
  const [table = ''] = /\| REST \|.*?\n\n/s.exec(readme) ?? [];
  const rows = [...table.matchAll(/^\| .*\| (.*) \|$/gm)].map(([, cell]) => cell ?? '');
  const names = rows.flatMap((cell) =>
    [...cell.matchAll(/`(?:\w+\.)?(\w+)`/g)].map(([, name]) => name ?? ''),
  );

  expect(names).toContain('dispositionDesc');
  for (const name of names) expect(schema).toMatch(new RegExp(`\\b${name}\\b`));
});

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    ([, text]) => text ?? '',
  );
}
