import type { RequestContext } from '../context.js';
import { type ExtensionAct, listExtensions, writeExtension } from '../domain/extension-acts.js';
import { showExtension } from '../domain/extensions.js';
import type { ServiceInput } from '../domain/service-fields.js';
import type { WrittenService } from '../domain/service-writes.js';
import { Conflict, type Fault, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';
import { Extension } from './extensions.js';
import { namePart } from './part-ids.js';
import { described } from './service-descriptions.js';
import { type FieldsBuilder, retryInputs, versionInputs } from './service-inputs.js';
import { Service } from './services.js';

const ExtensionOwnerInput = builder.inputType('ExtensionOwnerInput', {
  description: 'What an extension hangs on: exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    serviceId: t.id({ description: 'A service, like `1500`.' }),
    stateId: t.id({ description: 'A state, like `1500:0`.' }),
    taskId: t.id({ description: 'A task, like `1500:0`.' }),
  }),
});

function extensionInputs(t: FieldsBuilder) {
  return {
    owner: t.field({
      type: ExtensionOwnerInput,
      required: true,
      description: 'What the extension hangs on.',
    }),
    schemaName: t.string({
      required: true,
      description: 'The name of the extension schema; case makes no difference.',
    }),
    ...versionInputs(t),
    ...retryInputs(t),
  };
}

const SetExtensionInput = builder.inputType('SetExtensionInput', {
  description: 'A new value of an extension.',
  fields: (t) => ({
    ...extensionInputs(t),
    value: t.field({
      type: 'JSON',
      description:
        'A record (single-valued extension) or an array of records (multi-valued one), as the schema says; `null` removes the extension. At most 32 KiB of JSON.',
    }),
  }),
});

const MergeExtensionInput = builder.inputType('MergeExtensionInput', {
  description: 'Attributes of a single-valued extension.',
  fields: (t) => ({
    ...extensionInputs(t),
    value: t.field({
      type: 'JSON',
      required: true,
      description:
        'The attributes to set; those that are `null` are taken away, the others stay as they are.',
    }),
  }),
});

const UpdateExtensionRecordInput = builder.inputType('UpdateExtensionRecordInput', {
  description: 'One record of a multi-valued extension, told by its unique attributes.',
  fields: (t) => ({
    ...extensionInputs(t),
    record: t.field({
      type: 'JSON',
      required: true,
      description:
        'All attributes of one unique list of the schema, which tell the record, and those to set; what is `null` is taken away, the others stay as they are.',
    }),
  }),
});

const DeleteExtensionRecordInput = builder.inputType('DeleteExtensionRecordInput', {
  description: 'One record of a multi-valued extension, told by its unique attributes.',
  fields: (t) => ({
    ...extensionInputs(t),
    record: t.field({
      type: 'JSON',
      required: true,
      description: 'All attributes of one unique list of the schema, which tell the record.',
    }),
  }),
});

/** With the extension that was written, by its name. */
type WrittenExtension = WrittenService & { act: ExtensionAct; name: string };

const SetExtensionPayload = payload('SetExtensionPayload', 'The extension was set, or removed.');
const MergeExtensionPayload = payload('MergeExtensionPayload', 'The extension was merged, or created.');
const UpdateExtensionRecordPayload = payload('UpdateExtensionRecordPayload', 'The record was updated.');
const DeleteExtensionRecordPayload = payload('DeleteExtensionRecordPayload', 'The record was deleted.');

function payload(name: string, description: string) {
  return builder.objectRef<WrittenExtension>(name).implement({
    description,
    fields: (t) => ({
      extension: t.field({
        type: Extension,
        nullable: true,
        description: 'The extension as it now is; null when there is none any more.',
        resolve: (written, _, context) => findWritten(written, context),
      }),
      service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
      replayed: t.exposeBoolean('replayed', { description: described.replayed }),
    }),
  });
}

async function findWritten(
  { service, stateId, taskId, act, name }: WrittenExtension,
  { db, budget }: RequestContext,
) {
  const owner = { serviceId: service.id, id: stateId ?? taskId ?? 0 };
  const [extension] = await listExtensions(db, { scope: act.scope, names: [name], budget }, [owner]);
  return extension ? showExtension(await db.registry.knowing([extension]), extension) : null;
}

builder.mutationField('setExtension', (t) =>
  t.field({
    type: SetExtensionPayload,
    description: 'Replaces an extension of a service, a state or a task as a whole, or removes it.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The extension, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: SetExtensionInput, required: true, description: 'The new value.' }) },
    resolve: (_, { input }, context) => write(context, input, input.value),
  }),
);

builder.mutationField('mergeExtension', (t) =>
  t.field({
    type: MergeExtensionPayload,
    description:
      'Sets attributes of a single-valued extension and leaves the others alone, or creates it. Concurrent merges all survive.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The extension, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: MergeExtensionInput, required: true, description: 'What to merge.' }) },
    resolve: (_, { input }, context) => write(context, input, input.value, 'MERGE'),
  }),
);

builder.mutationField('updateExtensionRecord', (t) =>
  t.field({
    type: UpdateExtensionRecordPayload,
    description: 'Updates one record of a multi-valued extension and leaves the others alone.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The extension, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: UpdateExtensionRecordInput, required: true, description: 'The record.' }) },
    resolve: (_, { input }, context) => write(context, input, input.record, 'UPDATE_RECORD'),
  }),
);

builder.mutationField('deleteExtensionRecord', (t) =>
  t.field({
    type: DeleteExtensionRecordPayload,
    description: 'Deletes one record of a multi-valued extension and leaves the others alone.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The extension, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: DeleteExtensionRecordInput, required: true, description: 'The record.' }) },
    resolve: (_, { input }, context) => write(context, input, input.record, 'DELETE_RECORD'),
  }),
);

type Owner = { serviceId?: unknown; stateId?: unknown; taskId?: unknown };
type ExtensionInput = {
  owner: Owner;
  schemaName: string;
  expectedVersion?: unknown;
  idempotencyKey?: unknown;
};

async function write(
  { db, origin }: RequestContext,
  { owner, schemaName: name, expectedVersion, idempotencyKey }: ExtensionInput,
  value: unknown,
  revision?: ExtensionAct['revision'],
): Promise<WrittenExtension> {
  const { scope, fields, faults } = readOwner(owner);
  const act: ExtensionAct = revision ? { scope, revision } : { scope };
  const input: ServiceInput = {
    fields: { ...fields, expectedVersion, idempotencyKey },
    extensions: [{ name, value }],
    takesAttachedData: false,
    requiresType: false,
    faults: value === undefined ? [...faults, withoutValue] : faults,
  };
  try {
    return { ...(await writeExtension(db, origin, act, input)), act, name };
  } catch (error) {
    throw error instanceof Invalid
      ? new Invalid(error.faults.map((fault) => ownFault(fault, revision)))
      : error;
  }
}

/** The domain knows extensions by their names; here there is one, in fields of its own. */
function ownFault({ path: [first, ...rest], ...fault }: Fault, revision: ExtensionAct['revision']): Fault {
  if (first !== 'extensions' || rest.length === 0)
    return { path: first === undefined ? [] : [first, ...rest], ...fault };
  if (fault.isOfName)
    return { ...fault, path: ['schemaName'], message: 'must be an extension with a schema' };
  const field = revision === undefined || revision === 'MERGE' ? 'value' : 'record';
  return { path: [field, ...rest.slice(1)], ...fault };
}

/** To remove an extension takes a word, not a slip. */
const withoutValue: Fault = { path: ['value'], message: 'is required; null removes the extension' };

function readOwner({ serviceId, stateId, taskId }: Owner) {
  if (stateId !== undefined) {
    const { id, faults, ...service } = namePart('state', ['owner', 'stateId'], stateId);
    return { scope: 'STATE' as const, fields: { ...service, stateId: id }, faults };
  }
  if (taskId !== undefined) {
    const { id, faults, ...service } = namePart('task', ['owner', 'taskId'], taskId);
    return { scope: 'TASK' as const, fields: { ...service, taskId: id }, faults };
  }
  return { scope: 'SERVICE' as const, fields: { serviceId }, faults: [] };
}
