import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticator } from './auth/authenticator.js';
import { DomainError, RateLimited } from './errors.js';

/** How often each caller may call this gateway. */
export type RateLimit = { calls: number; windowSeconds: number };

/** More callers than that within one window share what the oldest of them leave. */
const mostCallers = 10_000;

/** Counts every call, whatever it asks for, and refuses those beyond the limit. */
export async function limitRate(
  server: FastifyInstance,
  authenticator: Authenticator,
  { calls, windowSeconds }: RateLimit,
): Promise<void> {
  await server.register(rateLimit, {
    global: false,
    max: calls,
    timeWindow: windowSeconds * 1000,
    cache: mostCallers,
    enableDraftSpec: true,
    keyGenerator: (request) => callerOf(authenticator, request),
    errorResponseBuilder: () =>
      new RateLimited(`Too many calls: at most ${calls} in ${windowSeconds} s are allowed.`),
  });
  server.addHook('onRequest', server.rateLimit());
}

/** Who has credentials that hold is counted by them, all others by their address: made-up ones buy nothing. */
async function callerOf(
  authenticator: Authenticator,
  { headers: { authorization }, ip }: FastifyRequest,
): Promise<string> {
  try {
    return (await authenticator.identify(authorization)).principal ?? ip;
  } catch (error) {
    // What is wrong with them is told by the operation.
    if (error instanceof DomainError) return ip;
    throw error;
  }
}
