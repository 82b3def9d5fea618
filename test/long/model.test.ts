import { expect, test } from 'vitest';
import { mistakes } from '../model/mistakes.js';
import { createStage, runSequences } from '../model/sequences.js';
import { rounds } from './rounds.js';

const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['MODEL_PATH'];

const sequences = rounds(2_000);

test(`${sequences} random sequences of acts leave what the contract says (MODEL_SEED=${seed})`, async () => {
  await using stage = await createStage();

  await runSequences(stage, { seed, path, sequences, mostSteps: 18, limitSeconds: 1_700 });
}, 1_800_000);

test.each(mistakes.map(({ name, rules }) => [name, rules] as const))(
  'the comparison finds that %s',
  async (_, rules) => {
    await using stage = await createStage();
    const run = { seed: 1, sequences: 300, mostSteps: 18, limitSeconds: 280, isShrunk: false };

    await expect(runSequences(stage, run, rules)).rejects.toThrow(/Property failed/);
  },
  300_000,
);
