import { afterAll, beforeAll, expect, test } from 'vitest';
import { asShown, readHttp } from './answers.js';
import { openScene, runBlocks, type Scene } from './page-run.js';
import { blocksOf } from './pages.js';
import { typeCheck } from './type-check.js';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

const fence = '```';

/** A page of these blocks, with a line of prose before the first. */
function pageOf(...blocks: readonly [info: string, text: string][]): string {
  return `So:\n${blocks.map(([info, text]) => `${fence}${info}\n${text}\n${fence}\n`).join('\n')}`;
}

async function outcomeOf(markdown: string): Promise<string> {
  return runBlocks(scene, blocksOf('docs/some.md', markdown)).then(
    () => 'as shown',
    (error) => String(error.message),
  );
}

test('blocks have their language, their line, and the reason why they are not run', () => {
  const blocks = blocksOf(
    'a.md',
    pageOf(['sh', 'true'], ['sh no-run: needs Docker', 'docker ps'], ['', 'x']),
  );

  expect(blocks).toEqual([
    {
      page: 'a.md',
      line: 2,
      language: 'sh',
      notRun: null,
      until: null,
      isRightBehind: false,
      text: 'true\n',
    },
    {
      page: 'a.md',
      line: 6,
      language: 'sh',
      notRun: 'needs Docker',
      until: null,
      isRightBehind: true,
      text: 'docker ps\n',
    },
    { page: 'a.md', line: 10, language: '', notRun: null, until: null, isRightBehind: true, text: 'x\n' },
  ]);
  for (const info of ['sh no-run', 'sh no-run:', 'sh until:', 'sh skipped']) {
    expect(() => blocksOf('a.md', pageOf([info, 'true']))).toThrow(/^a\.md:2: after the language/);
  }
  expect(() => blocksOf('a.md', `${fence}sh\ntrue\n`)).toThrow('a.md:1: the block has no end');
});

test('an answer may leave open what differs each time, and nothing else', () => {
  const answered = { id: '1500', at: '2026-03-02T09:00:00.000Z', list: [{ n: 1 }, { n: 2 }] };

  const isShownBy = (shown: unknown) => JSON.stringify(asShown(answered, shown)) === JSON.stringify(shown);

  expect(isShownBy(answered)).toBe(true);
  expect(isShownBy({ ...answered, at: '…', list: '…' })).toBe(true);
  expect(isShownBy({ ...answered, at: '2026-…Z' })).toBe(true);
  expect(isShownBy({ ...answered, at: '2025-…Z' })).toBe(false);
  expect(isShownBy({ ...answered, list: [{ n: 1 }] })).toBe(false);
  expect(isShownBy({ id: '1500' })).toBe(false);
  expect(isShownBy({ ...answered, more: '…' })).toBe(false);
});

test('of an HTTP answer those headers count that are named', () => {
  const text = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nDate: now\r\n\r\n{"a":1}';

  expect(readHttp(text, ['etag'])).toEqual({
    status: 'HTTP/1.1 200 OK',
    headers: { etag: '"1"' },
    body: { a: 1 },
  });
});

test('a page that says what is so passes', async () => {
  const outcome = await outcomeOf(
    pageOf(
      ['graphql', '{ service(id: "1500") { id } }'],
      ['json', '{ "data": { "service": { "id": "1500" } } }'],
      ['sh', 'ID=1500'],
      ['sh', 'curl "http://localhost:4000/services/$ID"'],
      ['json', '{ "service_id": 1500, "service_type": "…", "customer_id": "0004…", "started": "…" }'],
      ['sql', 'select count(*)::int as count from service where id = 1500'],
      ['json', '[{ "count": 1 }]'],
      ['ini', '# a comment\nPORT=1'],
      ['yaml', 'a: [1]'],
      ['sh no-run: needs Docker', 'docker ps'],
      ['sh until: two', 'echo one; echo two; sleep 60'],
      ['console until: two', '$ echo one; echo two; sleep 60'],
    ),
  );

  expect(outcome).toBe('as shown');
});

test('what is shown behind a word is no answer', async () => {
  const page = `${pageOf(['sh', 'echo one'])}Like:\n${fence}json\n{}\n${fence}\n`;

  expect(await outcomeOf(page)).toBe('as shown');
});

test.each([
  ['graphql', '{ service(id: "1500") { id } }', 'json', '{ "data": { "service": { "id": "1501" } } }', 6],
  ['sh', 'curl -i http://localhost:4000/services/1500', 'http', 'HTTP/1.1 404 Not Found', 6],
  ['sh', 'echo one', 'text', 'two', 6],
  ['sh', 'echo before; false', 'text', 'before', 2],
  ['sh until: two', 'echo one', 'text', '', 2],
  ['yaml', 'a: b: c', 'text', '', 2],
  ['ini', 'PORT', 'text', '', 2],
  ['brainfuck', '+', 'text', '', 2],
])('a page whose %s says %j fails where it does', async (language, text, answer, shown, line) => {
  expect(await outcomeOf(pageOf([language, text], [answer, shown]))).toContain(`docs/some.md:${line}`);
});

test('TypeScript that does not compile is told with its line', async () => {
  const blocks = blocksOf('docs/some.md', pageOf(['ts', 'const one = 1;\nexport const two: string = one;']));

  expect(await typeCheck(blocks)).toMatch(/^docs\/some\.md:4: error TS2322/);
});
