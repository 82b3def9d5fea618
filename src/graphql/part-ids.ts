import { accept, type Rule, refuse, serviceId } from '../domain/rules.js';
import { partId } from '../domain/service-fields.js';
import type { PartKey } from '../domain/states.js';
import type { Fault, Path } from '../errors.js';

/** Unique among all states, or all tasks: `1500:0` is the number 0 of the service 1500. */
export function encodePartKey({ serviceId: service, id }: PartKey): string {
  return `${service}:${id}`;
}

/** @param what how the fault calls what has such ids */
export function partKey(what: 'state' | 'task'): Rule<PartKey> {
  return (value) => {
    const [, service, number] = /^(\d{1,19}):(\d{1,10})$/.exec(String(value)) ?? [];
    const ids = { serviceId: serviceId(service), id: partId(Number(number)) };
    if (!ids.serviceId.ok || !ids.id.ok) return refuse(`must be the id of a ${what}, like 1500:0`);
    return accept({ serviceId: ids.serviceId.value, id: ids.id.value });
  };
}

/** Names a state or a task of an input; where its id is none, the fault is to be answered with the rest. */
export type NamedPart = { serviceId: string; id: number | null; faults: readonly Fault[] };

export function namePart(what: 'state' | 'task', path: Path, given: unknown): NamedPart {
  const checked = partKey(what)(given);
  if (checked.ok) return { serviceId: String(checked.value.serviceId), id: checked.value.id, faults: [] };
  // Stands in, until the fault is thrown.
  return { serviceId: '1', id: 0, faults: [{ path, ...checked.fault }] };
}

/** The same of a state that has to belong to a service which is named as well. */
export function nameStateOf(service: string, path: Path, given: unknown): NamedPart {
  if (given === undefined || given === null) return { serviceId: service, id: null, faults: [] };
  const named = namePart('state', path, given);
  const owner = serviceId(service);
  // What is wrong with the service's own id is told by its own rule.
  const isItsOwn = !owner.ok || named.serviceId === String(owner.value);
  if (named.faults.length > 0 || isItsOwn) return { ...named, serviceId: service };
  return { serviceId: service, id: 0, faults: [{ path, message: 'must be a state of the same service' }] };
}
