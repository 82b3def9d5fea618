import { test } from 'vitest';
import { besiege } from './siege.js';

/** Of a failure, to have it again. */
const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['HOSTILE_PATH'];

test(`1,000 hostile requests are answered like any other (HOSTILE_SEED=${seed})`, async () => {
  await besiege({ seed, path, requests: 1_000, limitSeconds: 100 });
}, 120_000);
