import type { Registry } from '../db/registry.js';
import type { Fault, Path } from '../errors.js';
import type { Extension, ExtensionSchema, ExtensionScope } from '../generated/prisma/client.js';
import {
  checkRecords,
  inSchemaOrder,
  isKeptAsGiven,
  type Json,
  jsonBytes,
  maxExtensionBytes,
} from './extension-records.js';
import { extensionName, isReservedName, recordSchema, schemaNamed } from './extension-schemas.js';
import { type Faults, type Rule, refuse, text, unstorable } from './rules.js';

/** An extension as a caller gives it: `null` removes it, anything else replaces what is stored. */
export type GivenExtension = { name: string; value: unknown };

/** What an extension hangs on. Without an id it is the state or the task that the act starts; a service has the id 0. */
export type Owner = { scope: ExtensionScope; ownerId: number | null };

export type OwnedExtension = GivenExtension & Owner;

/** An extension as it is stored; `value` null where it is to be removed. */
export type ExtensionWrite = {
  scope: ExtensionScope;
  owner_id: number | null;
  name_key: string;
  name: string;
  value: Json;
  size_bytes: number;
};

/** Limit of ours, in bytes of UTF-8 JSON (legacy contract, values). */
export const maxServiceExtensionBytes = 256 * 1024;
const mostExtensions = 50;
const deepestValue = 32;

export type ExtensionCheck = {
  registry: Registry;
  /** Without a schema of its name an extension is attached data, any JSON value (8.5). */
  takesAttachedData: boolean;
};

/** Checks extensions against the registry and answers them as they are to be stored. */
export function checkExtensions(
  given: readonly OwnedExtension[],
  check: ExtensionCheck,
  faults: Faults,
): ExtensionWrite[] {
  if (given.length > mostExtensions) {
    faults.add(['extensions'], { message: `must be at most ${mostExtensions} a call, are ${given.length}` });
    return [];
  }
  const writes = given.map((extension) => checkExtension(extension, check, faults));
  checkNamesDiffer(given, faults);
  const bytes = writes.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (bytes > maxServiceExtensionBytes) faults.add(['extensions'], tooLargeTogether(bytes));
  return writes;
}

export function tooLargeTogether(bytes: number): Omit<Fault, 'path'> {
  const message = `of one service must be at most ${maxServiceExtensionBytes} bytes together, would be ${bytes}`;
  return { message, isTooLarge: true };
}

function checkExtension(
  { name, value, scope, ownerId }: OwnedExtension,
  check: ExtensionCheck,
  faults: Faults,
): ExtensionWrite {
  const path = ['extensions', name];
  const schema = schemaNamed(check.registry, scope, name);
  const written = (kept: Json, size_bytes: number): ExtensionWrite => ({
    scope,
    owner_id: ownerId,
    name_key: name.toLowerCase(),
    name: schema?.name ?? name,
    value: kept,
    size_bytes,
  });
  if (!schema && !check.takesAttachedData) {
    const allowed = check.registry.schemas
      .filter((known) => known.scope === scope)
      .map((known) => known.name);
    faults.add(path, {
      message: 'is neither a field of this operation nor an extension with a schema',
      allowed,
      isOfName: true,
    });
  }
  if (!schema && check.takesAttachedData) faults.check(attachedDataKey, path, name);
  if (value === null || value === undefined) return written(null, 0);

  const before = faults.list.length;
  const givenBytes = checkSize(value, path, faults);
  const known = schema && recordSchema(schema);
  if (known && faults.list.length === before && isKeptAsGiven(known, value)) {
    return written(value, givenBytes + Buffer.byteLength(name));
  }
  if (faults.list.length === before) checkJson(value, path, faults);
  // Large, deep or unstorable values are not looked at any closer.
  if (faults.list.length > before) return written(null, 0);
  // checkJson walked it all: it is JSON.
  const kept = known ? checkRecords(known, value, path, faults) : (value as Json);
  const bytes = kept === value ? givenBytes : checkSize(kept, path, faults);
  return written(kept, bytes + Buffer.byteLength(name));
}

/** Any key that is not empty (legacy contract, values). */
export const attachedDataKey: Rule<string> = (value) =>
  value === '__proto__' || isReservedName(String(value)) ? refuse('is reserved') : text(255, 1)(value);

/** @returns the bytes of the value as JSON; with its defaults filled in it may be more than was given */
function checkSize(value: unknown, path: Path, faults: Faults): number {
  const bytes = jsonBytes(value);
  if (bytes > maxExtensionBytes) faults.add(path, tooLarge(bytes));
  return bytes;
}

function tooLarge(bytes: number): Omit<Fault, 'path'> {
  return { message: `must be at most ${maxExtensionBytes} bytes of JSON, is ${bytes}`, isTooLarge: true };
}

/** Of one owner: a service, its state and its task may each have one of a name. */
function checkNamesDiffer(given: readonly OwnedExtension[], faults: Faults): void {
  const seen = new Set<string>();
  for (const { name, scope, ownerId } of given) {
    const key = `${scope} ${ownerId} ${name.toLowerCase()}`;
    if (seen.has(key))
      faults.add(['extensions', name], { message: 'is given twice; case makes no difference' });
    seen.add(key);
  }
}

/** What JSON can say and PostgreSQL can keep. Every fault goes to `faults` with its path. */
export function checkJson(value: unknown, path: Path, faults: Faults, depth = 1): void {
  if (depth > deepestValue) {
    faults.add(path, { message: `must not be nested deeper than ${deepestValue} levels` });
  } else if (typeof value === 'object' && value !== null) {
    checkMembers(value, path, faults, depth);
  } else {
    const problem = scalarProblem(value);
    if (problem) faults.add(path, { message: problem });
  }
}

function checkMembers(value: object, path: Path, faults: Faults, depth: number): void {
  const isArray = Array.isArray(value);
  for (const [key, member] of Object.entries(value)) {
    const step = isArray ? Number(key) : key;
    const problem = isArray ? undefined : memberProblem(key);
    if (problem) faults.add([...path, step], { message: problem });
    checkJson(member, [...path, step], faults, depth + 1);
  }
}

function scalarProblem(value: unknown): string | undefined {
  if (typeof value === 'string') return unstorable(value);
  const isBeyond = typeof value === 'number' && !Number.isFinite(value);
  return isBeyond ? 'must be a number that a double can hold' : undefined;
}

function memberProblem(key: string): string | undefined {
  return key === '__proto__' ? 'is reserved' : unstorable(key);
}

export type ShownExtension = Pick<Extension, 'serviceId' | 'ownerId' | 'name'> & {
  value: Json;
  schema: ExtensionSchema | undefined;
};

/** An extension as it is answered: under its schema's spelling, attributes in its schema's order. */
export function showExtension(registry: Registry, extension: Extension): ShownExtension {
  const { serviceId, ownerId, scope, name } = extension;
  const schema = schemaNamed(registry, scope, name);
  const value = extension.value as Json;
  if (!schema) return { serviceId, ownerId, name, value, schema };
  const { attributes } = recordSchema(schema);
  return { serviceId, ownerId, name: schema.name, value: inSchemaOrder(attributes, value), schema };
}

/** Whether a name in a query can be an extension's at all; those that cannot are simply not there. */
export function nameKeys(names: readonly string[]): string[] {
  return names
    .filter((name) => extensionName(name).ok || attachedDataKey(name).ok)
    .map((name) => name.toLowerCase());
}
