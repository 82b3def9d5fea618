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

/** There was no connection to send a statement by: nothing was done. */
export class NotConnected extends Error {
  override name = 'NotConnected';
}

/** The connection went, or said nothing any more, before PostgreSQL answered. */
export class ConnectionBroken extends Error {
  override name = 'ConnectionBroken';
}

/** Another transaction holds a row for too long; nothing was done. */
export function isLockTimeout(error: unknown): boolean {
  return describe(error).sqlState === '55P03';
}

/** Whether what is wrong is the statement and what others do at the same time: its connection is as good as before. */
export function isOfStatement(error: unknown): boolean {
  return /^(22|23|40|55P03)/.test(describe(error).sqlState);
}

/** Whether a unique index refused a row, by the name of the index. */
export function violates(error: unknown, index: string): boolean {
  const { sqlState, message } = describe(error);
  return sqlState === '23505' && message.includes(`"${index}"`);
}

/**
 * PostgreSQL itself said no: nothing was done. It has a digit in every code, unlike EPIPE. When it panics, as
 * it does where its log cannot be written, a commit may be in that log and be found there at the next start.
 */
export function wasRefused(error: unknown): boolean {
  const { sqlState, severity } = describe(error);
  const isAnswer = /^(?=.*\d)[0-9A-Z]{5}$/.test(sqlState) && !ofBrokenConnection.test(sqlState);
  return isAnswer && severity !== 'PANIC';
}

/** There was no connection to send a statement by. */
export function wasNotSent(error: unknown): boolean {
  if (error instanceof NotConnected) return true;
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
  if (error instanceof ConnectionBroken) return true;
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
    // Resources, start-up and shutdown, disks that fail, read-only, statement time-out.
    /^(53|57P|58|25006|57014)/.test(sqlState);
  return isDown ? new Unavailable('The database is not available.', { cause: error }) : undefined;
}

type Failure = { sqlState: string; kind: string; severity: string; message: string };

/** What the driver said, below what Prisma's adapter made of it (which has no stable public type). */
function describe(error: unknown): Failure {
  const cause = member(member(member(error, 'meta'), 'driverAdapterError'), 'cause') ?? error;
  return {
    sqlState: text(member(cause, 'originalCode') ?? member(cause, 'code')),
    kind: text(member(cause, 'kind')),
    severity: text(member(cause, 'severity')),
    message: error instanceof Error ? error.message : '',
  };
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
