import { test } from 'vitest';
import { besiege } from './siege.js';

/** Of a failure, to have it again. */
const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['HOSTILE_PATH'];

test.each([
  [400, 'OPERATOR', 'development'],
  [250, 'OPERATOR', 'production'],
  [150, 'READER', 'development'],
  [150, 'WRITER', 'production'],
  [50, 'stranger', 'production'],
] as const)(
  `%i hostile requests of a caller who is %s are answered like any other, in %s (HOSTILE_SEED=${seed})`,
  async (requests, caller, profile) => {
    // Each other requests.
    await besiege({ seed: seed + requests, path, requests, caller, profile, limitSeconds: 100 });
  },
  120_000,
);
