import pg from 'pg';
// What is built: with its sources each of these processes would take four times as long to start.
import { EmbeddedPostgresError, startEmbeddedPostgres } from '../../../dist/db/embedded/postgres.js';
import { createLogger } from '../../../dist/logger.js';

/** Run as a process of its own: holds the folder until SIGTERM. Tells by one JSON line how its start went. */
const [directory = '', lockTimeoutMs = '0'] = process.argv.slice(2);

try {
  const logger = createLogger('silent');
  const postgres = await startEmbeddedPostgres({ directory, logger, lockTimeoutMs: Number(lockTimeoutMs) });
  process.once('SIGTERM', () => postgres.stop());
  const client = new pg.Client({ connectionString: postgres.connectionString });
  await client.connect();
  await client.query('create table if not exists note (text text)');
  await client.query(`insert into note values ('written by ' || $1::text)`, [process.pid]);
  await client.end();
  console.log(JSON.stringify({ isNew: postgres.isNew }));
} catch (error) {
  if (!(error instanceof EmbeddedPostgresError)) throw error;
  console.log(JSON.stringify({ refusal: error.message }));
}
