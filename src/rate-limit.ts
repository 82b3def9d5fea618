import { createHash } from 'node:crypto';
import rateLimit, { type FastifyRateLimitStore, normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticator } from './auth/authenticator.js';
import { CallCounters, Newest } from './call-counters.js';
import { DomainError, RateLimited } from './errors.js';

/** How often each caller may call this gateway. */
export type RateLimit = { calls: number; windowSeconds: number };

type Call = Pick<FastifyRequest, 'headers' | 'ip'>;

/**
 * Counts every request, whatever it asks for, and refuses those beyond the limit. What is no request that any
 * operation could see is not counted: to answer it costs no more than to refuse it.
 */
export async function limitRate(server: FastifyInstance, callers: Callers): Promise<void> {
  await server.register(rateLimit, {
    global: false,
    max: callers.limit.calls,
    timeWindow: callers.limit.windowSeconds * 1000,
    store: class implements FastifyRateLimitStore {
      incr: FastifyRateLimitStore['incr'] = (caller, done) => {
        const { count: current, millisecondsLeft: ttl } = callers.add(caller);
        done(null, { current, ttl });
      };
      child = () => this;
    },
    enableDraftSpec: true,
    keyGenerator: (request) => callers.find(request),
    errorResponseBuilder: () => callers.refusal(),
  });
  const count = server.rateLimit();
  server.addHook('onRequest', async function (request, reply) {
    if (!request.routeOptions.config.isProbe) await count.call(this, request, reply);
  });
}

const ofAddress = 'address:';

/**
 * Who has credentials that hold is counted by them, all others by their address: made-up ones buy nothing,
 * and however many addresses come, they push out no count of a key.
 */
export class Callers {
  readonly limit: RateLimit;
  readonly #authenticator: Authenticator;
  readonly #addresses: CallCounters;
  readonly #principals: CallCounters;
  /** Whose credentials are that held once, by their hash: those who are over the limit cost no more checks. */
  readonly #known = new Newest<string>();

  constructor(authenticator: Authenticator, limit: RateLimit) {
    this.limit = limit;
    this.#authenticator = authenticator;
    this.#addresses = new CallCounters(limit.windowSeconds * 1000);
    this.#principals = new CallCounters(limit.windowSeconds * 1000);
  }

  /** For a call that is no request of its own. @throws RateLimited */
  async count(call: Call): Promise<void> {
    const { count } = this.add(await this.find(call));
    if (count > this.limit.calls) throw this.refusal();
  }

  refusal(): RateLimited {
    const { calls, windowSeconds } = this.limit;
    return new RateLimited(`Too many calls: at most ${calls} in ${windowSeconds} s are allowed.`);
  }

  add(caller: string): { count: number; millisecondsLeft: number } {
    return (caller.startsWith(ofAddress) ? this.#addresses : this.#principals).add(caller);
  }

  /** Credentials that are not known yet are checked for an address only that is not over the limit itself. */
  async find({ headers: { authorization }, ip }: Call): Promise<string> {
    const address = ofAddress + normalizeIP(ip, 64);
    if (authorization === undefined) return address;
    const hash = createHash('sha256').update(authorization).digest('base64');
    const known = this.#known.find(hash);
    if (known !== undefined) return known;
    if (this.#addresses.count(address) >= this.limit.calls) return address;
    const principal = await this.#identify(authorization);
    if (principal === null) return address;
    this.#known.keep(hash, principal);
    return principal;
  }

  async #identify(authorization: string): Promise<string | null> {
    try {
      return (await this.#authenticator.identify(authorization)).principal;
    } catch (error) {
      // What is wrong with them is told by the operation.
      if (error instanceof DomainError) return null;
      throw error;
    }
  }
}
