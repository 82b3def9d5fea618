import { expect, test } from 'vitest';
import { createStage, runSequences } from '../model/sequences.js';
import { type Exchange, expectSameAnswers, recorded } from './ways.js';

const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 1_000_000);

test(`random sequences of acts are answered alike with the fast lane and without (MODEL_SEED=${seed})`, async () => {
  const [withLane, withoutLane] = await Promise.all([answersOf('withLane'), answersOf('withoutLane')]);

  expectSameAnswers(withLane, withoutLane);
  expect(withLane.filter(({ isFast }) => isFast).length).toBeGreaterThan(withLane.length / 2);
}, 60_000);

async function answersOf(way: 'withLane' | 'withoutLane'): Promise<Exchange[]> {
  await using stage = await createStage();
  const exchanges: Exchange[] = [];
  const app = recorded(stage.app, way, exchanges);
  await runSequences({ ...stage, app }, { seed, sequences: 5, mostSteps: 8, limitSeconds: 50 });
  return exchanges;
}
