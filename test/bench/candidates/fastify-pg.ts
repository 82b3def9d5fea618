import { script } from '../processes.js';
import type { Candidate } from './candidate.js';
import { restAssociate, restScreenPop } from './gateway.js';

export const fastifyPg: Candidate = {
  title: 'fastify + pg',
  command: (databaseUrl) => ({
    ...script('peers/fastify-pg.ts'),
    environment: { DATABASE_URL: databaseUrl },
  }),
  associate: restAssociate,
  screenPop: restScreenPop,
};
