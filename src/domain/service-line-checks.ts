import type { Faults } from './rules.js';
import { extensionScopes, type Row, type ServiceLine } from './transfer-format.js';

/** What the gateway's own acts keep true of a service and its parts. */
export function checkTogether(line: ServiceLine, faults: Faults): void {
  const { service, states, tasks, extensions, associations } = line;
  checkUnique(states, ['id'], 'states', faults);
  checkUnique(tasks, ['id'], 'tasks', faults);
  checkUnique(associations, ['version'], 'associations', faults);
  checkUnique(extensions, ['scope', 'owner_id', 'name_key'], 'extensions', faults);
  checkCounter(service, 'next_state_id', states, faults);
  checkCounter(service, 'next_task_id', tasks, faults);
  const owners = { SERVICE: new Set([0]), STATE: idsOf(states), TASK: idsOf(tasks) };
  checkNamed(states, 'previous_state_id', owners.STATE, ['states', 'state'], faults);
  checkNamed(tasks, 'state_id', owners.STATE, ['tasks', 'state'], faults);
  for (const scope of extensionScopes) {
    const ofScope = extensions.filter((extension) => extension['scope'] === scope);
    checkNamed(ofScope, 'owner_id', owners[scope], ['extensions', scope.toLowerCase()], faults);
  }
  for (const row of [service, ...states, ...tasks]) checkEnd(row, faults);
  checkHistory(line, faults);
}

function idsOf(rows: readonly Row[]): Set<unknown> {
  return new Set(rows.map(({ id }) => id));
}

function checkUnique(rows: readonly Row[], members: readonly string[], list: string, faults: Faults): void {
  const keys = new Set(rows.map((row) => members.map((member) => row[member]).join()));
  if (keys.size < rows.length) faults.add([list], { message: `must differ in ${members.join(', ')}` });
}

function checkCounter(service: Row, counter: string, rows: readonly Row[], faults: Faults): void {
  const least = greatest(rows, 'id') + 1;
  if (Number(service[counter]) < least) faults.add([counter], { message: `must be at least ${least}` });
}

function checkNamed(
  rows: readonly Row[],
  member: string,
  known: ReadonlySet<unknown>,
  [list, noun]: readonly [string, string],
  faults: Faults,
): void {
  const unknown = rows.find((row) => row[member] !== undefined && !known.has(row[member]));
  if (unknown) faults.add([list, member], { message: `is ${unknown[member]}, which is no ${noun} of it` });
}

function checkEnd({ started_at: start, completed_at: end }: Row, faults: Faults): void {
  if (start instanceof Date && end instanceof Date && end < start) {
    faults.add(['completed_at'], { message: 'must not be before started_at' });
  }
}

/** The newest entry says who the owner is. */
function checkHistory({ service, associations }: ServiceLine, faults: Faults): void {
  const newest = associations.at(-1);
  if (!newest) return;
  if (Number(newest['version']) > Number(service['version'])) {
    faults.add(['version'], { message: `must be at least ${newest['version']}, as of associations` });
  }
  if (newest['version'] !== service['associated_version']) {
    faults.add(['associated_version'], { message: `must be ${newest['version']}, as of associations` });
  }
  if (newest['to_customer_id'] !== service['customer_id']) {
    faults.add(['customer_id'], { message: 'must be the to_customer_id of the newest of associations' });
  }
}

/** -1 where there is none. */
export function greatest(rows: readonly Row[], member: string): number {
  return rows.reduce((most, row) => Math.max(most, Number(row[member])), -1);
}
