import type { Dialect } from '../call.js';
import type { Parameter } from './parameters.js';
import type { RefusedStatus, Response } from './responses.js';
import type { Schema } from './schema.js';

/** What a row of the table of routes is to somebody who reads the document. */
export type Described = {
  /** Its name in generated clients, one of its own. */
  id: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** Beside those of the path and those that every call takes. */
  parameters?: readonly Parameter[];
  body?: Body;
  answers: Readonly<Record<number, Response>>;
  /** Beside those that every call can be answered. */
  refusals?: readonly RefusedStatus[];
  /** For everybody, without credentials. */
  isOpen?: true;
};

export type Body = {
  schema: Schema;
  /** Whether one that is absent or empty will do. */
  isOptional?: true;
  example?: unknown;
};

/** The chapters of the document, in their order. */
export const tags = {
  Services: 'Commitments to customers: starting, associating, completing and finding them.',
  States: 'What a service goes through.',
  Tasks: 'What is to be done for a service, or in one of its states.',
  Extensions: 'Named JSON records of services, states and tasks.',
  Metadata: 'What extensions and fields may hold.',
  Maintenance: 'Purges, exports and the mode of the server.',
  Events: 'What changed, for those who follow it.',
  Operation: 'Whether the gateway serves, and how it does.',
} as const;

export type Tag = keyof typeof tags;

/** By method and path, as the table of routes has them; each as the generation of the API has it. */
export type Descriptions = Readonly<Record<string, (dialect: Dialect) => Described>>;
