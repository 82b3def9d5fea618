import { expect, test } from 'vitest';
import { openScene, runBlocks } from './page-run.js';
import { listPages, readBlocks } from './pages.js';
import { typeCheck } from './type-check.js';

/*
 * What the pages show is run, each page from top to bottom on the demo data of a gateway of its own. Pages are
 * written by these rules:
 *
 * - `graphql` is sent to the gateway; `sh` is run by bash with curl and the command line at hand, where
 *   http://localhost:4000 is the gateway; `sql` is run in its database. Blocks of a page share what they change, and
 *   `sh` blocks their variables and files.
 * - `console` are commands behind `$ `, each with what it prints.
 * - What stands right behind one of them, with no word between, is its answer: `json` has to be equal; of `http`, what
 *   `curl -i` prints, the status, the body and the headers that are shown; `text` is all there was on standard output.
 * - In an answer the string `…` stands for any value, and `…` within a string for any text. The clock stands, and
 *   moves on by ten seconds with each block, so that most times can be shown as they are.
 * - `ts` has to compile against the package, `js` to parse, as have `json`, `yaml`, `ini` and `http` that answer nothing.
 *   Any other block is `text`, or says no language.
 * - What goes on until somebody ends it says what it prints once all is well: `sh until: GraphiQL`. `npm start` and
 *   `context-gateway start` run a gateway on a port that is free.
 * - What cannot run here says so behind its language, with the reason: `sh no-run: needs Docker`. All of these are
 *   listed by `npx tsx test/docs/list-blocks.ts`.
 */

const pages = await Promise.all(
  (await listPages()).map(async (page) => ({ page, blocks: await readBlocks(page) })),
);

test.each(pages)('the blocks of $page do what the page says', async ({ blocks }) => {
  await using scene = await openScene();

  await runBlocks(scene, blocks);
}, 180_000);

test('what the pages show of TypeScript and JavaScript compiles', async () => {
  const blocks = pages.flatMap((page) => page.blocks);

  const faults = await typeCheck(
    blocks.filter(({ language, notRun }) => ['ts', 'js'].includes(language) && notRun === null),
  );

  expect(faults).toBe('');
});
