import type { Registry } from '../db/registry.js';
import type { Path } from '../errors.js';
import { codeFor } from './field-mappings.js';
import { type Checked, Faults } from './rules.js';
import type { ServiceWrite } from './service-writes.js';

/** The columns that hold a type code, each with its field as callers know it and as mappings do. */
const codeColumns = {
  service_type: ['serviceType', 'type'],
  state_type: ['stateType', 'type'],
  task_type: ['taskType', 'type'],
  disposition: ['disposition', 'disposition'],
  application_type: ['applicationType', 'application_type'],
  end_application_type: ['applicationType', 'application_type'],
  resource_type: ['resourceType', 'resource_type'],
  end_resource_type: ['resourceType', 'resource_type'],
  media_type: ['mediaType', 'media_type'],
  end_media_type: ['mediaType', 'media_type'],
} as const;

type Entity = 'Service' | 'State' | 'Task';
type Member = (typeof codeColumns)[keyof typeof codeColumns][1];

/** The write with the codes of mapped fields as they are stored. What they refuse goes to `faults`. */
export function mapCodes(registry: Registry, write: ServiceWrite, faults: Faults): ServiceWrite {
  if (registry.mappings.size === 0) return write;
  const { event, columns, stateStart, stateEnd, taskStart, taskEnd } = write;
  const found = new Faults();
  const mapAll = <C extends object>(entity: Entity, part: C): C => {
    const pathOf = (field: string) => (event === 'STATE_TRANSITIONED' ? transitionPath(field) : [field]);
    return mapColumns(part, pathOf, found, (member, code) => codeFor(registry, `${entity}.${member}`, code));
  };
  const mapped = {
    ...write,
    columns: mapAll('Service', columns),
    ...(stateStart && { stateStart: mapAll('State', stateStart) }),
    ...(stateEnd && { stateEnd: mapAll('State', stateEnd) }),
    ...(taskStart && { taskStart: mapAll('Task', taskStart) }),
    ...(taskEnd && { taskEnd: mapAll('Task', taskEnd) }),
  };
  // Both ends of a transition have the fields of one event: what is wrong with them is told once.
  const byPath = new Map(found.list.map((fault) => [fault.path.join('.'), fault]));
  for (const { path, ...fault } of byPath.values()) faults.add(path, fault);
  return mapped;
}

function transitionPath(field: string): Path {
  if (field === 'stateType') return ['to', field];
  return field === 'disposition' ? ['from', field] : [field];
}

type Code = number | string;

function mapColumns<C extends object>(
  columns: C,
  pathOf: (field: string) => Path,
  faults: Faults,
  codeOf: (member: Member, code: Code) => Checked<Code>,
): C {
  const mapped: C = { ...columns };
  for (const [column, [field, member]] of Object.entries(codeColumns)) {
    const given: unknown = Reflect.get(columns, column);
    if (typeof given !== 'number' && typeof given !== 'string') continue;
    Reflect.set(
      mapped,
      column,
      faults.check(() => codeOf(member, given), pathOf(field), given),
    );
  }
  return mapped;
}
