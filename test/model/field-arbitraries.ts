import fc, { type Arbitrary } from 'fast-check';
import type { Fields, Front } from './acts.js';
import { expiryFields } from './inputs.js';
import { unknownPart } from './planning.js';
import {
  choice,
  clearable,
  contactKeys,
  customers,
  integer,
  mostly,
  timestamp,
  typeCode,
  word,
} from './values.js';

/** What the fields are given as, but for the null that clears most of them. */
const fields = {
  sessionId: mostly(word, ['x'.repeat(33)]),
  interactionId: mostly(word, ['x'.repeat(51)]),
  applicationType: typeCode,
  applicationId: integer,
  resourceType: typeCode,
  resourceId: integer,
  mediaType: typeCode,
  timestamp,
  estDuration: mostly(choice(0, 60, 86_400), [-1]),
  disposition: typeCode,
  dispositionDesc: mostly(word, ['x'.repeat(65)]),
  customerId: mostly(choice<string>(...customers), ['x'.repeat(65)]),
  contactKey: mostly(choice<string>(...contactKeys), ['x'.repeat(129)]),
  reason: mostly(choice('größe ✓', 'a, b; c'), ['x'.repeat(257)]),
  serviceType: mostly(typeCode, [null]),
  stateType: mostly(typeCode, [null]),
  taskType: mostly(typeCode, [null]),
  ttl: mostly(choice(1, 60, 3_600, 86_400), [0, 3_153_600_001]),
  /** Milliseconds from now. */
  expirationTime: mostly(choice(1, 60_000, 3_600_000, 100_000_000), [0]),
  autoCompleteAfter: mostly(choice(1, 60, 1_800), [0]),
  previousStateId: mostly(choice(0, 0, 1), [unknownPart]),
  stateId: mostly(choice(0, 0, 1), [unknownPart]),
};

export type Name = keyof typeof fields;

const event: Name[] = [
  'sessionId',
  'interactionId',
  'applicationType',
  'applicationId',
  'resourceType',
  'resourceId',
  'mediaType',
];
export const part: Name[] = [...event, 'timestamp', 'estDuration'];
export const end: Name[] = [...event, 'timestamp', 'disposition', 'dispositionDesc'];
export const update: Name[] = [
  ...event,
  'serviceType',
  'contactKey',
  'estDuration',
  'disposition',
  'dispositionDesc',
  'autoCompleteAfter',
];
export const expiry: Name[] = ['ttl', 'expirationTime'];

/** Those of the usual fields are hardly ever left out; under the bare paths those of an expiry are. */
export function fieldsOf(names: readonly Name[], usual: readonly Name[], front: Front): Arbitrary<Fields> {
  const allowed = names.filter((name) => !expiryFields.includes(name));
  if (front !== 'bare' || allowed.length === names.length) return someOf(names, usual);
  return fc.oneof(
    { weight: 12, arbitrary: someOf(allowed, usual) },
    { weight: 1, arbitrary: someOf(names, usual) },
  );
}

function someOf(names: readonly Name[], usual: readonly Name[]): Arbitrary<Fields> {
  const values = [
    ...names.map((name) => [
      name,
      name === 'reason' ? fields[name] : clearable<Fields[string]>(fields[name]),
    ]),
    ...usual.map((name) => [name, fields[name]]),
  ];
  return fc.record<Fields>(Object.fromEntries(values), { requiredKeys: [...usual] });
}
