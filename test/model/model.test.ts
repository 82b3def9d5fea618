import { test } from 'vitest';
import { createStage, runSequences } from './sequences.js';

/** Of a failure, to have it again. */
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['MODEL_PATH'];

test(`100 random sequences of acts leave what the contract says (MODEL_SEED=${seed})`, async () => {
  await using stage = await createStage();

  await runSequences(stage, { seed, path, sequences: 100, mostSteps: 12, limitSeconds: 170 });
}, 180_000);
