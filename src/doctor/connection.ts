import type { ConnectionFailure } from '../db/examination.js';
import { error, type Finding } from './finding.js';

type Advice = { what: (place: string) => string; fix: string };

/** By the codes of the system and of PostgreSQL. */
const advices: Readonly<Record<string, Advice>> = {
  ENOTFOUND: {
    what: (place) => `There is no host of the database ${place}.`,
    fix: 'Correct the host in DATABASE_URL, or the name service.',
  },
  EAI_AGAIN: {
    what: (place) => `The name service does not answer for the database ${place}.`,
    fix: 'Look after the name service, or name the host by its address in DATABASE_URL.',
  },
  ECONNREFUSED: {
    what: (place) => `Nothing listens where the database ${place} should be.`,
    fix: 'Start PostgreSQL, let it listen there (listen_addresses), or correct host and port in DATABASE_URL.',
  },
  ENOENT: {
    what: (place) => `There is no socket of the database ${place}.`,
    fix: 'Start PostgreSQL, or correct the host in DATABASE_URL.',
  },
  '28P01': {
    what: (place) => `The database ${place} takes neither this user nor this password.`,
    fix: 'Correct user and password in DATABASE_URL; special characters there are percent-encoded.',
  },
  '28000': {
    what: (place) => `The database ${place} does not let this user in from here.`,
    fix: 'Add a line for it to pg_hba.conf, or let the role log in.',
  },
  '3D000': {
    what: (place) => `There is no database ${place}.`,
    fix: 'Create it (createdb), or correct the name in DATABASE_URL.',
  },
  '53300': {
    what: (place) => `The database ${place} has no connection left.`,
    fix: 'Raise max_connections or the limit of the role, or lower DATABASE_POOL_SIZE of the gateways.',
  },
  '42501': {
    what: (place) => `The role may not look into the database ${place}.`,
    fix: 'Give the database to the role of DATABASE_URL: alter database … owner to …',
  },
  '08P01': {
    what: (place) => `What is in front of the database ${place} does not take the settings of a session.`,
    fix: 'Let DATABASE_URL lead to PostgreSQL itself, or to a pooler that pools sessions and passes options on.',
  },
};

const otherAdvice: Advice = {
  what: (place) => `The database ${place} cannot be reached.`,
  fix: 'Correct DATABASE_URL, or what lies between.',
};

/** What is wrong where there is no connection; never more of the URL than host, port and database. */
export function connectionFindings(place: string, { code, message }: ConnectionFailure): Finding[] {
  const known = advices[code];
  const advice = known ?? otherAdvice;
  return [
    error('database', {
      what: known ? advice.what(place) : `${advice.what(place).slice(0, -1)}: ${message || code}.`,
      why: 'The gateway does not start without it.',
      fix: advice.fix,
    }),
  ];
}
