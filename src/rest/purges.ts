import { refuseUnknown } from '../domain/extension-schemas.js';
import { cancelPurge, getPurge, type Purge, startPurge } from '../domain/purges.js';
import { accept, Faults, type Rule, refuse, serviceId } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import type { PurgeOperation } from '../generated/prisma/client.js';
import { readBody } from './bodies.js';
import type { Answer, Call } from './call.js';
import { replayedHeader } from './wire.js';

/** By the names of the legacy contract, operations. */
const operations = new Map<unknown, PurgeOperation>([
  ['purge.service.all', 'ALL'],
  ['purge.service.started', 'STARTED'],
  ['purge.service.started.anonymous', 'STARTED_ANONYMOUS'],
  ['purge.service.completed', 'COMPLETED'],
  ['purge.service.completed.anonymous', 'COMPLETED_ANONYMOUS'],
]);

export const operationNames = [...operations.keys()].map(String);

const namedOperation: Rule<PurgeOperation> = (value) => {
  const operation = operations.get(value);
  return operation
    ? accept(operation)
    : refuse(`must be one of ${operationNames.join(', ')}`, operationNames);
};

/** `dry_run` is ours. */
const members = ['limit', 'operation', 'dry_run'];

/** Begins a purge; how it goes on is asked for at its `Location`, which is ours. */
export async function purge(call: Call): Promise<Answer> {
  const faults = new Faults();
  const body = readBody(call, faults.list, 'refused');
  faults.throwIfAny();
  refuseUnknown(body, members, [], faults);
  const fields = {
    startedTo: body['limit'],
    operation: faults.require(namedOperation, ['operation'], body['operation'], 'ALL'),
    dryRun: body['dry_run'],
    idempotencyKey: call.request.headers['idempotency-key'],
  };
  const started = await startPurge(call.db, call.origin, { fields, faults: faults.list });
  call.sweeper.wake();
  const location = `${call.dialect.basePath}/maintenance/purge/${started.purge.id}`;
  return answer(started.purge, { location, ...replayedHeader(started) });
}

export async function queryPurge(call: Call): Promise<Answer> {
  return answer(await getPurge(call.db, idOf(call)));
}

export async function cancelPurging(call: Call): Promise<Answer> {
  return answer(await cancelPurge(call.db, call.origin, idOf(call)));
}

function idOf({ request }: Call): bigint {
  return parseOrThrow(serviceId, 'purge_id', request.params['purge_id']);
}

function answer(shown: Purge, headers: Record<string, string> = {}): Answer {
  const progress = {
    operation: operationNames.find((name) => operations.get(name) === shown.operation),
    limit: shown.startedTo,
    dry_run: shown.isDryRun,
    status: shown.status.toLowerCase(),
    matched: Number(shown.matched),
    deleted: Number(shown.deleted),
    created: shown.createdAt,
    finished: shown.finishedAt ?? undefined,
  };
  // Its id is a JSON number of 64 bits.
  return { status: 200, headers, json: `{"purge_id":${shown.id},${JSON.stringify(progress).slice(1)}` };
}
