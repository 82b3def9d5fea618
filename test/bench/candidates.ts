import { fastifyPg } from './candidates/fastify-pg.js';
import { mercurius } from './candidates/mercurius.js';
import { postgraphile } from './candidates/postgraphile.js';
import { yogaPrisma } from './candidates/yoga-prisma.js';

/** What a user could take instead of the gateway. */
export const peers = { 'fastify-pg': fastifyPg, mercurius, postgraphile, 'yoga-prisma': yogaPrisma };

export const peerNames = ['fastify-pg', 'mercurius', 'postgraphile', 'yoga-prisma', 'limit'] as const;
export type PeerName = (typeof peerNames)[number];

/** The batched statement without a server around it: what is there to be reached. */
export const limitTitle = 'the limit: pg alone';
