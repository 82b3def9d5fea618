import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const { projects: _short, globalSetup: _own, ...test } = base.test ?? {};

/** What is deployed: the image that the Dockerfile makes, and what is in deploy/. */
export default defineConfig({
  ...base,
  test: {
    ...test,
    include: ['test/image/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
  },
});
