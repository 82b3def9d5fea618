import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../context.js';
import type { QueryParameters } from './query.js';

/** A generation of the legacy API, told by its base path (legacy contract, dialects). */
export type Dialect = {
  basePath: '' | '/genesys/1/cs';
  /** Without a schema an extension is attached data. */
  takesAttachedData: boolean;
  requiresType: boolean;
  /** What the update of an extension answers. */
  updateStatus: 204 | 200;
};

/** What the routes of the table know of a request. */
export type RestRoute = { Params: Readonly<Record<string, string>>; Querystring: QueryParameters };

/** Webhooks are a matter of GraphQL alone. */
export type Call = Omit<RequestContext, 'courier' | 'destinations'> & {
  dialect: Dialect;
  request: FastifyRequest<RestRoute>;
};

/** Member by member: copied as a whole a caller takes several times as long, with every call. */
export function callOf(caller: RequestContext, dialect: Dialect, request: Call['request']): Call {
  const { db, origin, role, isForAllTenants, serverMode, businessUnit, budget } = caller;
  const { server, sweeper, changes, version } = caller;
  return {
    db,
    origin,
    role,
    isForAllTenants,
    serverMode,
    businessUnit,
    budget,
    server,
    sweeper,
    changes,
    version,
    dialect,
    request,
  };
}

export type Answer = {
  status: 200 | 201 | 204 | 304;
  headers?: Readonly<Record<string, string>>;
  /** JSON text, since JSON.stringify cannot write the ids, which outgrow a double. */
  json?: string;
  /** Of the text, where it is not one piece of JSON. */
  type?: string;
  /** Instead of that, what is too long to have at once. */
  stream?: Stream;
};

/** Text that is made as fast as the caller takes it; who goes away ends it. */
export type Stream = { type: string; chunks: AsyncGenerator<string> };

/** An answer that shows a service or a part of one, with the service's version. */
export type Tagged = Answer & { headers: { etag: string } };

export type Operation = (call: Call) => Promise<Answer>;
