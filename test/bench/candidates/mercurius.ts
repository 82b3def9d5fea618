import { script } from '../processes.js';
import type { Candidate } from './candidate.js';
import { associateFront, plainScreenPop } from './graphql-fronts.js';

export const mercurius: Candidate = {
  title: 'mercurius + pg',
  command: (databaseUrl) => ({
    ...script('peers/mercurius.ts'),
    environment: { DATABASE_URL: databaseUrl },
  }),
  associate: associateFront('payload'),
  screenPop: plainScreenPop,
};
