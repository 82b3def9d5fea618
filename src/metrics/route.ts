import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import type { Authenticator } from '../auth/authenticator.js';
import { Newest } from '../call-counters.js';
import { asUnavailable } from '../db/failures.js';
import { Forbidden, Unavailable } from '../errors.js';
import { serveAlone } from '../probes.js';
import type { MetricsAccess } from './metrics.js';

export type MetricsRouteOptions = {
  access: MetricsAccess;
  registries: readonly Registry[];
  authenticator: Authenticator;
};

/** How long those who were let in before may go on while credentials cannot be looked up. */
const trustMilliseconds = 60 * 60 * 1_000;

/**
 * Serves `/metrics`, past the admission, so that it can be seen how many calls are refused. What they tell is of
 * all tenants, and takes credentials for all of them where calls need any.
 */
export function registerMetrics(
  server: FastifyInstance,
  { access, registries, authenticator }: MetricsRouteOptions,
): void {
  if (access === 'off') return;
  const door = new Door(authenticator);
  serveAlone(server, '/metrics', {
    config: { isAlwaysAdmitted: true },
    handler: async (request, reply) => {
      if (access !== 'open') await door.pass(request.headers.authorization);
      const texts = await Promise.all(registries.map((registry) => registry.metrics()));
      return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(texts.join(''));
    },
  });
}

/** Lets whoever it has let in go on while the database is away, which is when the metrics are looked at. */
class Door {
  readonly #authenticator: Authenticator;
  /** Until when, by the hash of what they said. */
  readonly #trusted = new Newest<number>();

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
  }

  /** @throws Unauthenticated, Forbidden, Unavailable */
  async pass(authorization: string | undefined): Promise<void> {
    const said = createHash('sha256')
      .update(authorization ?? '')
      .digest('base64');
    try {
      const { tenants } = await this.#authenticator.identify(authorization);
      if (tenants !== 'all') throw new Forbidden('The metrics take credentials for all tenants.');
      this.#trusted.keep(said, performance.now() + trustMilliseconds);
    } catch (error) {
      const isAway = error instanceof Unavailable || asUnavailable(error) !== undefined;
      if (isAway && performance.now() < (this.#trusted.find(said) ?? 0)) return;
      if (!isAway) this.#trusted.keep(said, 0);
      throw error;
    }
  }
}
