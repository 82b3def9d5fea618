import { test } from 'vitest';
import { besiege } from '../hostile/siege.js';

const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['HOSTILE_PATH'];

test(`20,000 hostile requests are answered like any other (HOSTILE_SEED=${seed})`, async () => {
  await besiege({ seed, path, requests: 20_000, limitSeconds: 500 });
}, 600_000);
