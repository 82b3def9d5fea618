import type { Cursor } from '../db/paging.js';
import { dateTime, type Faults, integer, oneOf, type Rule, refuse } from '../domain/rules.js';
import { businessUnit } from '../domain/service-fields.js';
import { cursor, type ServiceFilter, typesFilter } from '../domain/services.js';
import { decodePercent } from '../percent-encoding.js';
import type { Call } from './call.js';

/** The parameters of a query string, decoded; one that is given twice is an array. */
export type QueryParameters = Readonly<Record<string, string | string[]>>;

/** What an answer shows of a service beside the service itself. */
export type View = {
  extensions: 'none' | 'all' | readonly string[];
  /** The lists of states and tasks asked for; a service has none yet. */
  lists: readonly string[];
};

export type ServiceList = {
  filter: Pick<ServiceFilter, 'startedFrom' | 'startedTo' | 'types' | 'businessUnit'>;
  limit: number | undefined;
  after: Cursor | undefined;
  view: View;
};

const nestedLists = ['active_states', 'completed_states', 'active_tasks', 'completed_tasks'];
const mostListed = 500;

/** The parameters of a query for one service; unknown ones are ignored. */
export function readView({ request }: Call, faults: Faults): View {
  const { query } = request;
  requireEncoded(request.url, faults);
  const lists = nestedLists.filter((name) => faults.check(flag, [name], query[name]) === 'true');
  return { extensions: extensionsOf(query['extensions']), lists };
}

/** The parameters of a query for a list of services; unknown ones are ignored. */
export function readServiceList(call: Call, faults: Faults): ServiceList {
  const { query } = call.request;
  return {
    filter: {
      startedFrom: faults.check(time, ['started_from'], query['started_from']),
      startedTo: faults.check(time, ['started_to'], query['started_to']),
      businessUnit: faults.check(unit, ['business_unit'], query['business_unit']),
      types: faults.check(serviceTypes, ['service_types'], query['service_types']),
    },
    limit: faults.check(limit, ['limit'], query['limit']),
    after: faults.check(place, ['after'], query['after']),
    view: readView(call, faults),
  };
}

function extensionsOf(value: unknown): View['extensions'] {
  if (value === undefined) return 'none';
  const names = listOf(value);
  return names.includes('*') ? 'all' : names;
}

/** What cannot be decoded would be taken as it is by the parser of query strings. */
function requireEncoded(url: string, faults: Faults): void {
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

function once<T>(rule: Rule<T>): Rule<T> {
  return (value) => (Array.isArray(value) ? refuse('must be given once') : rule(value));
}

const time = once(dateTime);
const place = once(cursor);
const unit = once(businessUnit);
const flag = once(oneOf(['true', 'false']));

const limit: Rule<number> = once((value) =>
  integer(1, mostListed)(typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
);

const serviceTypes: Rule<readonly (number | string)[]> = (value) => typesFilter(listOf(value));
