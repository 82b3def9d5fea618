import type { Operation, PurgeStart, Refusal } from './acts.js';
import type { Line } from './fronts.js';
import { request } from './graphql-front.js';
import { basePaths, refusalOf } from './rest-front.js';

/** A purge as GraphQL answers it. */
export type ShownPurge = { id: string } & { [name: string]: unknown };

export type ObservedPurge = { purge: ShownPurge; replayed: boolean } | { refusal: Refusal };

const names: Record<Operation, string> = {
  ALL: 'purge.service.all',
  STARTED: 'purge.service.started',
  STARTED_ANONYMOUS: 'purge.service.started.anonymous',
  COMPLETED: 'purge.service.completed',
  COMPLETED_ANONYMOUS: 'purge.service.completed.anonymous',
};

/** Begins the purge over its front. */
export async function sendPurge(line: Line, start: PurgeStart): Promise<ObservedPurge> {
  return start.front === 'graphql' ? mutate(line, start) : call(line, start);
}

async function mutate(line: Line, start: PurgeStart): Promise<ObservedPurge> {
  const { operation, startedTo, isDryRun, idempotencyKey } = start;
  const input = {
    ...{ operation, startedTo, dryRun: isDryRun },
    ...(idempotencyKey === null ? {} : { idempotencyKey }),
  };
  return request(
    line,
    start.kind,
    input,
    `... on PurgeServicesPayload { replayed
      purge { id operation startedTo dryRun status matched deleted createdAt finishedAt } }`,
  );
}

async function call({ app, said }: Line, start: PurgeStart): Promise<ObservedPurge> {
  const { operation, startedTo, isDryRun, idempotencyKey } = start;
  const base = start.front === 'bare' ? basePaths.bare : basePaths['8.5'];
  const body = {
    ...{ limit: startedTo, operation: names[operation] },
    ...(isDryRun ? { dry_run: true } : {}),
  };
  const headers: Record<string, string> =
    idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey };
  const answer = await app.rest('POST', `${base}/maintenance/purge`, { body, headers });
  const { status, text, json } = answer;
  said.push(`POST ${base}/maintenance/purge ${JSON.stringify([body, headers])} → ${status} ${text}`);
  if (status >= 400) return { refusal: refusalOf(answer, start) };
  if (status !== 200) throw new Error(`answered ${status}, not 200: ${text}`);
  const location = `${base}/maintenance/purge/${json.purge_id}`;
  if (answer.headers['location'] !== location) throw new Error(`Location is ${answer.headers['location']}`);
  const { purge_id, limit, dry_run, created, finished = null, ...shown } = json;
  const purge = {
    ...shown,
    ...{ id: String(purge_id), startedTo: limit, dryRun: dry_run, createdAt: created, finishedAt: finished },
    operation: Object.entries(names).find(([, name]) => name === json.operation)?.[0],
    status: json.status.toUpperCase(),
  };
  return { purge, replayed: answer.headers['idempotency-replayed'] === 'true' };
}
