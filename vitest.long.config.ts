import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const { projects: _short, ...test } = base.test ?? {};

/** The tests that take minutes. Some of them measure: they have a core each. */
export default defineConfig({
  ...base,
  test: { ...test, maxWorkers: 2, include: ['test/long/**/*.test.ts'] },
});
