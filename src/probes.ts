import type { FastifyInstance, HTTPMethods, RouteHandlerMethod } from 'fastify';
import type { Readiness } from './readiness.js';
import { answerError, MethodNotAllowed } from './rest/problem.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether it is answered however many calls there are. */
    isAlwaysAdmitted?: boolean;
    /** Whether it is answered to everybody, however often: it tells nothing, and costs nothing. */
    isProbe?: boolean;
  }
}

const probe = { isAlwaysAdmitted: true, isProbe: true };

/**
 * Serves `/health`, for whoever restarts what does not answer, and `/ready`, for whoever sends calls to where
 * they are served. Neither asks who calls.
 */
export function registerProbes(server: FastifyInstance, readiness: Readiness): void {
  serveAlone(server, '/health', {
    config: probe,
    handler: (_, reply) => reply.type('application/json').send('{"status":"ok"}'),
  });
  serveAlone(server, '/ready', {
    config: probe,
    handler: async (_, reply) => {
      const report = await readiness.check();
      return reply.code(report.status === 'ready' ? 200 : 503).send(report);
    },
  });
}

type Served = { config: { isAlwaysAdmitted?: boolean; isProbe?: boolean }; handler: RouteHandlerMethod };

/** A path that takes GET and HEAD, and nothing else. */
export function serveAlone(server: FastifyInstance, url: string, { config, handler }: Served): void {
  const others: HTTPMethods[] = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  server.register(async (scope) => {
    scope.setErrorHandler(answerError);
    scope.route({ method: 'GET', url, config, handler });
    scope.route({
      method: others,
      url,
      config,
      onRequest: async (_, reply) => {
        reply.header('allow', 'GET, HEAD');
        throw new MethodNotAllowed('This path takes GET, HEAD alone.');
      },
      handler,
    });
  });
}
