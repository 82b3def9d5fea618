import { type ExportFilter, exportServiceIds, exportServices as readServices } from '../domain/export.js';
import { dateTime, Faults, oneOf, type Rule, refuse } from '../domain/rules.js';
import { accepts } from './accept.js';
import type { Answer, Call } from './call.js';
import { registryOf } from './lists.js';
import { once, requireEncoded, type View } from './query.js';
import { serviceJson } from './wire.js';

/** All of a service that there is to show. */
const everything: View = {
  extensions: { SERVICE: 'all', STATE: 'all', TASK: 'all' },
  states: ['ACTIVE', 'COMPLETED'],
  tasks: ['ACTIVE', 'COMPLETED'],
};

const lines = 'application/x-ndjson';

/** The services of a range of time, or their ids, as a JSON array or line by line. */
export async function exportServices(call: Call): Promise<Answer> {
  const { filter, hasContent } = readExport(call);
  const pages = hasContent ? contents(call, filter) : ids(call, filter);
  const stream = accepts(call.request, lines)
    ? { type: lines, chunks: asLines(pages) }
    : { type: 'application/json; charset=utf-8', chunks: asArray(pages) };
  return { status: 200, headers: { vary: 'Accept' }, stream };
}

type Export = { filter: ExportFilter; hasContent: boolean };

/** @throws Invalid, listing every fault */
function readExport({ request, origin }: Call): Export {
  const { query } = request;
  const faults = new Faults();
  requireEncoded(request.url, faults);
  const from = faults.require(once(dateTime), ['time_from'], query['time_from'], origin.receivedAt);
  const to = faults.check(once(dateTime), ['time_to'], query['time_to']) ?? origin.receivedAt;
  const events = faults.check(filterEvents, ['filter_events'], query['filter_events']) ?? 'any';
  const hasContent = faults.check(exportContent, ['export_content'], query['export_content']) === 'true';
  const filterState = hasContent ? filterStateOfContent : filterStateOfIds;
  const state = faults.check(filterState, ['filter_state'], query['filter_state']) ?? 'any';
  faults.throwIfAny();
  return { filter: { events, state, from, to }, hasContent };
}

const filterEvents = once(oneOf(['any', 'started', 'completed']));
const exportContent = once(oneOf(['true', 'false']));
const filterStateOfContent = once(oneOf(['any', 'active', 'inactive']));
const filterStateOfIds: Rule<never> = () => refuse('is taken together with export_content=true alone');

async function* contents(call: Call, filter: ExportFilter): AsyncGenerator<string[]> {
  for await (const services of readServices(call.db, filter)) {
    const registry = await registryOf(call, services);
    yield services.map((service) => serviceJson(service, everything, registry));
  }
}

async function* ids({ db }: Call, filter: ExportFilter): AsyncGenerator<string[]> {
  for await (const services of exportServiceIds(db, filter)) yield services.map(({ id }) => String(id));
}

/** Nothing is sent before the first page is there: what fails until then has an answer of its own. */
async function* asArray(pages: AsyncGenerator<string[]>): AsyncGenerator<string> {
  let opening = '[';
  for await (const page of pages) {
    yield opening + page.join();
    opening = ',';
  }
  yield opening === '[' ? '[]' : ']';
}

async function* asLines(pages: AsyncGenerator<string[]>): AsyncGenerator<string> {
  for await (const page of pages) yield page.map((item) => `${item}\n`).join('');
}
