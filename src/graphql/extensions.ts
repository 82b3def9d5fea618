import type { Registry } from '../db/registry.js';
import { schemaNamed } from '../domain/extension-schemas.js';
import { nameKeys, readExtension } from '../domain/extensions.js';
import type { Extension as ExtensionRow } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { ExtensionSchema } from './extension-schemas.js';
import { Service } from './services.js';

/** An extension with the schemas that it is read by. */
type ReadExtension = { extension: ExtensionRow; registry: Registry };

const Extension = builder.objectRef<ReadExtension>('Extension').implement({
  description: 'A named JSON record, or list of records, that hangs on a service.',
  fields: (t) => ({
    schemaName: t.string({
      description: 'The name; case makes no difference.',
      resolve: ({ extension }) => extension.name,
    }),
    value: t.field({
      type: 'JSON',
      description:
        'A record (single-valued extension) or an array of records (multi-valued one), attributes in the order of the schema; any JSON value where there is no schema.',
      resolve: ({ extension, registry }) => readExtension(registry, extension),
    }),
    schema: t.field({
      type: ExtensionSchema,
      nullable: true,
      description: 'What the value was checked against; null for attached data, which only REST writes.',
      resolve: ({ extension, registry }) => schemaNamed(registry, extension.scope, extension.name) ?? null,
    }),
  }),
});

builder.prismaObjectField(Service, 'extensions', (t) =>
  t.field({
    type: [Extension],
    description: 'The extensions of the service, by their names.',
    args: {
      names: t.arg.stringList({ description: 'Only extensions of these names; case makes no difference.' }),
    },
    // The same whatever names are asked for, so that all fields of one service are loaded at once.
    select: { extensions: { where: { scope: 'SERVICE', ownerId: 0 }, orderBy: { nameKey: 'asc' } } },
    resolve: async ({ extensions }, { names }, { db }) => {
      const registry = await db.registry.current();
      const wanted = names && new Set(nameKeys(names));
      return extensions
        .filter(({ nameKey }) => !wanted || wanted.has(nameKey))
        .map((extension) => ({ extension, registry }));
    },
  }),
);
