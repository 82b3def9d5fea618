import { isReservedName } from '../domain/extension-schemas.js';
import type { GivenExtension } from '../domain/extensions.js';
import { isObject, serviceId } from '../domain/rules.js';
import type { ServiceInput } from '../domain/service-fields.js';
import type { Fault } from '../errors.js';
import { decodePercent } from '../percent-encoding.js';
import type { Call } from './call.js';
import { type EventFields, transitionEvent, transitionParts } from './names.js';
import { numberOf } from './query.js';

/**
 * What a call says of a service: the ids of its path, the fields of its body, and as extensions
 * whatever else the body has. What is wrong with that is left to the domain to tell, with the rest.
 */
export function readServiceInput(
  call: Call,
  event: EventFields,
  emptyBody: 'refused' | 'allowed',
): ServiceInput {
  const {
    request: { params },
    dialect: { takesAttachedData, requiresType },
  } = call;
  const faults: Fault[] = [];
  const body = readBody(call, faults, emptyBody);
  for (const [name, inPath] of Object.entries(params)) {
    if (body[name] !== undefined) requireSameId(name, body[name], inPath, faults);
  }
  const { fields, extensions } = readEvent(body, event, faults, params);
  Object.assign(fields, readFields(call, faults));
  return { fields, extensions, takesAttachedData, requiresType, faults };
}

/**
 * The fields of an event; whatever else it has are extensions.
 * @param known what the path has said already
 */
export function readEvent(
  body: Readonly<Record<string, unknown>>,
  event: EventFields,
  faults: Fault[],
  known: Readonly<Record<string, string>> = {},
): { fields: Record<string, unknown>; extensions: GivenExtension[] } {
  const fields: Record<string, unknown> = {};
  const extensions: GivenExtension[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (Object.hasOwn(known, name)) continue;
    const field = event.get(name);
    if (field !== undefined) fields[field] = value;
    else if (isReservedName(name)) faults.push(notAField(name, event));
    else extensions.push({ name, value });
  }
  return { fields, extensions };
}

/** A body whose `from` and `to` have fields of their own. */
export function readTransition(call: Call): ServiceInput {
  const input = readServiceInput(call, transitionEvent, 'refused');
  const faults = [...input.faults];
  const fields: Record<string, unknown> = { ...input.fields };
  for (const [part, names] of Object.entries(transitionParts)) {
    fields[part] = readPart(fields[part], part, names, faults);
  }
  return { ...input, fields, faults };
}

/** What is no object is left for the domain to refuse. */
function readPart(value: unknown, part: string, names: EventFields, faults: Fault[]): unknown {
  if (!isObject(value)) return value;
  const fields: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const field = names.get(name);
    if (field !== undefined) fields[field] = member;
    else
      faults.push({
        path: [part, name],
        message: `is no field of ${part}`,
        allowed: [...names.keys()],
        isOfName: true,
      });
  }
  return fields;
}

/** A body that is the value of the extension that the path names. */
export function readExtensionInput(call: Call): ServiceInput {
  const {
    params: { name = '' },
    body: value,
  } = call.request;
  const faults: Fault[] = [];
  const fields = readFields(call, faults);
  if (value === undefined)
    faults.push({ path: ['body'], message: 'must be the value of the extension, as JSON' });
  return { fields, extensions: [{ name, value }], ...rulesOf(call), faults };
}

/** The ids of the path and what the headers say. */
export function readFields(call: Call, faults: Fault[]): Record<string, unknown> {
  const { params, headers } = call.request;
  const fields: Record<string, unknown> = {
    serviceId: params['service_id'],
    reason: readText('reason', headers['x-reason'], faults),
    actor: readText('actor', headers['x-actor'], faults),
    idempotencyKey: headers['idempotency-key'],
    expectedVersion: readVersion(headers['if-match'], faults),
  };
  if (params['customer_id'] !== undefined) fields['customerId'] = params['customer_id'];
  if (params['state_id'] !== undefined) fields['stateId'] = numberOf(params['state_id']);
  if (params['task_id'] !== undefined) fields['taskId'] = numberOf(params['task_id']);
  return fields;
}

export function rulesOf({ dialect: { takesAttachedData, requiresType } }: Call) {
  return { takesAttachedData, requiresType };
}

/** A body that is absent or empty is undefined. */
export function readBody(
  { request: { body } }: Call,
  faults: Fault[],
  emptyBody: 'refused' | 'allowed',
): Readonly<Record<string, unknown>> {
  if (body === undefined && emptyBody === 'allowed') return {};
  if (isObject(body)) return body;
  faults.push({ path: ['body'], message: 'must be a JSON object' });
  return {};
}

function requireSameId(name: string, given: unknown, inPath: string, faults: Fault[]): void {
  if (!isSameId(name, given, inPath))
    faults.push({ path: [name], message: 'must be the id that the path has, where it is given' });
}

function isSameId(name: string, given: unknown, inPath: string): boolean {
  if (name === 'customer_id') return given === inPath;
  if (name !== 'service_id') return numberOf(given) === numberOf(inPath);
  const [one, other] = [serviceId(given), serviceId(inPath)];
  // What is wrong with the path's own is told by its own rule.
  return !other.ok || (one.ok && one.value === other.value);
}

function notAField(name: string, event: EventFields): Fault {
  return {
    path: [name],
    message: 'is a reserved name, and no field of this operation',
    allowed: [...event.keys()],
  };
}

/** Headers are ASCII: what is beyond comes as percent-encoded UTF-8. */
function readText(field: string, given: unknown, faults: Fault[]): string | undefined {
  if (given === undefined) return undefined;
  const decoded = decodePercent(String(given));
  if (decoded === undefined) faults.push({ path: [field], message: 'must be percent-encoded UTF-8' });
  return decoded;
}

/** The version that `ETag` told; `*` is any. */
function readVersion(ifMatch: string | undefined, faults: Fault[]): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  const ours = tags.flatMap((tag) => /^"(\d{1,9})"$/.exec(tag)?.[1] ?? []);
  const areTags = tags.every((tag) => /^(W\/)?"[^"]*"$/.test(tag));
  // Weak tags and those of others match no version: there is none of 0.
  if (areTags && ours.length <= 1) return Number(ours[0] ?? 0);
  faults.push({ path: ['expectedVersion'], message: 'must be one entity tag of ours, like "7", or *' });
  return undefined;
}
