import { OutcomeUnknown, Unavailable } from '../errors.js';
import { Prisma } from '../generated/prisma/client.js';

/**
 * Deadlock, serialization failure, or a business attribute that came or went while its mapping did:
 * nothing was done, the same statement may be sent again.
 */
export function isRetryable(error: unknown): boolean {
  const { sqlState, constraint } = describe(error);
  return (
    ['40P01', '40001'].includes(sqlState) ||
    // Of a foreign key, and of its RESTRICT since PostgreSQL 18.
    (['23503', '23001'].includes(sqlState) && constraint === 'field_mapping_tenant_attribute_key_fkey')
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
  const { sqlState, constraint } = describe(error);
  return sqlState === '23505' && constraint === index;
}

/**
 * PostgreSQL itself said no: nothing was done. It has a digit in every code, unlike EPIPE. When it panics, as
 * it does where its log cannot be written, a commit may be in that log and be found there at the next start.
 * The driver has the severity in the server's language alone: what is no ERROR may be a panic.
 */
export function wasRefused(error: unknown): boolean {
  const { sqlState, severity } = describe(error);
  const isAnswer = /^(?=.*\d)[0-9A-Z]{5}$/.test(sqlState) && !ofBrokenConnection.test(sqlState);
  return isAnswer && (severity === 'ERROR' || !ofPanic.test(sqlState));
}

/** There was no connection to send a statement by. */
export function wasNotSent(error: unknown): boolean {
  if (error instanceof NotConnected) return true;
  const { kind, message } = describe(error);
  return (
    ['DatabaseNotReachable', 'TlsConnectionError', 'TooManyConnections'].includes(kind) ||
    ofConnecting.test(message) ||
    // What the addresses of a host all say has no message.
    ['ECONNREFUSED', 'ENOENT'].includes(systemCodeOf(error))
  );
}

/** PostgreSQL's or the driver's code for it, empty where there is none. */
export function sqlStateOf(error: unknown): string {
  return describe(error).sqlState;
}

const ofBrokenConnection = /^(08|57P0[12])/;
const ofPanic = /^(53|58|XX)/;
/** The driver's, or the system's in a line of its own. */
const ofConnecting =
  /timeout exceeded when trying to connect|Connection terminated due to connection timeout|^(connect|getaddrinfo) E[A-Z]/m;

function isBroken(error: unknown): boolean {
  if (error instanceof ConnectionBroken) return true;
  const { sqlState, kind, message } = describe(error);
  return (
    ofBrokenConnection.test(sqlState) ||
    systemCodeOf(error) !== '' ||
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
    // Who is not let in, resources, start-up and shutdown, disks that fail, read-only, statement time-out.
    /^(28|3D000|53|57P|58|25006|57014)/.test(sqlState);
  return isDown ? new Unavailable('The database is not available.', { cause: error }) : undefined;
}

/**
 * Goes on behind an act that is done, for its answer or with what is left: what fails then says nothing of that.
 * @throws OutcomeUnknown where the database is not available for it
 */
export async function afterAct<T>(goOn: () => Promise<T>): Promise<T> {
  try {
    return await goOn();
  } catch (error) {
    if (!asUnavailable(error)) throw error;
    throw new OutcomeUnknown(brokenOff, { cause: error });
  }
}

/** To whom an act cannot be answered in full. */
export const brokenOff = 'The call could not be done to its end: a change may or may not have been made.';

/** The system's code where a connection was not made or broke; empty for other failures, like those of files. */
function systemCodeOf(error: unknown): string {
  const isOfConnection =
    // What the adapter does not know goes through Prisma with no more than its code and its message.
    error instanceof Prisma.PrismaClientKnownRequestError ||
    error instanceof AggregateError ||
    (error instanceof Error && ofConnecting.test(error.message));
  const code = isOfConnection ? text(member(error, 'code')) : '';
  return /^E(?!RR_)[A-Z_]+$|^ERR_(SSL|TLS|SOCKET|STREAM)_/.test(code) ? code : '';
}

type Failure = { sqlState: string; kind: string; severity: string; constraint: string; message: string };

/** What the driver said, below what Prisma's adapter made of it (which has no stable public type). */
function describe(error: unknown): Failure {
  const cause = member(member(member(error, 'meta'), 'driverAdapterError'), 'cause') ?? error;
  const constraint = member(cause, 'constraint');
  return {
    sqlState: text(member(cause, 'originalCode') ?? member(cause, 'code')),
    kind: text(member(cause, 'kind')),
    severity: text(member(cause, 'severity')),
    constraint: text(member(constraint, 'index') ?? constraint),
    message: error instanceof Error ? error.message : '',
  };
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
