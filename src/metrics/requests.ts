import type { FastifyRequest, onResponseHookHandler } from 'fastify';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Admission } from '../admission.js';
import { addHistogram, type Series, secondsBounds } from './histogram.js';

/** What routes are called that there are not: whoever asks for those makes no series. */
const noRoute = 'none';

/**
 * Measures every call that a route or the lack of one has answered, by the route's template, and counts what
 * calls fail with by the code that their callers see.
 */
export function measureRequests(registry: Registry): onResponseHookHandler {
  const addSeries = addHistogram(registry, {
    name: 'gateway_http_request_duration_seconds',
    help: 'Time from the headers of a call to the end of its answer, by method, route and status.',
    bounds: secondsBounds,
  });
  const failures = new Counter({
    name: 'gateway_errors_total',
    help: 'Calls that failed, by front (graphql or rest) and by the code that the caller sees.',
    labelNames: ['front', 'code'] as const,
    registers: [registry],
  });
  /** By route, then by method and status. */
  const routes = new Map<string, Map<string, Series>>();
  const seriesOf = (route: string, method: string, status: number) => {
    const known = routes.get(route) ?? new Map<string, Series>();
    routes.set(route, known);
    const series = known.get(method + status) ?? addSeries({ method, route, status: String(status) });
    known.set(method + status, series);
    return series;
  };
  return (request, reply, done) => {
    const route = routeOf(request);
    seriesOf(route, request.method, reply.statusCode).observe(reply.elapsedTime / 1_000);
    const { failure } = request;
    if (failure) failures.inc({ front: route === '/graphql' ? 'graphql' : 'rest', code: failure });
    done();
  };
}

function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? noRoute;
}

/** What is in flight is known to the admission. */
export function measureAdmission(registry: Registry, admission: Admission): void {
  new Gauge({
    name: 'gateway_requests_in_flight',
    help: 'Calls that were let in and are not done yet.',
    registers: [registry],
    collect() {
      this.set(admission.inFlight);
    },
  });
  new Counter({
    name: 'gateway_requests_refused_total',
    help: 'Calls that were refused since more were in flight than can be served in time.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(admission.refusedInAll);
    },
  });
  new Counter({
    name: 'gateway_requests_abandoned_total',
    help: 'Calls whose callers had gone when they were done. They have no duration: nothing was answered.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(admission.abandonedInAll);
    },
  });
}
