import { nameKeys, type ShownExtension, showExtension } from '../domain/extensions.js';
import { builder } from './builder.js';
import { ExtensionSchema } from './extension-schemas.js';
import { Service } from './services.js';

const Extension = builder.objectRef<ShownExtension>('Extension').implement({
  description: 'A named JSON record, or list of records, that hangs on a service.',
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
      resolve: ({ schema }) => schema ?? null,
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
      const wanted = names && new Set(nameKeys(names));
      const shown = extensions.filter(({ nameKey }) => !wanted || wanted.has(nameKey));
      const registry = await db.registry.knowing(
        'SERVICE',
        shown.map(({ nameKey }) => nameKey),
      );
      return shown.map((extension) => showExtension(registry, extension));
    },
  }),
);
