import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The file that Node takes, as all packages do: Vite's choice would be a second copy of graphql.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**', 'test/generated/**'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Mostly they wait for PostgreSQL and for processes that start.
    maxWorkers: 2,
    isolate: false,
  },
});
