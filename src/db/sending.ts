import pg from 'pg';
import type { Logger } from '../logger.js';
import type { Trace } from '../trace-context.js';
import type { Statement } from './batches.js';
import { ConnectionBroken, isOfStatement, NotConnected } from './failures.js';
import type { DatabaseObserver } from './observer.js';
import type { StatementNames } from './statement-names.js';

/** Sends one statement, for the calls that are given, and answers its rows. */
export type Send = <Row>(statement: Statement, traces?: readonly Trace[]) => Promise<Row[]>;

export type SendingOptions = { names: StatementNames; logger: Logger; observer: DatabaseObserver };

/**
 * Sends on a connection of the pool, where each statement commits by itself. What is sent here is what most calls
 * are about: Prisma's client would do the same, and take a third of the time of a whole call for it.
 * @throws NotConnected, ConnectionBroken, DatabaseError of the driver
 */
export function sendThrough(pool: pg.Pool, { names, logger, observer }: SendingOptions): Send {
  return async <Row>({ text, values, commands }: Statement, traces: readonly Trace[] = []) => {
    const client = await connect(pool);
    let error: unknown;
    let count: number | null = null;
    const startedAt = performance.now();
    try {
      const name = names.nameOf(text);
      const { rows } = await client.query({
        text,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      });
      count = rows.length;
      // The statement says what its rows are.
      return rows as Row[];
    } catch (caught) {
      // The driver hands on whatever the socket says.
      error = isAnswer(caught) ? caught : new ConnectionBroken('The connection broke.', { cause: caught });
      throw error;
    } finally {
      const milliseconds = performance.now() - startedAt;
      logger.trace({ statement: text, milliseconds });
      const sent = { text, startedAt, milliseconds, rows: count, commands: commands ?? null, traces };
      observer.onStatement(error === undefined ? sent : { ...sent, error });
      // Whatever else went wrong may be the server's state: another connection may lead to a better one.
      client.release(error !== undefined && !isOfStatement(error));
    }
  };
}

function isAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError;
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (cause) {
    throw new NotConnected('There is no connection to the database.', { cause });
  }
}
