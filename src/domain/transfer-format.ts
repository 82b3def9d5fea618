import { accept, dateTime, integer, isObject, nullable, type Rule, refuse, text } from './rules.js';

/**
 * What a tenant is written as, line by line, each a JSON object with one member that says what it is: a header,
 * what is defined, the services by their ids, and an end that tells what must have come before it. Described
 * in docs/command-line.md.
 */
export const formatVersion = 1;

export const headerKind = 'contextGatewayExport';
export const endKind = 'end';

/** What is defined, in the order in which it is written: mapped fields are shown as `mapNames` says as soon as they are. */
export const registryKinds = ['extensionSchema', 'businessAttribute', 'mapNames', 'fieldMapping'] as const;
export type RegistryKind = (typeof registryKinds)[number];

export const serviceKind = 'service';

/** Ids up to here are taken: enough are left to start services for thousands of years. */
export const greatestId = 9_000_000_000_000_000_000n;

export const importedId: Rule<bigint> = (value) => {
  const isId = (typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value)) || Number.isSafeInteger(value);
  const id = isId ? BigInt(value as string | number) : 0n;
  return id >= 1n && id <= greatestId ? accept(id) : refuse(`must be an integer from 1 to ${greatestId}`);
};

/** What a line is: its one member, and what that holds. */
export function kindOf(line: unknown): { kind: string; value: unknown } | null {
  const [entry, ...more] = isObject(line) ? Object.entries(line) : [];
  return entry && more.length === 0 ? { kind: entry[0], value: entry[1] } : null;
}

export const headerRules = {
  formatVersion: integer(1),
  gateway: text(64),
  tenant: text(64),
  exportedAt: dateTime,
  startedFrom: nullable(dateTime),
  startedTo: nullable(dateTime),
  /** The newest id that was given away, whether its service is still there or not. */
  lastServiceId: nullable(importedId),
};

export const endRules = { contentHash: text(80) };

/** A row of a table under the names of its columns; what is null is absent. */
export type Row = Readonly<Record<string, unknown>>;

/** A service with all that hangs on it, checked, and as it is to be stored: alike for two lines that say the same. */
export type ServiceLine = {
  /** Its digits; 0 where what is given is none. */
  id: string;
  service: Row;
  states: readonly Row[];
  tasks: readonly Row[];
  extensions: readonly Row[];
  associations: readonly Row[];
};

export const extensionScopes = ['SERVICE', 'STATE', 'TASK'] as const;
