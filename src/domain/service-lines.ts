import type { Path } from '../errors.js';
import { seconds } from './durations.js';
import { type Json, jsonBytes, maxExtensionBytes } from './extension-records.js';
import { refuseUnknown } from './extension-schemas.js';
import { attachedDataKey, checkJson, maxServiceExtensionBytes, tooLargeTogether } from './extensions.js';
import { dateTime, type Faults, integer, isObject, oneOf, type Rules, text, typeCode } from './rules.js';
import { businessUnit, contactKey, customerId, partId } from './service-fields.js';
import { checkTogether, greatest } from './service-line-checks.js';
import { extensionScopes, importedId, type Row, type ServiceLine } from './transfer-format.js';

const versionRule = integer(1, 2_147_483_647);

const startEventRules = {
  session_id: text(32),
  interaction_id: text(50),
  application_type: typeCode,
  application_id: integer(),
  resource_type: typeCode,
  resource_id: integer(),
  media_type: typeCode,
  est_duration: integer(0),
  started_at: dateTime,
};

const endEventRules = {
  disposition: typeCode,
  disposition_desc: text(64),
  end_session_id: text(32),
  end_interaction_id: text(50),
  end_application_type: typeCode,
  end_application_id: integer(),
  end_resource_type: typeCode,
  end_resource_id: integer(),
  end_media_type: typeCode,
  completed_at: dateTime,
};

const serviceRules = {
  id: importedId,
  version: versionRule,
  prev_customer_id: customerId,
  associated_version: versionRule,
  customer_id: customerId,
  contact_key: contactKey,
  business_unit: businessUnit,
  service_type: typeCode,
  ...startEventRules,
  expires_at: dateTime,
  auto_complete_after: seconds,
  ...endEventRules,
  next_state_id: partId,
  next_task_id: partId,
  auto_complete_at: dateTime,
  updated_at: dateTime,
};

const stateRules = {
  id: partId,
  state_type: typeCode,
  previous_state_id: partId,
  ...startEventRules,
  ...endEventRules,
};
const taskRules = { id: partId, task_type: typeCode, state_id: partId, ...startEventRules, ...endEventRules };

const extensionRules = { scope: oneOf(extensionScopes), owner_id: partId, name: attachedDataKey };

const associationRules = {
  version: versionRule,
  kind: oneOf(['START', 'ASSOCIATE', 'UNDO']),
  from_customer_id: customerId,
  to_customer_id: customerId,
  reason: text(256),
  actor: text(128),
  principal: text(4_096),
  front: oneOf(['GRAPHQL', 'REST']),
  request_id: text(128, 1),
  occurred_at: dateTime,
  recorded_at: dateTime,
};

const partMembers = ['states', 'tasks', 'extensions', 'associations'] as const;

/** Reads what stands in a line of a service. What is not given follows from the rest; every fault goes to `faults`. */
export function readServiceLine(given: unknown, faults: Faults): ServiceLine {
  const entry = isObject(given) ? given : {};
  if (entry !== given) faults.add([], { message: 'must be an object' });
  refuseUnknown(entry, [...Object.keys(serviceRules), ...partMembers], [], faults);
  const row = readRow(entry, { rules: serviceRules, required: ['id', 'started_at'] }, [], faults);
  const read = (member: (typeof partMembers)[number], form: Form) =>
    readRows(entry[member], form, [member], faults);
  const states = read('states', { rules: stateRules, required: ['id', 'started_at'] });
  const tasks = read('tasks', { rules: taskRules, required: ['id', 'started_at'] });
  const associations = read('associations', {
    rules: associationRules,
    required: ['version', 'kind', 'front', 'request_id', 'occurred_at', 'recorded_at'],
  });
  const extensions = readRows(
    entry['extensions'],
    { rules: extensionRules, required: ['scope', 'owner_id', 'name'], others: ['value'] },
    ['extensions'],
    faults,
  );
  const id = String(row['id'] ?? 0);
  const service = withDefaults({ ...row, id }, { states, tasks, associations });
  const line = {
    ...{ id, service, states: byId(states), tasks: byId(tasks) },
    extensions: readExtensions(entry['extensions'], extensions, faults),
    associations: byVersion(associations),
  };
  // What is wrong in itself is not compared.
  if (faults.list.length === 0) checkTogether(line, faults);
  return line;
}

type Form = { rules: Rules; required: readonly string[]; others?: readonly string[] };

function readRows(given: unknown, form: Form, path: Path, faults: Faults): Row[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    faults.add(path, { message: 'must be a list' });
    return [];
  }
  return given.map((entry: unknown, index) => {
    const place = [...path, index];
    if (isObject(entry)) {
      refuseUnknown(entry, [...Object.keys(form.rules), ...(form.others ?? [])], place, faults);
      return readRow(entry, form, place, faults);
    }
    faults.add(place, { message: 'must be an object' });
    return {};
  });
}

/** Null is the same as absent. */
function readRow(entry: Row, { rules, required }: Form, path: Path, faults: Faults): Row {
  const given = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null));
  for (const name of required) {
    if (given[name] === undefined) faults.add([...path, name], { message: 'is required' });
  }
  return faults.read(rules, given, path);
}

type Parts = Pick<ServiceLine, 'states' | 'tasks' | 'associations'>;

function withDefaults(service: Row, { states, tasks, associations }: Parts): Row {
  const associated = greatest(associations, 'version');
  return {
    version: Math.max(1, associated),
    associated_version: Math.max(1, associated),
    next_state_id: greatest(states, 'id') + 1,
    next_task_id: greatest(tasks, 'id') + 1,
    updated_at: service['completed_at'] ?? service['started_at'],
    ...service,
  };
}

function byId(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => Number(one['id']) - Number(other['id']));
}

function byVersion(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => Number(one['version']) - Number(other['version']));
}

/** With what their rows have besides: the name's key, and the bytes that count for the limit of a service. */
function readExtensions(given: unknown, rows: readonly Row[], faults: Faults): Row[] {
  const values: unknown[] = Array.isArray(given) ? given : [];
  const extensions = rows.map((row, index) => {
    const value: unknown = isObject(values[index]) ? values[index]['value'] : undefined;
    const path = ['extensions', index, 'value'];
    if (value === undefined || value === null) faults.add(path, { message: 'is required' });
    const name = String(row['name'] ?? '');
    return { ...row, name_key: name.toLowerCase(), value, size_bytes: readSize(name, value, path, faults) };
  });
  const bytes = extensions.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (bytes > maxServiceExtensionBytes) faults.add(['extensions'], tooLargeTogether(bytes));
  return extensions.toSorted((one, other) => compare(sortKey(one), sortKey(other)));
}

/** The name's bytes count, too. */
function readSize(name: string, value: unknown, path: Path, faults: Faults): number {
  const before = faults.list.length;
  checkJson(value, path, faults);
  if (faults.list.length > before) return 0;
  // It was walked: it is JSON.
  const bytes = jsonBytes(value as Json);
  const message = `must be at most ${maxExtensionBytes} bytes of JSON, is ${bytes}`;
  if (bytes > maxExtensionBytes) faults.add(path, { message, isTooLarge: true });
  return bytes + Buffer.byteLength(name);
}

function sortKey({ scope, owner_id, name_key }: Row): string {
  return `${scope} ${String(owner_id).padStart(10, '0')} ${name_key}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
