import type { FastifyRequest } from 'fastify';
import { OutcomeUnknown, Unavailable } from './errors.js';

export type Timeouts = {
  /** Of a whole request, from its first byte to its answer. */
  requestSeconds: number;
  /** Of one statement, which PostgreSQL ends by itself. */
  statementSeconds: number;
};

/** What Fastify ends since it took too long, as the failure that it is to the caller; undefined for other errors. */
export function asTimedOut(
  error: unknown,
  { method }: Pick<FastifyRequest, 'method'>,
): Unavailable | undefined {
  const isTimeout = error instanceof Error && Reflect.get(error, 'code') === 'FST_ERR_HANDLER_TIMEOUT';
  if (!isTimeout) return undefined;
  return ['GET', 'HEAD'].includes(method)
    ? new Unavailable('The call has taken too long.', { cause: error })
    : new OutcomeUnknown('The call has taken too long: a change may or may not have been made.', {
        cause: error,
      });
}

/** As long as timers of Node.js can be: for answers that take as long as who reads them. */
export const longestMilliseconds = 2 ** 31 - 1;
