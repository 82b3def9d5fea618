import { Unavailable } from '../errors.js';

/**
 * Deadlock, serialization failure, or a business attribute that came or went while its mapping did:
 * nothing was done, the same statement may be sent again.
 */
export function isRetryable(error: unknown): boolean {
  const { sqlState, message } = describe(error);
  return (
    ['40P01', '40001'].includes(sqlState) ||
    // Of a foreign key, and of its RESTRICT since PostgreSQL 18.
    (['23503', '23001'].includes(sqlState) && message.includes('"field_mapping_tenant_attribute_key_fkey"'))
  );
}

/** Another transaction holds a row for too long; nothing was done. */
export function isLockTimeout(error: unknown): boolean {
  return describe(error).sqlState === '55P03';
}

/** Whether a unique index refused a row, by the name of the index. */
export function violates(error: unknown, index: string): boolean {
  const { sqlState, message } = describe(error);
  return sqlState === '23505' && message.includes(`"${index}"`);
}

/** PostgreSQL itself said no: nothing was done. It has a digit in every code, unlike EPIPE. */
export function wasRefused(error: unknown): boolean {
  const { sqlState } = describe(error);
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(sqlState) && !ofBrokenConnection.test(sqlState);
}

/** There was no connection to send a statement by. */
export function wasNotSent(error: unknown): boolean {
  const { kind, message } = describe(error);
  return ['DatabaseNotReachable', 'TooManyConnections'].includes(kind) || noConnection.test(message);
}

/** PostgreSQL's or the driver's code for it, empty where there is none. */
export function sqlStateOf(error: unknown): string {
  return describe(error).sqlState;
}

const ofBrokenConnection = /^(08|57P0[12])/;
const noConnection =
  /timeout exceeded when trying to connect|Connection terminated due to connection timeout/;

function isBroken(error: unknown): boolean {
  const { sqlState, kind, message } = describe(error);
  return (
    ofBrokenConnection.test(sqlState) ||
    ['ConnectionClosed', 'SocketTimeout'].includes(kind) ||
    /^Connection terminated( unexpectedly)?$|^Query read timeout$|EPIPE|Client has encountered a connection error/.test(
      message,
    )
  );
}

/** `Unavailable` when the failure is the database's state and not the statement's fault. */
export function asUnavailable(error: unknown): Unavailable | undefined {
  const { sqlState } = describe(error);
  const isDown =
    isBroken(error) ||
    wasNotSent(error) ||
    isRetryable(error) ||
    isLockTimeout(error) ||
    // Resources, start-up and shutdown, read-only, statement time-out.
    /^(53|57P|25006|57014)/.test(sqlState);
  return isDown ? new Unavailable('The database is not available.', { cause: error }) : undefined;
}

type Failure = { sqlState: string; kind: string; message: string };

/** What the driver said, below what Prisma's adapter made of it (which has no stable public type). */
function describe(error: unknown): Failure {
  const cause = member(member(member(error, 'meta'), 'driverAdapterError'), 'cause') ?? error;
  return {
    sqlState: text(member(cause, 'originalCode') ?? member(cause, 'code')),
    kind: text(member(cause, 'kind')),
    message: error instanceof Error ? error.message : '',
  };
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
