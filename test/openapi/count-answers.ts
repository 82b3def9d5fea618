import { afterAll, beforeAll } from 'vitest';
import { countOfAnswers } from './checked-answers.js';

declare module 'vitest' {
  interface TaskMeta {
    /** How many answers of a file's tests were held against openapi.json. */
    checkedAnswers?: number;
  }
}

let before = 0;

beforeAll(() => {
  before = countOfAnswers();
});

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads from it which fixtures are wanted
afterAll(({}, suite) => {
  suite.file.meta.checkedAnswers = countOfAnswers() - before;
});
