import { sqlStateOf } from './db/failures.js';

export type LoggedError = {
  type: string;
  message: string;
  /** Of Node.js, of Prisma or of PostgreSQL. */
  code?: string;
  /** Where it arose, without the message that a stack begins with. */
  stack?: string;
  cause?: LoggedError;
};

/**
 * What may be logged of an error: none of its members, which hold details, parameters or whole
 * connections, and no message that quotes what a caller sent.
 */
export function describeError(error: unknown): LoggedError {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'Something that is no error was thrown.' };
  const { name: type, cause } = error;
  const code = codeOf(error);
  const frames = framesOf(error);
  return {
    type,
    message: isDiscreet(error) ? error.message : 'What it says may quote a value.',
    ...(code ? { code } : {}),
    ...(frames.length > 0 ? { stack: frames.join('\n') } : {}),
    ...(cause instanceof Error ? { cause: describeError(cause) } : {}),
  };
}

/**
 * The lines of the stack behind the message, of which any line can look like one of a stack. None where the
 * message is not there: it was another one when the stack was made.
 */
function framesOf({ message, stack = '' }: Error): string[] {
  const start = stack.indexOf(message);
  const behind = start < 0 ? '' : stack.slice(start + message.length);
  return behind.split('\n').filter((line) => /^\s+at .*\d\)?$/.test(line));
}

function codeOf(error: Error): string | undefined {
  const code: unknown = sqlStateOf(error) || Reflect.get(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/**
 * PostgreSQL quotes values where it refuses them (class 22) and in what SQL itself raises (P0); elsewhere its
 * messages name tables, columns and conditions. Prisma quotes the whole call, a parser of JSON its text, GraphQL
 * its document.
 */
function isDiscreet(error: Error): boolean {
  const sqlState = sqlStateOf(error);
  if (/^[0-9A-Z]{5}$/.test(sqlState) && /\d/.test(sqlState)) return !/^(22|P0)/.test(sqlState);
  if (error.name.startsWith('PrismaClient')) return /^P(1\d{3}|20(24|28|34))$/.test(codeOf(error) ?? '');
  return !(error instanceof SyntaxError || error.name === 'GraphQLError');
}
