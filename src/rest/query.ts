import type { Cursor } from '../db/paging.js';
import type { Registry } from '../db/registry.js';
import { nameKeys } from '../domain/extensions.js';
import type { MappedField } from '../domain/field-mappings.js';
import type { PartFilter, Status, TaskFilter } from '../domain/parts.js';
import { dateTime, type Faults, integer, oneOf, type Rule, refuse } from '../domain/rules.js';
import { businessUnit, partId } from '../domain/service-fields.js';
import type { Beside } from '../domain/service-reads.js';
import { cursor, partCursor, type ServiceFilter, typesFilter } from '../domain/services.js';
import type { ExtensionScope, Prisma } from '../generated/prisma/client.js';
import { decodePercent } from '../percent-encoding.js';
import type { Call } from './call.js';

/** The parameters of a query string, decoded; one that is given twice is an array. */
export type QueryParameters = Readonly<Record<string, string | string[]>>;

/** The extensions that an answer shows of one kind of resource. */
type Names = 'none' | 'all' | readonly string[];

/** What an answer shows of a resource beside the resource itself. */
export type View = {
  extensions: Readonly<Record<ExtensionScope, Names>>;
  /** The lists of states and of tasks that were asked for. */
  states: readonly Status[];
  tasks: readonly Status[];
};

export type Page = { limit: number | undefined; after: Cursor | undefined };

export type ServiceList = Page & {
  filter: Pick<ServiceFilter, 'startedFrom' | 'startedTo' | 'types' | 'businessUnit'>;
  view: View;
};

const statuses = ['ACTIVE', 'COMPLETED'] as const;
const mostListed = 500;

/**
 * The parameters of a query for one resource; unknown ones are ignored.
 * @param own whose extensions the names without a prefix are
 */
export function readView({ request }: Call, own: ExtensionScope, faults: Faults): View {
  const { query } = request;
  requireEncoded(request.url, faults);
  const listsOf = (parts: 'states' | 'tasks') =>
    statuses.filter((status) => {
      const name = `${status.toLowerCase()}_${parts}`;
      return faults.check(flag, [name], query[name]) === 'true';
    });
  const names = query['extensions'] === undefined ? [] : listOf(query['extensions']);
  return {
    extensions: {
      SERVICE: own === 'SERVICE' ? namesOf(names, unprefixed) : 'none',
      STATE: namesOf(names, /^State\.(.*)$/is, own === 'STATE' ? unprefixed : undefined),
      TASK: namesOf(names, /^Task\.(.*)$/is, own === 'TASK' ? unprefixed : undefined),
    },
    states: listsOf('states'),
    tasks: listsOf('tasks'),
  };
}

const unprefixed = /^(?!State\.|Task\.)(.*)$/is;

/** `*` stands for all (legacy contract, operations). */
function namesOf(given: readonly string[], ...forms: (RegExp | undefined)[]): Names {
  const names = given.flatMap((name) => forms.flatMap((form) => form?.exec(name)?.[1] ?? []));
  if (names.length === 0) return 'none';
  return names.includes('*') ? 'all' : names;
}

/** The parameters of a query for a list of services; unknown ones are ignored. */
export function readServiceList(call: Call, faults: Faults): ServiceList {
  const { query } = call.request;
  return {
    filter: {
      ...readTimes(call, faults),
      businessUnit: faults.check(unit, ['business_unit'], query['business_unit']),
      types: faults.check(
        types(call.db.registry.loaded, 'Service.type'),
        ['service_types'],
        query['service_types'],
      ),
    },
    limit: faults.check(limit, ['limit'], query['limit']),
    after: faults.check(once(cursor), ['after'], query['after']),
    view: readView(call, 'SERVICE', faults),
  };
}

export type PartList<Filter> = Page & { filter: Filter; view: View };

export function readStateList(call: Call, faults: Faults): PartList<PartFilter> {
  const { query } = call.request;
  const rule = types(call.db.registry.loaded, 'State.type');
  const filter = {
    ...readTimes(call, faults),
    types: faults.check(rule, ['state_types'], query['state_types']),
  };
  return { filter, ...readPage(call, faults), view: readView(call, 'STATE', faults) };
}

export function readTaskList(call: Call, faults: Faults): PartList<TaskFilter> {
  const { query } = call.request;
  const rule = types(call.db.registry.loaded, 'Task.type');
  const state = faults.check(
    once((id) => partId(numberOf(id))),
    ['state_id'],
    query['state_id'],
  );
  const filter = {
    ...readTimes(call, faults),
    types: faults.check(rule, ['task_types'], query['task_types']),
    stateIds: state === undefined ? undefined : [state],
  };
  return { filter, ...readPage(call, faults), view: readView(call, 'TASK', faults) };
}

function readTimes({ request: { query } }: Call, faults: Faults) {
  return {
    startedFrom: faults.check(once(dateTime), ['started_from'], query['started_from']),
    startedTo: faults.check(once(dateTime), ['started_to'], query['started_to']),
  };
}

function readPage({ request: { query } }: Call, faults: Faults): Page {
  return {
    limit: faults.check(limit, ['limit'], query['limit']),
    after: faults.check(once(partCursor), ['after'], query['after']),
  };
}

/** What to read with a service to show it. */
export function besideOf({ extensions, states, tasks }: View): Beside {
  const scopes = scopesOf(extensions, { SERVICE: true, STATE: states.length > 0, TASK: tasks.length > 0 });
  return {
    ...(states.length > 0 ? { states: statusOf(states) } : {}),
    ...(tasks.length > 0 ? { tasks: statusOf(tasks) } : {}),
    ...(scopes.length > 0 ? { extensions: scopes } : {}),
  };
}

/** The extensions to read of the resources that are shown. */
function scopesOf(
  extensions: View['extensions'],
  shown: Partial<Record<ExtensionScope, boolean>>,
): NonNullable<Beside['extensions']> {
  return (['SERVICE', 'STATE', 'TASK'] as const).flatMap((scope) => {
    const names = shown[scope] ? extensions[scope] : 'none';
    if (names === 'none') return [];
    return names === 'all' ? { scope } : { scope, nameKeys: nameKeys(names) };
  });
}

/** Of both there is no filter. */
export function statusOf(listed: readonly Status[]): { status?: Status } {
  const [status] = listed;
  return status === undefined || listed.length > 1 ? {} : { status };
}

/** What Prisma is to load of the extensions of the resources that are shown; nothing where none were asked for. */
export function extensionQuery(
  { extensions }: View,
  shown: Partial<Record<ExtensionScope, boolean>>,
): Pick<Prisma.ServiceInclude, 'extensions'> {
  const wanted = scopesOf(extensions, shown).map(({ scope, nameKeys: names }) =>
    names ? { scope, nameKey: { in: [...names] } } : { scope },
  );
  return wanted.length === 0 ? {} : { extensions: { where: { OR: wanted }, orderBy: { nameKey: 'asc' } } };
}

/** What cannot be decoded would be taken as it is by the parser of query strings. */
export function requireEncoded(url: string, faults: Faults): void {
  const start = url.indexOf('?');
  if (start >= 0 && decodePercent(url.slice(start)) === undefined) {
    faults.add(['query'], { message: 'must be percent-encoded UTF-8' });
  }
}

/** Lists are comma-separated; one that is given twice is one list. */
function listOf(value: unknown): string[] {
  const text = Array.isArray(value) ? value.join(',') : value;
  return typeof text === 'string' ? text.split(',') : [];
}

export function once<T>(rule: Rule<T>): Rule<T> {
  return (value) => (Array.isArray(value) ? refuse('must be given once') : rule(value));
}

/** The number that digits of a path or of a query are; anything else is left for its rule to refuse. */
export function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
}

const unit = once(businessUnit);
const flag = once(oneOf(['true', 'false']));
export const limit: Rule<number> = once((value) => integer(1, mostListed)(numberOf(value)));

function types(registry: Registry, field: MappedField): Rule<readonly (number | string)[]> {
  return (value) => typesFilter(registry, field)(listOf(value));
}
