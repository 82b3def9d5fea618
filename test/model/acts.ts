/** The two base paths of the REST API, and GraphQL. */
export type Front = 'bare' | '8.5' | 'graphql';

export const kinds = [
  'startService',
  'associateService',
  'updateService',
  'completeService',
  'undoAssociation',
  'startState',
  'completeState',
  'transitionState',
  'startTask',
  'completeTask',
  'setExtension',
  'mergeExtension',
  'updateExtensionRecord',
  'deleteExtensionRecord',
  'setServiceExpiry',
  'deleteService',
] as const;

/** What is done, under the name that GraphQL gives it. */
export type Kind = (typeof kinds)[number];

export type Scope = 'SERVICE' | 'STATE' | 'TASK';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** In a call: `null` removes it, anything else replaces what is stored. */
export type Extension = { name: string; value: Json };

/** Under the names of GraphQL; absent is unchanged, `null` clears. */
export type Fields = { [name: string]: string | number | null };

/** One call on one service, the same whichever front it is made over. */
export type Act = {
  kind: Kind;
  front: Front;
  /** Null for a start. */
  serviceId: string | null;
  /** The number of the state or task that is acted on. */
  part: number | null;
  fields: Fields;
  /** For an act on an extension it alone. */
  extensions: Extension[];
  /** What the extensions hang on. */
  scope: Scope;
  expectedVersion: number | null;
  idempotencyKey: string | null;
};

/** What a composite start says of a service, a state or a task. */
export type Given = { fields: Fields; extensions: Extension[] };

export type CompositeEntry = {
  service: Given;
  state: Given;
  task: Given | null;
  isTaskOfState: boolean;
  isNewService: boolean;
};

/** A call that finds services with their states and tasks, or else starts them. */
export type CompositeStart = {
  kind: 'startComposite';
  front: Exclude<Front, 'graphql'>;
  entries: CompositeEntry[];
  idempotencyKey: string | null;
};

export const operations = [
  'ALL',
  'STARTED',
  'STARTED_ANONYMOUS',
  'COMPLETED',
  'COMPLETED_ANONYMOUS',
] as const;

export type Operation = (typeof operations)[number];

/** A call that begins a purge. */
export type PurgeStart = {
  kind: 'purgeServices';
  front: Front;
  operation: Operation;
  startedTo: string;
  isDryRun: boolean;
  idempotencyKey: string | null;
};

export type Command = Act | CompositeStart | PurgeStart;

export type Refusal = 'INVALID' | 'NOT_FOUND' | 'CONFLICT' | 'STALE_VERSION' | 'IDEMPOTENCY_KEY_REUSED';

/** The common fields of events, but for the timestamp. */
export const eventFields = [
  'sessionId',
  'interactionId',
  'applicationType',
  'applicationId',
  'resourceType',
  'resourceId',
  'mediaType',
];

/** Of an act on one extension. */
export function theOne({ extensions: [extension] }: Act): Extension {
  if (!extension) throw new Error('the act has no extension');
  return extension;
}

/** Without what is undefined. */
export function present(fields: { [name: string]: Fields[string] | undefined }): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
