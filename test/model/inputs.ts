import type { Act, Command, Fields, Refusal } from './acts.js';

/** What an input can be told to be wrong by itself, whatever there is. */
export function faultsOf(act: Act, now: number): Refusal[] {
  const isSound = Object.entries(act.fields).every(
    ([name, value]) => fits(name, value, now) || isOverruled(act, name),
  );
  return isSound && !clearsType(act) && !saysExpiry(act) ? [] : ['INVALID'];
}

/** Some operations are of one generation alone. */
export function hasOperation({ kind, front }: Pick<Command, 'kind' | 'front'>): boolean {
  if (front === 'graphql') return true;
  if (kind === 'updateService') return false;
  if (newOperations.includes(kind)) return front === '8.5';
  return front === 'bare' || !['updateExtensionRecord', 'deleteExtensionRecord'].includes(kind);
}

const newOperations: Command['kind'][] = [
  'mergeExtension',
  'setServiceExpiry',
  'deleteService',
  'startComposite',
  'purgeServices',
];

/** Names that are reserved under the bare paths. */
function saysExpiry({ front, fields }: Act): boolean {
  return front === 'bare' && expiryFields.some((name) => fields[name] !== undefined);
}

/** Where both are given, ttl wins. */
function isOverruled({ fields }: Act, name: string): boolean {
  return name === 'expirationTime' && fields['ttl'] !== undefined;
}

/** Under the bare paths a service has a type, and keeps one. */
function clearsType({ front, fields }: Act): boolean {
  return front === 'bare' && fields['serviceType'] === null;
}

const mostCharacters: { [name: string]: number } = {
  sessionId: 32,
  interactionId: 50,
  dispositionDesc: 64,
  customerId: 64,
  contactKey: 128,
  reason: 256,
};

export const expiryFields = ['ttl', 'expirationTime', 'autoCompleteAfter'];
const mostSeconds = 100 * 365 * 24 * 60 * 60;

const typeCodes = /^(service|state|task|application|resource|media)Type$|^disposition$/;
const hoursAhead = 24 * 60 * 60 * 1000;

function fits(name: string, value: Fields[string] | undefined, now: number): boolean {
  if (value === null || value === undefined) return true;
  if (name === 'timestamp') return Date.parse(String(value)) <= now + hoursAhead;
  if (name === 'expirationTime') return Date.parse(String(value)) > now;
  if (name === 'ttl' || name === 'autoCompleteAfter')
    return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostSeconds;
  if (name === 'estDuration') return Number.isSafeInteger(value) && Number(value) >= 0;
  if (typeCodes.test(name))
    return typeof value === 'string' ? [...value].length <= 64 : Number.isSafeInteger(value);
  const most = mostCharacters[name];
  return most === undefined ? Number.isSafeInteger(value) : [...String(value)].length <= most;
}
