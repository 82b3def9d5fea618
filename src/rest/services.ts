import type { Db } from '../db/database.js';
import { encodeCursor } from '../db/paging.js';
import type { Registry } from '../db/registry.js';
import { associateService, undoAssociation } from '../domain/associations.js';
import { nameKeys } from '../domain/extensions.js';
import { Faults, serviceId } from '../domain/rules.js';
import { contactKey, customerId, type ServiceInput } from '../domain/service-fields.js';
import type { Origin, WrittenService } from '../domain/service-writes.js';
import {
  completeService,
  findService,
  getService,
  listServices,
  type ServiceFilter,
  type ServiceQuery,
  type ServiceStatus,
  startService,
} from '../domain/services.js';
import type { Service } from '../generated/prisma/client.js';
import { readServiceInput } from './bodies.js';
import type { Answer, Call, Operation } from './call.js';
import { associateEvent, endEvent, startEvent, undoEvent } from './names.js';
import { readServiceList, readView, type View } from './query.js';
import { replayedHeader, type ShownService, serviceJson } from './wire.js';

export async function start(call: Call): Promise<Answer> {
  const input = readServiceInput(call, startEvent, 'refused');
  const written = await startService(call.db, call.origin, withBusinessUnit(call, input));
  const { id } = written.service;
  const location = `${call.dialect.basePath}/services/${id}`;
  return { status: 201, headers: { location, ...headersOf(written) }, json: `{"service_id":${id}}` };
}

export async function associate(call: Call): Promise<Answer> {
  return act(call, associateService, readServiceInput(call, associateEvent, 'allowed'));
}

export async function complete(call: Call): Promise<Answer> {
  return act(call, completeService, readServiceInput(call, endEvent, 'allowed'));
}

/** Ours; takes no body, or an empty one. */
export async function undo(call: Call): Promise<Answer> {
  const { extensions, ...input } = readServiceInput(call, undoEvent, 'allowed');
  const surplus = extensions.map(({ name }) => ({
    path: ['extensions', name],
    message: 'is no field of this operation',
  }));
  return act(call, undoAssociation, { ...input, extensions: [], faults: [...input.faults, ...surplus] });
}

type Act = (db: Db, origin: Origin, input: ServiceInput) => Promise<WrittenService>;

/**
 * Answers nothing, or with `Prefer: return=representation` the service as Query Service by ID does,
 * with the same parameters.
 */
async function act(call: Call, perform: Act, input: ServiceInput): Promise<Answer> {
  if (!prefersRepresentation(call)) {
    return { status: 200, headers: headersOf(await perform(call.db, call.origin, input)) };
  }
  const faults = new Faults(input.faults);
  const view = readView(call, faults);
  const written = await perform(call.db, call.origin, { ...input, faults: faults.list });
  const answer = await show(call, await withExtensions(call, written.service, view), view);
  const headers = {
    ...answer.headers,
    ...replayedHeader(written),
    'preference-applied': 'return=representation',
  };
  return { ...answer, headers };
}

export async function queryById(call: Call): Promise<Answer> {
  const faults = new Faults();
  const id = faults.require(serviceId, ['serviceId'], call.request.params['service_id'], 0n);
  const view = readView(call, faults);
  faults.throwIfAny();
  const service = await getService(call.db, id, queryOf(view));
  const headers = tagOf(service);
  if (hasCurrent(call, headers.etag)) return { status: 304, headers };
  return show(call, service, view);
}

/** Whether `If-None-Match` names the version that there is. */
function hasCurrent({ request }: Call, etag: string): boolean {
  const given = request.headers['if-none-match'];
  if (given === undefined) return false;
  return given.split(',').some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, '')));
}

export function queryOfCustomer(status?: ServiceStatus): Operation {
  return (call) => {
    const faults = new Faults();
    const customer = faults.require(customerId, ['customerId'], call.request.params['customer_id'], '');
    return list(call, { customerId: customer, status }, faults);
  };
}

export function queryAnonymous(status?: ServiceStatus): Operation {
  return (call) => {
    const faults = new Faults();
    const key = faults.require(contactKey, ['contactKey'], call.request.params['contact_key'], '');
    return list(call, { contactKey: key, status }, faults);
  };
}

async function list(call: Call, owner: ServiceFilter, faults: Faults): Promise<Answer> {
  const { filter, limit, after, view } = readServiceList(call, faults);
  faults.throwIfAny();
  // One more than wanted tells whether there is a next page.
  const page = { after, limit: limit && limit + 1 };
  const found = await listServices(call.db, { ...filter, ...owner }, page, queryOf(view));
  const services = found.slice(0, limit);
  const last = found.length > services.length ? services.at(-1) : undefined;
  const registry = await registryOf(call, services);
  return {
    status: 200,
    headers: last ? { link: nextLink(call, last) } : {},
    json: `[${services.map((service) => serviceJson(service, view, registry)).join()}]`,
  };
}

async function show(call: Call, service: ShownService, view: View): Promise<Answer> {
  const registry = await registryOf(call, [service]);
  return { status: 200, headers: tagOf(service), json: serviceJson(service, view, registry) };
}

function registryOf({ db }: Call, services: readonly ShownService[]): Promise<Registry> {
  const extensions = services.flatMap((service) => service.extensions ?? []);
  return db.registry.knowing('SERVICE', new Set(extensions.map(({ nameKey }) => nameKey)));
}

function withBusinessUnit({ businessUnit }: Call, input: ServiceInput): ServiceInput {
  return { ...input, fields: { ...input.fields, businessUnit } };
}

/** Of an act: the version that it came to, and whether it acted before. */
function headersOf(written: WrittenService): Record<string, string> {
  return { ...tagOf(written), ...replayedHeader(written) };
}

function tagOf({ version }: { version: number }): { etag: string } {
  return { etag: `"${version}"` };
}

/** The service as it was written; with extensions asked for, as it is by now. */
async function withExtensions({ db }: Call, service: Service, view: View): Promise<ShownService> {
  if (view.extensions === 'none') return service;
  return (await findService(db, service.id, queryOf(view))) ?? service;
}

function queryOf({ extensions }: View): ServiceQuery {
  if (extensions === 'none') return {};
  const named = extensions === 'all' ? {} : { nameKey: { in: nameKeys(extensions) } };
  return { include: { extensions: { where: { scope: 'SERVICE', ...named }, orderBy: { nameKey: 'asc' } } } };
}

function prefersRepresentation({ request }: Call): boolean {
  return /(^|[,;\s])return\s*=\s*"?representation\b/i.test(String(request.headers['prefer'] ?? ''));
}

/** The same query with another place to go on from. */
function nextLink({ request }: Call, { startedAt, id }: Service): string {
  const [path = '', ...query] = request.url.split('?');
  const parameters = new URLSearchParams(query.join('?'));
  parameters.set('after', encodeCursor({ startedAt, id }));
  // The brackets of the header are no part of an address.
  return `<${path.replace(/[<>]/g, encodeURIComponent)}?${parameters}>; rel="next"`;
}
