import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** The tests that take minutes. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/long/**/*.test.ts'], exclude: [] },
});
