import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

const { projects: _short, ...test } = base.test ?? {};

/** The tests that take minutes. */
export default defineConfig({ ...base, test: { ...test, include: ['test/long/**/*.test.ts'] } });
