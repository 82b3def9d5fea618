import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { type Gateway, requestContext } from '../context.js';
import { NotFound } from '../errors.js';
import type { Dialect, Operation, RestRoute } from './call.js';
import { createSchema, querySchema, querySchemas } from './extension-schemas.js';
import { answerError, MethodNotAllowed } from './problem.js';
import { associate, complete, queryAnonymous, queryById, queryOfCustomer, start, undo } from './services.js';

/** The legacy API (legacy contract, operations). */
const operations: readonly [method: 'GET' | 'POST', path: string, operation: Operation][] = [
  ['POST', '/services/start', start],
  ['POST', '/customers/:customer_id/services/:service_id', associate],
  ['POST', '/services/:service_id/end', complete],
  ['POST', '/services/:service_id/associations/undo', undo],
  ['GET', '/services/:service_id', queryById],
  ['GET', '/customers/:customer_id/services', queryOfCustomer()],
  ['GET', '/customers/:customer_id/services/active', queryOfCustomer('ACTIVE')],
  ['GET', '/customers/:customer_id/services/completed', queryOfCustomer('COMPLETED')],
  ['GET', '/services/anonymous/:contact_key', queryAnonymous()],
  ['GET', '/services/anonymous/:contact_key/active', queryAnonymous('ACTIVE')],
  ['GET', '/services/anonymous/:contact_key/completed', queryAnonymous('COMPLETED')],
  ['POST', '/metadata/services/extensions', createSchema('SERVICE')],
  ['POST', '/metadata/states/extensions', createSchema('STATE')],
  ['POST', '/metadata/tasks/extensions', createSchema('TASK')],
  ['GET', '/metadata/services/extensions', querySchemas('SERVICE')],
  ['GET', '/metadata/states/extensions', querySchemas('STATE')],
  ['GET', '/metadata/tasks/extensions', querySchemas('TASK')],
  ['GET', '/metadata/services/extensions/:name', querySchema('SERVICE')],
  ['GET', '/metadata/states/extensions/:name', querySchema('STATE')],
  ['GET', '/metadata/tasks/extensions/:name', querySchema('TASK')],
];

const dialects: readonly Dialect[] = [
  { basePath: '', takesAttachedData: false, requiresServiceType: true },
  { basePath: '/genesys/1/cs', takesAttachedData: true, requiresServiceType: false },
];

/** Adds the legacy API under both of its base paths, and the answer to every path that is none. */
export function registerRest(server: FastifyInstance, gateway: Gateway): void {
  server.register(async (rest) => {
    rest.setErrorHandler(answerError);
    for (const dialect of dialects) {
      for (const [method, path, operation] of operations) {
        rest.route<RestRoute>({
          method,
          url: dialect.basePath + path,
          handler: async (request, reply) => {
            const answer = await operation({ ...requestContext(gateway, request, 'REST'), dialect, request });
            reply.code(answer.status).headers(answer.headers ?? {});
            return answer.json === undefined
              ? reply.send()
              : reply.type('application/json').send(answer.json);
          },
        });
      }
      refuseOtherMethods(rest, dialect);
    }
  });
  server.register(refuseUnknownPaths);
}

function refuseOtherMethods(rest: FastifyInstance, { basePath }: Dialect): void {
  for (const path of new Set(operations.map(([, path]) => path))) {
    const methods = operations.filter((operation) => operation[1] === path).map(([method]) => method);
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
