import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard output. Statements are logged at `trace`, without their parameters. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null });
}
