import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../db/database.js';
import {
  advancePurge,
  cancelPurge,
  getPurge,
  type Purge,
  purgeOperations,
  startPurge,
} from '../domain/purges.js';
import { accept, dateTime, type Rule, refuse } from '../domain/rules.js';
import type { Origin } from '../domain/service-writes.js';
import { defaultTenant, requireTenants, tenantId } from '../domain/tenants.js';
import { Conflict } from '../errors.js';
import type { PurgeOperation } from '../generated/prisma/client.js';
import { counted, exitCodes, type Form, note, print, type Terminal } from './command.js';
import { onDatabase } from './on-database.js';
import { Progress } from './progress.js';

const operationNames = purgeOperations.map((operation) => operation.toLowerCase().replaceAll('_', '-'));

const namedOperation: Rule<PurgeOperation> = (value) => {
  const operation = purgeOperations[operationNames.indexOf(String(value))];
  return operation
    ? accept(operation)
    : refuse(`must be one of ${operationNames.join(', ')}`, operationNames);
};

/** How soon is looked again while a gateway is at a batch. */
const awaitingMilliseconds = 200;

export const purgeForms = {
  purge: {
    parameters: `${operationNames.join('|')} [--before TIME] [--tenant ID] [--dry-run]`,
    summary: 'deletes services for good, with all that hangs on them',
    details: [
      'Those that were started before TIME, like 2026-01-31T00:00:00Z; before now, unless said otherwise.',
      'started are those that are active, anonymous those without a customer. --dry-run only counts.',
      'Ctrl-C cancels it: what is deleted stays so. Where this is killed, a gateway goes on with it.',
    ],
    read(given) {
      const operation = given.positional('OPERATION', namedOperation) ?? 'ALL';
      const startedTo = given.option('before', dateTime);
      const tenant = given.option('tenant', tenantId) ?? defaultTenant;
      const dryRun = given.flag('dry-run');
      return onDatabase(async ({ database, terminal }) => {
        await requireTenants(database.admin, [tenant]);
        const db = database.forTenant(tenant);
        const origin = originOf(terminal);
        const fields = { operation, dryRun, startedTo: startedTo ?? origin.receivedAt };
        const { purge } = await startPurge(db, origin, { fields, faults: [] });
        const matched = counted(Number(purge.matched), 'service');
        if (dryRun) print(terminal, [`${matched} would be deleted`]);
        return dryRun ? exitCodes.done : await finish(db, purge, terminal);
      });
    },
  },
} satisfies Record<string, Form>;

function originOf({ now }: Terminal): Origin {
  return { front: 'GRAPHQL', requestId: `cli-${randomUUID()}`, principal: null, receivedAt: now() };
}

async function finish(db: Db, begun: Purge, terminal: Terminal): Promise<number> {
  const interruption = terminal.interruption();
  await advance(db, begun, terminal, interruption);
  // Behind its last batch there is nothing to cancel.
  if (interruption.aborted) await cancelPurge(db, originOf(terminal), begun.id).catch(unlessConflict);
  const { status, deleted } = await getPurge(db, begun.id);
  print(terminal, [`${counted(Number(deleted), 'service')} deleted`]);
  if (status === 'DONE') return exitCodes.done;
  note(terminal, `Purge ${begun.id} of ${counted(Number(begun.matched), 'service')} was cancelled.`);
  return interruption.aborted ? exitCodes.interrupted : exitCodes.refused;
}

/** Until it is done or cancelled. A gateway that runs takes turns at it. */
async function advance(db: Db, begun: Purge, terminal: Terminal, interruption: AbortSignal): Promise<void> {
  using progress = new Progress(terminal, { act: 'purge', noun: 'service', total: Number(begun.matched) });
  let purge = begun;
  while (purge.status === 'RUNNING' && !interruption.aborted) {
    progress.update(Number(purge.deleted), Number(purge.deleted));
    if (!(await advancePurge(db, begun.id, terminal.now()))) await sleep(awaitingMilliseconds);
    purge = await getPurge(db, begun.id);
  }
}

function unlessConflict(error: unknown): void {
  if (!(error instanceof Conflict)) throw error;
}
