import { listPages, placeOf, readBlocks } from './pages.js';

/** Says how much of the pages is run, and what is not, and why. */
const blocks = (await Promise.all((await listPages()).map(readBlocks))).flat();
const notRun = blocks.filter(({ notRun }) => notRun !== null);
const run = blocks.filter(({ notRun, language }) => notRun === null && language !== '');

console.log(`${run.length} blocks are run or read, ${notRun.length} are not:`);
for (const block of notRun) console.log(`  ${placeOf(block)}  ${block.language}: ${block.notRun}`);
