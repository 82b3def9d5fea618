import { type DestinationStream, type Logger, pino } from 'pino';
import { describeError } from './logged-errors.js';

export type { Logger };

/**
 * JSON lines, on standard output unless said otherwise. Statements are logged at `trace`, without their
 * parameters; errors without the values that they quote.
 */
export function createLogger(level: string, destination: DestinationStream = pino.destination(1)): Logger {
  return pino({ level, base: null, serializers: { err: describeError } }, destination);
}
