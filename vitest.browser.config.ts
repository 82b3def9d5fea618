import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const { projects: _short, ...test } = base.test ?? {};

/** The pages, in a browser: CHROMIUM says where one is, if it is not Debian's. */
export default defineConfig({
  ...base,
  test: {
    ...test,
    include: ['test/browser/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
