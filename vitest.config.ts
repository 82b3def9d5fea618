import { defineConfig } from 'vitest/config';

/** What starts processes, or is one of its own. */
const processes = [
  'test/boot.test.ts',
  'test/auth/cli.test.ts',
  'test/db/embedded/**/*.test.ts',
  'test/history/*.test.ts',
];

export default defineConfig({
  // The file that Node takes, as all packages do: Vite's choice would be a second copy of graphql.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Mostly they wait for PostgreSQL and for processes that start.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'processes', include: processes } },
      {
        extends: true,
        test: {
          name: 'app',
          include: ['test/**/*.test.ts'],
          exclude: [...processes, 'test/long/**', 'test/generated/**'],
          // The files of one worker share the app that they import: loading it took a third of the time.
          isolate: false,
        },
      },
    ],
  },
});
