import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { AnswerReporter } from './test/openapi/answer-reporter.js';

/** What starts gateways as processes of their own. */
const processes = ['test/history/*.test.ts'];

/** What is about the whole of something, one piece after the other: it goes with the tests that take minutes. */
export const thorough = [
  'test/boot.test.ts',
  'test/auth/cli.test.ts',
  'test/auth/matrix.test.ts',
  'test/client/package.test.ts',
  'test/db/embedded/**/*.test.ts',
  'test/docs/*.test.ts',
];

/** What takes longest, which on a machine that has not run it yet nothing else tells. */
const longest = ['test/model/model.test.ts', 'test/hostile/hostile.test.ts', 'test/auth/matrix.test.ts'];

/** Begins with what takes longest, so that in the end no worker waits for another one. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const isOf = (path: string) => (file: TestSpecification) => file.moduleId.endsWith(`/${path}`);
    const first = longest.flatMap((path) => others.filter(isOf(path)));
    return [...first, ...others.filter((file) => !first.includes(file))];
  }
}

export default defineConfig({
  resolve: {
    alias: [
      // The file that Node takes, as all packages do: Vite's choice would be a second copy of graphql.
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // What is written, not what was built of it.
      { find: 'context-gateway/client', replacement: join(import.meta.dirname, 'src/client/client.ts') },
    ],
  },
  test: {
    globalSetup: ['test/global-setup.ts'],
    setupFiles: ['test/openapi/count-answers.ts'],
    reporters: ['default', new AnswerReporter()],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes at once, except on a machine that is busy.
    expect: { poll: { timeout: 20_000 } },
    // For two cores: all of them wait now and then for PostgreSQL, for processes that start, for a time to pass.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'processes', include: processes, testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: 'app',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...processes,
            ...thorough,
            ...['long', 'faults', 'image', 'browser', 'bench', 'generated'].map((name) => `test/${name}/**`),
          ],
          // The files of one worker share the app that they import: loading it took a third of the time.
          isolate: false,
        },
      },
    ],
  },
});
