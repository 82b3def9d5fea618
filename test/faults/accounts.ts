import pg from 'pg';
import { checkHistory } from '../history/checker.js';
import type { Entry } from './traffic.js';

/** What callers were told, and what of it is there. */
export type Accounts = {
  /** What must not be; empty when the books balance. */
  faults: string[];
  counts: Record<'acknowledged' | 'found' | 'doubled' | 'refused' | 'unknown' | 'unknown but done', number>;
};

/**
 * Compares what callers know of their acts with what the database has: acknowledged acts are there once,
 * refused ones are not, unknown ones are at most once; versions and history have no gaps.
 */
export async function balance(connectionString: string, entries: readonly Entry[]): Promise<Accounts> {
  const { marks, updates } = await readWritten(connectionString);
  const structure = (await checkHistory(connectionString, [])).filter((fault) =>
    /^(versions|history):/.test(fault),
  );
  const moves = entries.filter(({ act }) => act.kind !== 'update').map((entry) => judgeMove(entry, marks));
  const changes = [...groupUpdates(entries)].map(([serviceId, group]) =>
    judgeUpdates(serviceId, group, updates.get(serviceId) ?? []),
  );
  const judged = [...moves, ...changes];
  const sum = (of: (judgement: Judgement) => number) =>
    judged.reduce((total, judgement) => total + of(judgement), 0);
  return {
    faults: [...entries.flatMap(wrongAnswer), ...structure, ...judged.flatMap(({ faults }) => faults)],
    counts: {
      acknowledged: entries.filter(({ verdict }) => verdict.state === 'acknowledged').length,
      found: sum(({ found }) => found),
      doubled: sum(({ doubled }) => doubled),
      refused: entries.filter(({ verdict }) => verdict.state === 'refused').length,
      unknown: entries.filter(({ verdict }) => verdict.state === 'unknown').length,
      'unknown but done': sum(({ surplus }) => surplus),
    },
  };
}

/** Of acknowledged acts, how many were found; of unknown ones, how many turned out to be done. */
type Judgement = { found: number; doubled: number; surplus: number; faults: string[] };

type Place = { serviceId: string; version: number };
type Written = {
  /** Where each start and association is, by the act that wrote it. */
  marks: Map<string, Place[]>;
  /** The versions that updates made, by the service. */
  updates: Map<string, number[]>;
};

async function readWritten(connectionString: string): Promise<Written> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const moves = await client.query<Place & { mark: string }>(
      'select request_id as mark, service_id::text as "serviceId", version from association',
    );
    const updates = await client.query<Place>(
      `select service_id::text as "serviceId", version from event where type = 'SERVICE_UPDATED'`,
    );
    return {
      marks: groupBy(moves.rows, ({ mark }) => mark),
      updates: new Map(
        [...groupBy(updates.rows, ({ serviceId }) => serviceId)].map(([id, rows]) => [
          id,
          rows.map(({ version }) => version),
        ]),
      ),
    };
  } finally {
    await client.end();
  }
}

function wrongAnswer({ verdict }: Entry): string[] {
  return verdict.state === 'wrong' ? [`answers: ${verdict.why}`] : [];
}

/** A start or an association, which history knows by name. */
function judgeMove({ act, verdict }: Entry, marks: Written['marks']): Judgement {
  const places = marks.get(act.mark) ?? [];
  const doubled = Math.max(0, places.length - 1);
  const [place] = places;
  const name = `${act.kind} ${act.mark}`;
  const faults = doubled > 0 ? [`doubled: ${name} is there ${places.length} times`] : [];
  if (verdict.state === 'refused' && place) faults.push(`refused: ${name} was refused and is there`);
  if (verdict.state !== 'acknowledged')
    return { found: 0, doubled, surplus: verdict.state === 'unknown' && place ? 1 : 0, faults };
  const isThere = place?.serviceId === verdict.serviceId && [null, place.version].includes(verdict.version);
  if (!isThere) faults.push(`lost: ${name} was acknowledged and is not there`);
  return { found: isThere ? 1 : 0, doubled, surplus: 0, faults };
}

/** The updates of one service, which leave their versions alone: their number has to fit. */
function judgeUpdates(serviceId: string, entries: readonly Entry[], versions: readonly number[]): Judgement {
  const acknowledged = entries.flatMap(({ verdict }) => (verdict.state === 'acknowledged' ? [verdict] : []));
  const unknown = entries.filter(({ verdict }) => verdict.state === 'unknown').length;
  const told = acknowledged.flatMap(({ version }) => version ?? []);
  const lost = told.filter(
    (version, index) => !versions.includes(version) || told.indexOf(version) !== index,
  );
  const surplus = versions.length - acknowledged.length;
  const faults = lost.map((version) => `lost: the update to version ${version} of ${serviceId} is not there`);
  if (surplus < 0) faults.push(`lost: ${-surplus} updates of ${serviceId} are not there`);
  if (surplus > unknown) faults.push(`doubled: ${surplus} updates of ${serviceId} nobody knows of`);
  return {
    found: acknowledged.length - Math.max(lost.length, -surplus, 0),
    doubled: Math.max(0, surplus - unknown),
    surplus: Math.min(Math.max(surplus, 0), unknown),
    faults,
  };
}

function groupUpdates(entries: readonly Entry[]): Map<string, Entry[]> {
  return groupBy(
    entries.filter(({ act }) => act.kind === 'update'),
    ({ act }) => act.serviceId,
  );
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
