import { type Act, eventFields, type Fields, type Refusal } from './acts.js';
import { replaceExtensions } from './extensions.js';
import { type Entry, type Item, type Occasion, ownerOf, type Service } from './world.js';

/** Starts a state or a task. */
export function startPart(service: Service, parts: Item[], act: Act, now: number): Refusal[] {
  const part: Item = { fields: {}, started: occasionOf(act, now), completed: null, extensions: [] };
  assign(part.fields, act.fields, ['stateType', 'taskType', 'estDuration', 'previousStateId', 'stateId']);
  const { previousStateId = null, stateId = null } = act.fields;
  const named = [previousStateId, stateId].filter((one) => one !== null);
  const isKnown = named.every((one) => service.states[Number(one)]);
  const refusals: Refusal[] = [
    ...(service.completed ? ['CONFLICT' as const] : []),
    ...(isKnown ? [] : ['NOT_FOUND' as const]),
    ...needsType(act, act.kind === 'startTask' ? 'taskType' : 'stateType'),
    ...replaceExtensions(part.extensions, act),
  ];
  parts.push(part);
  return refusals;
}

/** Without a time of its own the end is now, or the start where that lies ahead. */
export function end(item: Item, act: Act, now: number): Refusal[] {
  if (item.completed) return ['CONFLICT'];
  const { timestamp } = act.fields;
  item.completed = occasionOf(act, Math.max(now, item.started.at));
  assign(item.fields, act.fields, ['disposition', 'dispositionDesc']);
  return timestamp && item.completed.at < item.started.at ? ['INVALID'] : [];
}

export function endPart(part: Item | undefined, act: Act, now: number): Refusal[] {
  return part ? end(part, act, now) : ['NOT_FOUND'];
}

/** What is open in a service ends with it. */
export function endParts({ states, tasks, completed }: Service): void {
  for (const part of [...states, ...tasks]) {
    part.completed ??= { at: Math.max(completed?.at ?? 0, part.started.at), fields: {} };
  }
}

export function occasionOf({ fields }: Act, usual: number): Occasion {
  const occasion: Occasion = {
    at: fields['timestamp'] ? Date.parse(String(fields['timestamp'])) : usual,
    fields: {},
  };
  assign(occasion.fields, fields, eventFields);
  return occasion;
}

export function recordOwner(
  service: Service,
  act: Act,
  now: number,
  kind: Entry['kind'],
  from: string | null,
): void {
  service.history.push({
    version: service.version,
    kind,
    from,
    to: ownerOf(service),
    reason: (act.fields['reason'] ?? null) as string | null,
    front: act.front === 'graphql' ? 'GRAPHQL' : 'REST',
    occurredAt: occasionOf(act, now).at,
    recordedAt: now,
  });
}

/** Without a customer there is a contact key, or nobody would find the service. */
export function findable({ fields }: Service): Refusal[] {
  return (fields['customerId'] ?? fields['contactKey'] ?? null) === null ? ['INVALID'] : [];
}

export function needsType({ front, fields }: Act, name: string): Refusal[] {
  return front === 'bare' && (fields[name] ?? null) === null ? ['INVALID'] : [];
}

/** Absent is unchanged, `null` clears. */
export function assign(stored: Fields, given: Fields, names: readonly string[]): void {
  for (const name of names) {
    const value = given[name];
    if (value === null) delete stored[name];
    else if (value !== undefined) stored[name] = value;
  }
}
