import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteOptions,
} from 'fastify';
import { type Gateway, type RequestContext, requestContext } from '../context.js';
import { type OperationName, roleCheckOf } from '../domain/roles.js';
import { NotFound } from '../errors.js';
import type { Dialect, Operation, RestRoute } from './call.js';
import { createSchema, querySchema, querySchemas } from './extension-schemas.js';
import { answerError, MethodNotAllowed } from './problem.js';
import { associate, complete, queryAnonymous, queryById, queryOfCustomer, start, undo } from './services.js';

type Row = readonly [method: 'GET' | 'POST', path: string, name: OperationName, operation: Operation];

/** The legacy API (legacy contract, operations); the names are those of the table of roles. */
export const legacyApi: readonly Row[] = [
  ['POST', '/services/start', 'startService', start],
  ['POST', '/customers/:customer_id/services/:service_id', 'associateService', associate],
  ['POST', '/services/:service_id/end', 'completeService', complete],
  ['POST', '/services/:service_id/associations/undo', 'undoAssociation', undo],
  ['GET', '/services/:service_id', 'service', queryById],
  ['GET', '/customers/:customer_id/services', 'customer', queryOfCustomer()],
  ['GET', '/customers/:customer_id/services/active', 'customer', queryOfCustomer('ACTIVE')],
  ['GET', '/customers/:customer_id/services/completed', 'customer', queryOfCustomer('COMPLETED')],
  ['GET', '/services/anonymous/:contact_key', 'anonymousServices', queryAnonymous()],
  ['GET', '/services/anonymous/:contact_key/active', 'anonymousServices', queryAnonymous('ACTIVE')],
  ['GET', '/services/anonymous/:contact_key/completed', 'anonymousServices', queryAnonymous('COMPLETED')],
  ['POST', '/metadata/services/extensions', 'createExtensionSchema', createSchema('SERVICE')],
  ['POST', '/metadata/states/extensions', 'createExtensionSchema', createSchema('STATE')],
  ['POST', '/metadata/tasks/extensions', 'createExtensionSchema', createSchema('TASK')],
  ['GET', '/metadata/services/extensions', 'extensionSchemas', querySchemas('SERVICE')],
  ['GET', '/metadata/states/extensions', 'extensionSchemas', querySchemas('STATE')],
  ['GET', '/metadata/tasks/extensions', 'extensionSchemas', querySchemas('TASK')],
  ['GET', '/metadata/services/extensions/:name', 'extensionSchema', querySchema('SERVICE')],
  ['GET', '/metadata/states/extensions/:name', 'extensionSchema', querySchema('STATE')],
  ['GET', '/metadata/tasks/extensions/:name', 'extensionSchema', querySchema('TASK')],
];

const dialects: readonly Dialect[] = [
  { basePath: '', takesAttachedData: false, requiresServiceType: true },
  { basePath: '/genesys/1/cs', takesAttachedData: true, requiresServiceType: false },
];

/**
 * Adds the legacy API under both of its base paths, and the answer to every path that is none.
 * @throws Error for an operation that the table of roles lacks
 */
export function registerRest(server: FastifyInstance, gateway: Gateway, rows = legacyApi): void {
  const routes = dialects.flatMap((dialect) => rows.map((row) => routeOf(gateway, dialect, row)));
  server.register(async (rest) => {
    rest.setErrorHandler(answerError);
    for (const route of routes) rest.route(route);
    for (const dialect of dialects) refuseOtherMethods(rest, dialect, rows);
  });
  server.register(refuseUnknownPaths);
}

type Route = RouteOptions<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RestRoute
>;

/** Who may not call is told so before the body is read. */
function routeOf(gateway: Gateway, dialect: Dialect, [method, path, name, operation]: Row): Route {
  const checkRole = roleCheckOf(name);
  return {
    method,
    url: dialect.basePath + path,
    onRequest: async (request) => {
      const caller = await requestContext(gateway, request, 'REST');
      checkRole(caller.role);
      request.setDecorator('caller', caller);
    },
    handler: async (request, reply) => {
      const answer = await operation({ ...request.getDecorator<RequestContext>('caller'), dialect, request });
      reply.code(answer.status).headers(answer.headers ?? {});
      return answer.json === undefined ? reply.send() : reply.type('application/json').send(answer.json);
    },
  };
}

function refuseOtherMethods(rest: FastifyInstance, { basePath }: Dialect, rows: readonly Row[]): void {
  for (const path of new Set(rows.map(([, path]) => path))) {
    const methods = rows.filter((row) => row[1] === path).map(([method]) => method);
    const allowed: HTTPMethods[] = methods.flatMap((method) =>
      method === 'GET' ? ['GET', 'HEAD'] : [method],
    );
    const refuse = async (_request: FastifyRequest, reply: FastifyReply) => {
      reply.header('allow', allowed.join(', '));
      throw new MethodNotAllowed(`This path takes ${allowed.join(', ')} alone.`);
    };
    rest.route({
      method: rest.supportedMethods.filter(
        (method) => !allowed.includes(method as HTTPMethods),
      ) as HTTPMethods[],
      url: basePath + path,
      exposeHeadRoute: false,
      // Before the body is read: what is wrong with that does not matter here.
      onRequest: refuse,
      handler: refuse,
    });
  }
}

/** In a hook, before the body is read; the handler is never reached. */
async function refuseUnknownPaths(server: FastifyInstance): Promise<void> {
  const refuse = async () => {
    throw new NotFound('There is no such path.');
  };
  server.setErrorHandler(answerError);
  server.addHook('onRequest', refuse);
  server.setNotFoundHandler(refuse);
}
