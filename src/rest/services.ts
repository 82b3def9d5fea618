import { associateService, undoAssociation } from '../domain/associations.js';
import { deleteService } from '../domain/deletions.js';
import type { Status } from '../domain/parts.js';
import { Faults, serviceId } from '../domain/rules.js';
import { contactKey, customerId, type ServiceInput } from '../domain/service-fields.js';
import type { WrittenService } from '../domain/service-writes.js';
import {
  completeService,
  findServiceWith,
  getServiceWith,
  listServices,
  type ServiceFilter,
  setServiceExpiry,
  startService,
} from '../domain/services.js';
import { type Fault, NotFound } from '../errors.js';
import { type Act, answerAct, answerStart, hasCurrent, tagOf } from './acts.js';
import { readFields, readServiceInput } from './bodies.js';
import type { Answer, Call, Operation } from './call.js';
import { answerList, oneMore, registryOf } from './lists.js';
import {
  associateEvent,
  type EventFields,
  endServiceEvent,
  expiryEvent,
  startEvent,
  undoEvent,
} from './names.js';
import { NoServiceToDelete } from './problem.js';
import { besideOf, readServiceList, readView, type View } from './query.js';
import { replayedHeader, type ShownService, serviceJson } from './wire.js';

export async function start(call: Call): Promise<Answer> {
  const input = readServiceInput(call, startEvent[call.dialect.basePath], 'refused');
  const written = await startService(call.db, call.origin, withBusinessUnit(call, input));
  return answerStart(call, written, { path: '', json: `{"service_id":${written.service.id}}` });
}

export async function associate(call: Call): Promise<Answer> {
  return act(
    call,
    associateService,
    readServiceInput(call, associateEvent[call.dialect.basePath], 'allowed'),
  );
}

export async function complete(call: Call): Promise<Answer> {
  return act(
    call,
    completeService,
    readServiceInput(call, endServiceEvent[call.dialect.basePath], 'allowed'),
  );
}

/** Ours; takes no body, or an empty one. */
export async function undo(call: Call): Promise<Answer> {
  return act(
    call,
    undoAssociation,
    withoutExtensions(readServiceInput(call, undoEvent, 'allowed'), undoEvent),
  );
}

export async function setExpiry(call: Call): Promise<Answer> {
  return act(
    call,
    setServiceExpiry,
    withoutExtensions(readServiceInput(call, expiryEvent, 'refused'), expiryEvent),
  );
}

/** What is no field of the body would be an extension elsewhere. */
function withoutExtensions({ extensions, faults, ...input }: ServiceInput, event: EventFields): ServiceInput {
  const allowed = [...event.keys()];
  const surplus = extensions.map(({ name }) => ({
    path: ['extensions', name],
    message: 'is no field of this operation',
    ...(allowed.length > 0 ? { allowed } : {}),
  }));
  return { ...input, extensions: [], faults: [...faults, ...surplus] };
}

/** 8.5 answers an unknown service its own way here (legacy contract, errors). */
export async function remove(call: Call): Promise<Answer> {
  const faults: Fault[] = [];
  const fields = readFields(call, faults);
  try {
    const deletion = await deleteService(call.db, call.origin, { ...emptyInput, fields, faults });
    return { status: 200, headers: replayedHeader(deletion) };
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NoServiceToDelete(`There are no service found for : ${fields['serviceId']}`);
  }
}

const emptyInput = { extensions: [], takesAttachedData: false, requiresType: false };

function act(call: Call, perform: Act['perform'], input: ServiceInput): Promise<Answer> {
  return answerAct(call, { perform, scope: 'SERVICE', show: showWritten }, input);
}

/** The service as it was written; with more of it asked for, as it is by now. */
export async function showWritten(call: Call, { service }: WrittenService, view: View): Promise<Answer> {
  const beside = besideOf(view);
  const isBare = Object.keys(beside).length === 0;
  const now = isBare ? service : await findServiceWith(call.db, service.id, beside);
  return show(call, now ?? service, view);
}

export async function queryById(call: Call): Promise<Answer> {
  const faults = new Faults();
  const id = faults.require(serviceId, ['serviceId'], call.request.params['service_id'], 0n);
  const view = readView(call, 'SERVICE', faults);
  faults.throwIfAny();
  const service = await getServiceWith(call.db, id, besideOf(view));
  const headers = tagOf(service);
  if (hasCurrent(call, headers.etag)) return { status: 304, headers };
  return show(call, service, view);
}

async function show(call: Call, service: ShownService, view: View): Promise<Answer> {
  const registry = await registryOf(call, [service]);
  return { status: 200, headers: tagOf(service), json: serviceJson(service, view, registry) };
}

export function queryOfCustomer(status?: Status): Operation {
  return (call) => {
    const faults = new Faults();
    const customer = faults.require(customerId, ['customerId'], call.request.params['customer_id'], '');
    return list(call, { customerId: customer, status }, faults);
  };
}

export function queryAnonymous(status?: Status): Operation {
  return (call) => {
    const faults = new Faults();
    const key = faults.require(contactKey, ['contactKey'], call.request.params['contact_key'], '');
    return list(call, { contactKey: key, status }, faults);
  };
}

async function list(call: Call, owner: ServiceFilter, faults: Faults): Promise<Answer> {
  const { filter, limit, after, view } = readServiceList(call, faults);
  faults.throwIfAny();
  const page = { after, limit: oneMore(limit), budget: call.budget };
  const found = await listServices(call.db, Object.assign(filter, owner), page, besideOf(view));
  const registry = await registryOf(call, found);
  return answerList(call, { found, limit }, (service) => serviceJson(service, view, registry));
}

function withBusinessUnit({ businessUnit }: Call, input: ServiceInput): ServiceInput {
  return Object.assign(input, { fields: { businessUnit, ...input.fields } });
}
