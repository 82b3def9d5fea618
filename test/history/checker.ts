import pg from 'pg';
import type { Call } from './workload.js';

/**
 * What is wrong with a history of calls and the database that they left, each fault beginning with
 * the rule that it breaks. Every call must have been answered for sure.
 */
export async function checkHistory(connectionString: string, calls: readonly Call[]): Promise<string[]> {
  const rows = await readRows(connectionString);
  const byService = groupBy(calls, ({ serviceId }) => serviceId);
  return [
    ...calls.flatMap(checkAnswer),
    ...rows.services.flatMap((service) => [
      ...checkVersions(service, rows),
      ...checkOwners(service, rows),
      ...checkEffects(service, rows, byService.get(service.id) ?? []),
      ...checkExtensions(service, rows, byService.get(service.id) ?? []),
    ]),
    ...checkKeys(calls),
    ...checkReads(calls),
  ];
}

type ServiceRow = { id: number; version: number; owner: string | null };
type Entry = { id: number; version: number; kind: string; from: string | null; to: string | null };
type Rows = {
  services: ServiceRow[];
  history: Map<number, Entry[]>;
  events: Map<number, { id: number; version: number; from: string | null; to: string | null }[]>;
  extensions: Map<number, { id: number; name: string; value: unknown }[]>;
};

async function readRows(connectionString: string): Promise<Rows> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const query = async <Row extends { id: number }>(statement: string): Promise<Row[]> =>
    (await client.query<Row>(statement)).rows;
  try {
    return {
      services: await query('select id::int, version, customer_id as owner from service order by id'),
      history: groupBy(
        await query<Entry>(
          `select service_id::int as id, version, kind, from_customer_id as "from", to_customer_id as "to"
           from association order by service_id, version`,
        ),
        ({ id }) => id,
      ),
      events: groupBy(
        await query<Entry>(
          `select service_id::int as id, version, prev_customer_id as "from", customer_id as "to"
           from event order by service_id, version`,
        ),
        ({ id }) => id,
      ),
      extensions: groupBy(
        await query<{ id: number; name: string; value: unknown }>(
          'select service_id::int as id, name, value from extension order by service_id, name',
        ),
        ({ id }) => id,
      ),
    };
  } finally {
    await client.end();
  }
}

/**
 * Only what can be stale is refused as stale, and only what can be done already as a conflict. What waits for too
 * long is refused as well: nothing of it was done, as the events tell.
 */
function checkAnswer({ kind, serviceId, status, code, expectedVersion }: Call): string[] {
  const isRefusable =
    (status === 412 && expectedVersion !== undefined) ||
    (status === 409 && ['end', 'undo'].includes(kind)) ||
    (status === 503 && code === 'UNAVAILABLE');
  return status === 200 || isRefusable ? [] : [`answers: ${kind} of ${serviceId} answered ${status} ${code}`];
}

function checkVersions({ id, version }: ServiceRow, { events }: Rows): string[] {
  const versions = (events.get(id) ?? []).map((event) => event.version);
  const isWhole = versions.length === version && versions.every((each, index) => each === index + 1);
  return isWhole
    ? []
    : [`versions: service ${id} has version ${version} and the events ${summary(versions)}`];
}

function checkOwners({ id, owner }: ServiceRow, { history, events }: Rows): string[] {
  const entries = history.get(id) ?? [];
  const broken = entries.filter(({ from }, index) => index > 0 && from !== entries[index - 1]?.to);
  const moves = (events.get(id) ?? []).filter(({ version, from, to }) => version === 1 || from !== to);
  return [
    ...broken.map(({ version, from }) => `history: entry ${version} of ${id} says it came from ${from}`),
    ...(entries[0]?.kind === 'START' ? [] : [`history: service ${id} does not begin with its start`]),
    ...(entries.at(-1)?.to === owner
      ? []
      : [`history: service ${id} belongs to ${owner}, not to its last entry's`]),
    ...(moves.length === entries.length
      ? []
      : [`history: ${id} moved ${moves.length} times, has ${entries.length} entries`]),
  ];
}

/** Each acknowledged act has a version of its own, and each version an act: nothing was lost or done twice. */
function checkEffects({ id }: ServiceRow, { events }: Rows, calls: readonly Call[]): string[] {
  const acted = calls.filter(({ kind, status, replayed }) => kind !== 'read' && status === 200 && !replayed);
  const versions = acted.map(({ version }) => version ?? 0).sort((a, b) => a - b);
  const doubled = versions.filter((version, index) => version === versions[index - 1]);
  const written = (events.get(id) ?? []).length - 1;
  const jumped = acted.filter(
    ({ expectedVersion, version }) => expectedVersion !== undefined && version !== expectedVersion + 1,
  );
  return [
    ...doubled.map((version) => `effects: two acts on ${id} were answered with version ${version}`),
    ...(written === acted.length ? [] : [`effects: ${acted.length} acts on ${id} left ${written} events`]),
    ...jumped.map(
      ({ expectedVersion, version }) => `lost update: ${id} went from ${expectedVersion} to ${version}`,
    ),
  ];
}

/** What is stored comes from the newest act that wrote it, both halves. */
function checkExtensions({ id }: ServiceRow, { extensions }: Rows, calls: readonly Call[]): string[] {
  const writes = calls.filter(
    ({ kind, tokens, replayed }) => kind !== 'read' && tokens.length > 0 && !replayed,
  );
  const newest = writes.reduce<Call | undefined>(
    (latest, call) => ((call.version ?? 0) > (latest?.version ?? 0) ? call : latest),
    undefined,
  );
  const stored = (extensions.get(id) ?? []).map(({ value }) => value);
  const expected = newest?.tokens ?? [];
  return stored.join() === expected.join()
    ? []
    : [`extensions: ${id} keeps ${stored}, the newest act wrote ${expected}`];
}

function checkKeys(calls: readonly Call[]): string[] {
  const keyed = groupBy(
    calls.filter(({ key, status }) => key !== undefined && status === 200),
    ({ key }) => key,
  );
  return [...keyed].flatMap(([key, answers]) => {
    const versions = new Set(answers.map(({ version }) => version));
    const acted = answers.filter(({ replayed }) => !replayed);
    return versions.size === 1 && acted.length === 1
      ? []
      : [`keys: ${key} acted ${acted.length} times, answered versions ${[...versions]}`];
  });
}

function checkReads(calls: readonly Call[]): string[] {
  return calls
    .filter(({ kind, tokens: [a, b] }) => kind === 'read' && a !== b)
    .map(({ serviceId, version }) => `extensions: a read of ${serviceId} at ${version} saw half a change`);
}

function groupBy<Value, Key>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}

function summary(versions: readonly number[]): string {
  const odd = versions.find((version, index) => version !== index + 1);
  return `${versions.length}, ${odd === undefined ? 'in order' : `first out of order: ${odd}`}`;
}
