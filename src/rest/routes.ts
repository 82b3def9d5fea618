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
import type { ExtensionScope } from '../generated/prisma/client.js';
import { queryBusinessAttribute, queryBusinessAttributes } from './business-attributes.js';
import { callOf, type Dialect, type Operation, type RestRoute } from './call.js';
import { start as compositeStart } from './composite-starts.js';
import { queryEvents } from './events.js';
import { exportServices } from './export.js';
import { createSchema, querySchema, querySchemas } from './extension-schemas.js';
import { write } from './extensions.js';
import { answerError, MethodNotAllowed } from './problem.js';
import { cancelPurging, purge, queryPurge } from './purges.js';
import { queryServer, setMode } from './server.js';
import {
  associate,
  complete,
  queryAnonymous,
  queryById,
  queryOfCustomer,
  remove,
  setExpiry,
  start,
  undo,
} from './services.js';
import * as states from './states.js';
import { sendStream } from './streams.js';
import * as tasks from './tasks.js';

export type Row = readonly [
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  name: OperationName,
  operation: Operation,
  /** The one base path that has the operation; without it both have. */
  only?: Dialect['basePath'],
];

const bare = '';
export const base85 = '/genesys/1/cs';

/** What is done to extensions, of services, states and tasks alike. */
function extensionRows(path: string, scope: ExtensionScope): readonly Row[] {
  const merge = write({ scope, revision: 'MERGE' });
  const update = write({ scope, revision: 'UPDATE_RECORD' });
  const remove = write({ scope, revision: 'DELETE_RECORD' });
  return [
    ['PUT', path, 'setExtension', write({ scope })],
    ['PUT', `${path}/merge`, 'mergeExtension', merge, base85],
    ['PUT', `${path}/by/unique`, 'updateExtensionRecord', update, bare],
    ['PUT', `${path}/delete/by/unique`, 'deleteExtensionRecord', remove, bare],
  ];
}

/** The legacy API (legacy contract, operations); the names are those of the table of roles. */
export const legacyApi: readonly Row[] = [
  ['POST', '/services/start', 'startService', start],
  ['POST', '/customers/:customer_id/services/:service_id', 'associateService', associate],
  ['POST', '/services/:service_id/end', 'completeService', complete],
  ['POST', '/services/:service_id/associations/undo', 'undoAssociation', undo],
  ['POST', '/services_composite/start', 'startComposite', compositeStart, base85],
  ['GET', '/services/:service_id', 'service', queryById],
  ['PUT', '/services/:service_id', 'setServiceExpiry', setExpiry, base85],
  ['DELETE', '/services/:service_id', 'deleteService', remove, base85],
  ['GET', '/customers/:customer_id/services', 'customer', queryOfCustomer()],
  ['GET', '/customers/:customer_id/services/active', 'customer', queryOfCustomer('ACTIVE')],
  ['GET', '/customers/:customer_id/services/completed', 'customer', queryOfCustomer('COMPLETED')],
  ['GET', '/services/anonymous/:contact_key', 'anonymousServices', queryAnonymous()],
  ['GET', '/services/anonymous/:contact_key/active', 'anonymousServices', queryAnonymous('ACTIVE')],
  ['GET', '/services/anonymous/:contact_key/completed', 'anonymousServices', queryAnonymous('COMPLETED')],
  ...extensionRows('/services/:service_id/extensions/:name', 'SERVICE'),
  ['POST', '/services/:service_id/states/start', 'startState', states.start],
  ['POST', '/services/:service_id/states/transition', 'transitionState', states.transition],
  ['POST', '/services/:service_id/states/:state_id/end', 'completeState', states.complete],
  ['GET', '/services/:service_id/states', 'service', states.queryOfService()],
  ['GET', '/services/:service_id/states/active', 'service', states.queryOfService('ACTIVE')],
  ['GET', '/services/:service_id/states/completed', 'service', states.queryOfService('COMPLETED')],
  ['GET', '/services/:service_id/states/:state_id', 'state', states.queryById],
  ...extensionRows('/services/:service_id/states/:state_id/extensions/:name', 'STATE'),
  ['POST', '/services/:service_id/tasks/start', 'startTask', tasks.start],
  ['POST', '/services/:service_id/tasks/:task_id/end', 'completeTask', tasks.complete],
  ['GET', '/services/:service_id/tasks', 'service', tasks.queryOfService()],
  ['GET', '/services/:service_id/tasks/active', 'service', tasks.queryOfService('ACTIVE')],
  ['GET', '/services/:service_id/tasks/completed', 'service', tasks.queryOfService('COMPLETED')],
  ['GET', '/services/:service_id/tasks/:task_id', 'task', tasks.queryById],
  ...extensionRows('/services/:service_id/tasks/:task_id/extensions/:name', 'TASK'),
  ['POST', '/metadata/services/extensions', 'createExtensionSchema', createSchema('SERVICE')],
  ['POST', '/metadata/states/extensions', 'createExtensionSchema', createSchema('STATE')],
  ['POST', '/metadata/tasks/extensions', 'createExtensionSchema', createSchema('TASK')],
  ['GET', '/metadata/services/extensions', 'extensionSchemas', querySchemas('SERVICE')],
  ['GET', '/metadata/states/extensions', 'extensionSchemas', querySchemas('STATE')],
  ['GET', '/metadata/tasks/extensions', 'extensionSchemas', querySchemas('TASK')],
  ['GET', '/metadata/services/extensions/:name', 'extensionSchema', querySchema('SERVICE')],
  ['GET', '/metadata/states/extensions/:name', 'extensionSchema', querySchema('STATE')],
  ['GET', '/metadata/tasks/extensions/:name', 'extensionSchema', querySchema('TASK')],
  ['GET', '/metadata/business-attributes', 'businessAttributes', queryBusinessAttributes],
  ['GET', '/metadata/business-attributes/:name', 'businessAttribute', queryBusinessAttribute],
  ['POST', '/maintenance/purge', 'purgeServices', purge, base85],
  ['GET', '/maintenance/purge/:purge_id', 'purge', queryPurge, base85],
  ['POST', '/maintenance/purge/:purge_id/cancel', 'cancelPurge', cancelPurging, base85],
  ['GET', '/maintenance/services/stream', 'exportServices', exportServices, base85],
  ['GET', '/events', 'events', queryEvents],
  ['GET', '/server/status', 'server', queryServer],
  ['POST', '/server/mode', 'setServerMode', setMode],
];

/** Of 8.0 and 8.1. */
export const bareDialect: Dialect = {
  basePath: bare,
  takesAttachedData: false,
  requiresType: true,
  updateStatus: 204,
};

export const dialects: readonly Dialect[] = [
  bareDialect,
  { basePath: base85, takesAttachedData: true, requiresType: false, updateStatus: 200 },
];

/**
 * Adds the legacy API under both of its base paths, and the answer to every path that is none.
 * @throws Error for an operation that the table of roles lacks
 */
export function registerRest(server: FastifyInstance, gateway: Gateway, rows = legacyApi): void {
  const routes = dialects.flatMap((dialect) =>
    rowsOf(dialect, rows).map((row) => routeOf(gateway, dialect, row)),
  );
  server.register(async (rest) => {
    rest.setErrorHandler(answerError);
    for (const route of routes) rest.route(route);
    for (const dialect of dialects) refuseOtherMethods(rest, dialect, rows);
  });
  server.register(refuseUnknownPaths);
}

export function rowsOf({ basePath }: Pick<Dialect, 'basePath'>, rows = legacyApi): readonly Row[] {
  return rows.filter(([, , , , only]) => only === undefined || only === basePath);
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
    config: { isEndless: name === 'exportServices' },
    onRequest: async (request) => {
      const caller = await requestContext(gateway, request, 'REST');
      checkRole(caller);
      request.setDecorator('caller', caller);
    },
    handler: async (request, reply) => {
      const answer = await operation(
        callOf(request.getDecorator<RequestContext>('caller'), dialect, request),
      );
      reply.code(answer.status).headers(answer.headers ?? {});
      // Kept by the caller alone, and asked for each time.
      if (answer.headers?.['etag']) reply.header('cache-control', 'private, no-cache');
      if (answer.stream) return sendStream(answer.stream, request, reply);
      return answer.json === undefined
        ? reply.send()
        : reply.type(answer.type ?? 'application/json').send(answer.json);
    },
  };
}

function refuseOtherMethods(rest: FastifyInstance, dialect: Dialect, rows: readonly Row[]): void {
  const own = rowsOf(dialect, rows);
  const methodsOf = (path: string, among: readonly Row[]): string[] =>
    among.filter((row) => row[1] === path).map(([method]) => method);
  for (const path of new Set(own.map(([, path]) => path))) {
    const allowed = methodsOf(path, own).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    // What the other generation has there is unknown to this one (legacy contract, dialects).
    const foreign = methodsOf(path, rows).filter((method) => !allowed.includes(method));
    const others = rest.supportedMethods.filter((method) => ![...allowed, ...foreign].includes(method));
    refuseAt(rest, dialect.basePath + path, foreign, () => new NotFound('There is no such operation here.'));
    refuseAs(rest, dialect.basePath + path, others, allowed);
  }
}

/** Answers to every other method what the path takes. */
export function takeAlone(rest: FastifyInstance, url: string, allowed: readonly string[]): void {
  const others = rest.supportedMethods.filter((method) => !allowed.includes(method));
  refuseAs(rest, url, others, allowed);
}

function refuseAs(
  rest: FastifyInstance,
  url: string,
  methods: readonly string[],
  allowed: readonly string[],
): void {
  refuseAt(rest, url, methods, (reply) => {
    reply.header('allow', allowed.join(', '));
    return new MethodNotAllowed(`This path takes ${allowed.join(', ')} alone.`);
  });
}

/** Before the body is read: what is wrong with that does not matter here. */
function refuseAt(
  rest: FastifyInstance,
  url: string,
  methods: readonly string[],
  refusal: (reply: FastifyReply) => Error,
): void {
  if (methods.length === 0) return;
  const refuse = async (_request: FastifyRequest, reply: FastifyReply) => {
    throw refusal(reply);
  };
  // Taken from those that Fastify supports.
  const method = methods as HTTPMethods[];
  rest.route({ method, url, exposeHeadRoute: false, onRequest: refuse, handler: refuse });
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
