import { encodeCursor } from '../db/paging.js';
import { associateService } from '../domain/associations.js';
import { nameKeys } from '../domain/extensions.js';
import { Faults, serviceId } from '../domain/rules.js';
import { contactKey, customerId } from '../domain/service-fields.js';
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
import { associateEvent, endEvent, startEvent } from './names.js';
import { readServiceList, readView, type View } from './query.js';
import { type ShownService, serviceJson } from './wire.js';

export async function start(call: Call): Promise<Answer> {
  const { service } = await startService(call.db, call.origin, readServiceInput(call, startEvent, 'refused'));
  const location = `${call.dialect.basePath}/services/${service.id}`;
  return { status: 201, headers: { location, ...tagOf(service) }, json: `{"service_id":${service.id}}` };
}

/**
 * Answers nothing, or with `Prefer: return=representation` the service as Query Service by ID does,
 * with the same parameters.
 */
export async function associate(call: Call): Promise<Answer> {
  const input = readServiceInput(call, associateEvent, 'allowed');
  if (!prefersRepresentation(call)) {
    const { service } = await associateService(call.db, call.origin, input);
    return { status: 200, headers: tagOf(service) };
  }
  const faults = new Faults(input.faults);
  const view = readView(call, faults);
  const { service } = await associateService(call.db, call.origin, { ...input, faults: faults.list });
  const answer = await show(call, await withExtensions(call, service, view), view);
  return { ...answer, headers: { ...answer.headers, 'preference-applied': 'return=representation' } };
}

export async function complete(call: Call): Promise<Answer> {
  const { service } = await completeService(
    call.db,
    call.origin,
    readServiceInput(call, endEvent, 'allowed'),
  );
  return { status: 200, headers: tagOf(service) };
}

export async function queryById(call: Call): Promise<Answer> {
  const faults = new Faults();
  const id = faults.require(serviceId, ['serviceId'], call.request.params['service_id'], 0n);
  const view = readView(call, faults);
  faults.throwIfAny();
  return show(call, await getService(call.db, id, queryOf(view)), view);
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
  const registry = await call.db.registry.current();
  return {
    status: 200,
    headers: last ? { link: nextLink(call, last) } : {},
    json: `[${services.map((service) => serviceJson(service, view, registry)).join()}]`,
  };
}

async function show(call: Call, service: ShownService, view: View): Promise<Answer> {
  const registry = await call.db.registry.current();
  return { status: 200, headers: tagOf(service), json: serviceJson(service, view, registry) };
}

function tagOf({ version }: Service): { etag: string } {
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
