import type { SentStatement } from './db/observer.js';
import type { Logger } from './logger.js';
import { namesOf } from './trace-context.js';

/** Of a batch as many calls are named; the rest of them waited for the same. */
const mostCalls = 10;

/**
 * Logs statements that take longer: their texts, which are the gateway's own, and never their parameters. The
 * calls that they are for are named where those are known, which they are not where Prisma's client asks.
 */
export function logSlowStatements(
  logger: Logger,
  slowMilliseconds: number,
): (statement: SentStatement) => void {
  return ({ text: statement, milliseconds, rows, commands, traces }) => {
    if (milliseconds < slowMilliseconds) return;
    const calls = traces.map(namesOf);
    const [call] = calls;
    logger.warn(
      {
        ...(calls.length === 1 ? call : {}),
        ...{ statement, milliseconds: Math.round(milliseconds) },
        ...(rows === null ? {} : { rows }),
        ...(commands === null ? {} : { commands }),
        ...(calls.length > 1 ? { calls: calls.slice(0, mostCalls) } : {}),
      },
      'slow statement',
    );
  };
}
