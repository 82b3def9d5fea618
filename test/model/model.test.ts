import { afterAll, beforeAll, expect, test } from 'vitest';
import { mistakes } from './mistakes.js';
import { createStage, runSequences, type Stage } from './sequences.js';

/** Of a failure, to have it again. */
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['MODEL_PATH'];

let stage: Stage;

beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

test(`100 random sequences of acts leave what the contract says (MODEL_SEED=${seed})`, async () => {
  await runSequences(stage, { seed, path, sequences: 100, mostSteps: 18, limitSeconds: 170 });
}, 180_000);

test.each(mistakes.map(({ name, rules }) => [name, rules] as const))(
  'the comparison finds that %s',
  async (_, rules) => {
    const run = { seed: 1, sequences: 300, mostSteps: 18, limitSeconds: 60, isShrunk: false };

    await expect(runSequences(stage, run, rules)).rejects.toThrow(/Property failed/);
  },
  70_000,
);
