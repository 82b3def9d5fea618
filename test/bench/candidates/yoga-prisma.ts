import { script } from '../processes.js';
import type { Candidate } from './candidate.js';
import { associateFront, plainScreenPop } from './graphql-fronts.js';

export const yogaPrisma: Candidate = {
  title: 'Yoga + Pothos + Prisma, transaction',
  command: (databaseUrl) => ({
    ...script('peers/yoga-prisma.ts'),
    environment: { DATABASE_URL: databaseUrl },
  }),
  associate: associateFront('payload'),
  screenPop: plainScreenPop,
};
