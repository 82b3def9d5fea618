import { expect, test } from 'vitest';
import { joinEmbeddedPostgres } from '../../../src/db/embedded/postgres.js';
import { createLogger } from '../../../src/logger.js';
import { makeDirectory, makeUsedDirectory, postmasterPid, query, start, startGateway } from './harness.js';

const logger = createLogger('silent');

test('work beside a running gateway uses its server, which goes on afterwards', async () => {
  const directory = await makeUsedDirectory();
  const gateway = await startGateway(directory);
  const pid = await postmasterPid(directory);

  const joined = await joinEmbeddedPostgres({ directory, logger });
  const rows = await query(joined, 'select text from note');
  await joined.stop();

  expect(rows).toEqual([[`written by ${gateway.pid}`]]);
  expect(await postmasterPid(directory)).toBe(pid);
  await expect(start(directory)).rejects.toThrow(`pid ${gateway.pid}`);
});

test.each([
  ['an empty folder', makeDirectory],
  ['the folder of a stopped gateway', makeUsedDirectory],
])('in %s a server is started for the work, and stopped with it', async (_, make) => {
  const directory = await make();

  const joined = await joinEmbeddedPostgres({ directory, logger });
  await query(joined, `create table note as select 'kept' as text`);
  await joined.stop();

  await expect(postmasterPid(directory)).rejects.toThrow('ENOENT');
  expect(await query(await start(directory), 'select text from note')).toEqual([['kept']]);
});
