import { type CompositeInput, type CompositeStart, startComposite } from '../domain/composite-starts.js';
import { Faults, isObject, list, type Rule, refuse } from '../domain/rules.js';
import type { ServiceInput } from '../domain/service-fields.js';
import { type Fault, Invalid } from '../errors.js';
import { readBody, readEvent, readFields, rulesOf } from './bodies.js';
import type { Answer, Call } from './call.js';
import { compositeEvents } from './names.js';
import { replayedHeader } from './wire.js';

const mostEntries = 50;
const members = ['service', 'state', 'task', 'associate_state_task', 'create_new_services'];

export async function start(call: Call): Promise<Answer> {
  const { entries, idempotencyKey } = readEntries(call);
  const composite = await startComposite(call.db, call.origin, entries, idempotencyKey);
  const [first] = composite.starts;
  return {
    status: 200,
    headers: { ...(first ? { location: locationOf(call, first) } : {}), ...replayedHeader(composite) },
    json: `[${composite.starts.map(startJson).join()}]`,
  };
}

/** The task's, or the state's where there is none. */
function locationOf({ dialect }: Call, { serviceId, stateId, task }: CompositeStart): string {
  const part = task ? `tasks/${task.id}` : `states/${stateId}`;
  return `${dialect.basePath}/services/${serviceId}/${part}`;
}

function startJson({ serviceId, serviceCreated, stateId, stateCreated, task }: CompositeStart): string {
  const others = JSON.stringify({
    service_created: serviceCreated,
    state_id: stateId,
    state_created: stateCreated,
    task_id: task?.id,
    task_created: task?.created,
  });
  return `{"service_id":${serviceId},${others.slice(1)}`;
}

/** @throws Invalid where the body has no list of entries; what is wrong with those is left to the domain to tell */
function readEntries(call: Call): { entries: CompositeInput[]; idempotencyKey: unknown } {
  const faults = new Faults();
  const { services, ...others } = readBody(call, faults.list, 'refused');
  for (const name of Object.keys(others)) {
    faults.add([name], { message: 'is no field of this operation', allowed: ['services'], isOfName: true });
  }
  const isBody = faults.list.length === 0 || services !== undefined;
  const given = isBody ? faults.require(objects, ['services'], services, []) : [];
  if (faults.list.length > 0) throw new Invalid(faults.list);
  const headers = readFields(call, faults.list);
  faults.throwIfAny();
  const entries = given.map((entry) => readEntry(call, entry, headers));
  return { entries, idempotencyKey: headers['idempotencyKey'] };
}

type Members = Readonly<Record<string, unknown>>;

const object: Rule<Members> = (value) =>
  isObject(value) ? { ok: true, value } : refuse('must be an object');

const objects = list(object, 1, mostEntries);

function readEntry(call: Call, entry: Members, headers: Members): CompositeInput {
  const faults = new Faults();
  for (const name of Object.keys(entry)) {
    if (!members.includes(name))
      faults.add([name], { message: 'is no field of an entry', allowed: members, isOfName: true });
  }
  const flag = (name: string) => faults.check(isFlag, [name], entry[name] ?? undefined) ?? false;
  const isTaskOfState = flag('associate_state_task');
  const isNewService = flag('create_new_services');
  return {
    service: readPart(call, entry, 'service', headers),
    state: readPart(call, entry, 'state', headers),
    task:
      entry['task'] === undefined || entry['task'] === null ? null : readPart(call, entry, 'task', headers),
    isTaskOfState,
    isNewService,
    faults: faults.list,
  };
}

const isFlag: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? { ok: true, value } : refuse('must be true or false');

function readPart(
  call: Call,
  entry: Members,
  part: keyof typeof compositeEvents,
  { reason, actor }: Members,
): ServiceInput {
  const faults: Fault[] = [];
  const body = object(entry[part]);
  if (!body.ok) {
    const message = entry[part] === undefined ? 'is required' : body.fault.message;
    return { fields: {}, extensions: [], ...rulesOf(call), faults: [{ path: [], message }] };
  }
  const { fields, extensions } = readEvent(body.value, compositeEvents[part], faults);
  const unit = part === 'service' ? { businessUnit: call.businessUnit } : {};
  return { fields: { ...fields, ...unit, reason, actor }, extensions, ...rulesOf(call), faults };
}
