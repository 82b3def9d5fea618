import { readConfig } from '../config.js';
import { listMigrations, migrate } from '../db/migrate.js';
import { createLogger } from '../logger.js';
import { aligned, counted, exitCodes, type Form, note, print, type Terminal } from './command.js';
import { joinPostgres } from './on-database.js';

export const migrateForms = {
  migrate: {
    parameters: '[--status [--json]]',
    summary: 'applies the migrations that the database lacks, as every start does',
    details: ['--status lists them instead, and ends with 1 unless all are applied and no others.'],
    read(given) {
      const isStatus = given.flag('status');
      const isJson = given.flag('json');
      if (isJson && !isStatus) given.fault('--json goes with --status');
      return async (terminal) => {
        const { database } = readConfig(terminal.environment);
        await using postgres = await joinPostgres(database, createLogger('silent'));
        return isStatus
          ? await showStatus(postgres.connectionString, isJson, terminal)
          : await apply(postgres.connectionString, terminal);
      };
    },
  },
} satisfies Record<string, Form>;

async function apply(connectionString: string, terminal: Terminal): Promise<number> {
  const applied = await migrate(connectionString, createLogger('silent'));
  print(terminal, applied);
  note(
    terminal,
    applied.length === 0 ? 'Nothing was pending.' : `${counted(applied.length, 'migration')} applied.`,
  );
  return exitCodes.done;
}

async function showStatus(connectionString: string, isJson: boolean, terminal: Terminal): Promise<number> {
  const migrations = await listMigrations(connectionString);
  print(
    terminal,
    isJson ? [JSON.stringify(migrations)] : aligned(migrations.map(({ name, state }) => [state, name])),
  );
  return migrations.every(({ state }) => state === 'applied') ? exitCodes.done : exitCodes.refused;
}
