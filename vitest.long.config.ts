import { defineConfig } from 'vitest/config';
import base, { thorough } from './vitest.config.js';

const { projects: _short, ...test } = base.test ?? {};

/** The tests that take minutes. Some of them measure: they have a core each. */
export default defineConfig({
  ...base,
  test: { ...test, maxWorkers: 2, testTimeout: 60_000, include: ['test/long/**/*.test.ts', ...thorough] },
});
