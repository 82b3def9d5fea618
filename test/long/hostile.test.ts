import { test } from 'vitest';
import { besiege } from '../hostile/siege.js';
import { rounds } from './rounds.js';

const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['HOSTILE_PATH'];

test.each([
  [rounds(12_000), 'OPERATOR', 'development'],
  [rounds(4_000), 'OPERATOR', 'production'],
  [rounds(1_500), 'READER', 'development'],
  [rounds(1_500), 'WRITER', 'production'],
  [rounds(1_000), 'stranger', 'production'],
] as const)(
  `%i hostile requests of a caller who is %s are answered like any other, in %s (HOSTILE_SEED=${seed})`,
  async (requests, caller, profile) => {
    // Each other requests.
    await besiege({ seed: seed + requests, path, requests, caller, profile, limitSeconds: 500 });
  },
  600_000,
);
