import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const { projects: _short, ...test } = base.test ?? {};

/** What happens when things break, one after the other: each has the machine to itself. */
export default defineConfig({
  ...base,
  test: {
    ...test,
    include: ['test/faults/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
