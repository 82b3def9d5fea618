import type { RequestContext } from '../context.js';
import type { Registry } from '../db/registry.js';
import { extensionNames, listExtensions } from '../domain/extension-acts.js';
import { recordSchema } from '../domain/extension-schemas.js';
import { nameKeys, type ShownExtension, showExtension } from '../domain/extensions.js';
import { type Faults, nullable } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import type {
  Extension as ExtensionRow,
  ExtensionSchema as ExtensionSchemaRow,
} from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { ExtensionSchema } from './extension-schemas.js';
import { checkedBeforehand } from './mutation-arguments.js';
import { encodePartKey, partKey } from './part-ids.js';
import { Service } from './services.js';
import { State } from './states.js';
import { Task } from './tasks.js';

export const Extension = builder.objectRef<ShownExtension>('Extension').implement({
  description: 'A named JSON record, or list of records, that hangs on a service, a state or a task.',
  fields: (t) => ({
    schemaName: t.exposeString('name', { description: 'The name; case makes no difference.' }),
    value: t.expose('value', {
      type: 'JSON',
      description:
        'A record (single-valued extension) or an array of records (multi-valued one), attributes in the order of the schema; any JSON value where there is no schema.',
    }),
    schema: t.field({
      type: ExtensionSchema,
      nullable: true,
      description: 'What the value was checked against; null for attached data, which only REST writes.',
      resolve: ({ schema }, _, { budget }) => {
        budget.show(schema ? schemaBytes(schema) : 0);
        return schema ?? null;
      },
    }),
  }),
});

/** About what it takes to show its attributes. */
function schemaBytes(schema: ExtensionSchemaRow): number {
  return recordSchema(schema).attributes.length * attributeBytes;
}

const attributeBytes = 128;

const namesArgs = builder.args((t) => ({
  names: t.stringList({
    description: 'Only extensions of these names, at most 100; case makes no difference.',
  }),
}));

function checkNames(
  { names }: { names?: readonly string[] | null | undefined },
  _: RequestContext,
  faults: Faults,
): void {
  faults.check(nullable(extensionNames), ['names'], names);
}

builder.prismaObjectField(Service, 'extensions', (t) =>
  t.field({
    type: [Extension],
    description: 'The extensions of the service, by their names.',
    args: namesArgs,
    extensions: checkedBeforehand(checkNames),
    // The same whatever names are asked for, so that all fields of one service are loaded at once.
    select: { extensions: { where: { scope: 'SERVICE', ownerId: 0 }, orderBy: { nameKey: 'asc' } } },
    resolve: ({ extensions }, { names }, context) => {
      const wanted = names && new Set(nameKeys(parseOrThrow(extensionNames, 'names', names)));
      const shown = extensions.filter(({ nameKey }) => !wanted || wanted.has(nameKey));
      return show(context, shown);
    },
  }),
);

function ownerOf({ serviceId, ownerId }: ShownExtension): string {
  return encodePartKey({ serviceId, id: ownerId });
}

builder.prismaObjectField(State, 'extensions', (t) =>
  t.loadableGroup({
    type: Extension,
    description: 'The extensions of the state, by their names.',
    args: namesArgs,
    extensions: checkedBeforehand(checkNames),
    byPath: true,
    load: (owners: string[], context, { names }) => load(context, 'STATE', owners, names),
    group: ownerOf,
    resolve: encodePartKey,
  }),
);

builder.prismaObjectField(Task, 'extensions', (t) =>
  t.loadableGroup({
    type: Extension,
    description: 'The extensions of the task, by their names.',
    args: namesArgs,
    extensions: checkedBeforehand(checkNames),
    byPath: true,
    load: (owners: string[], context, { names }) => load(context, 'TASK', owners, names),
    group: ownerOf,
    resolve: encodePartKey,
  }),
);

/** In one statement for all states, or all tasks, that are asked at one place of the query. */
async function load(
  context: RequestContext,
  scope: 'STATE' | 'TASK',
  owners: readonly string[],
  names: readonly string[] | null | undefined,
): Promise<ShownExtension[]> {
  const keys = owners.map((owner) => parseOrThrow(partKey('state'), 'id', owner));
  const wanted = parseOrThrow(nullable(extensionNames), 'names', names ?? null) ?? undefined;
  const filter = { scope, names: wanted, budget: context.budget };
  return show(context, await listExtensions(context.db, filter, keys));
}

function show(
  { db, budget }: RequestContext,
  extensions: readonly ExtensionRow[],
): ShownExtension[] | Promise<ShownExtension[]> {
  budget.show(extensions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const registry = db.registry.knowing(extensions);
  const shown = (known: Registry) => extensions.map((extension) => showExtension(known, extension));
  return registry instanceof Promise ? registry.then(shown) : shown(registry);
}
