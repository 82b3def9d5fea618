import type { FastifyRequest } from 'fastify';
import type { Database, Db } from './db/database.js';
import type { Origin } from './domain/service-writes.js';
import type { Front } from './generated/prisma/client.js';
import type { Logger } from './logger.js';

/** What both fronts are made of. */
export type Gateway = {
  database: Database;
  logger: Logger;
  clock: () => Date;
};

/** One request, as both fronts hand it to the domain. */
export type RequestContext = {
  db: Db;
  origin: Origin;
  /** The business unit of the call. */
  businessUnit: string | null;
};

export function requestContext(gateway: Gateway, request: FastifyRequest, front: Front): RequestContext {
  return {
    db: gateway.database.forTenant('default'),
    origin: { front, requestId: request.id, principal: null, receivedAt: gateway.clock() },
    businessUnit: null,
  };
}
