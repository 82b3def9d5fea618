import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import type { RequestContext } from '../context.js';
import type PrismaTypes from '../generated/pothos.js';
import { getDatamodel } from '../generated/pothos.js';
import type { PrismaClient } from '../generated/prisma/client.js';

/** What the scalars are once parsed, and what a resolver may answer for them. */
type Scalars = {
  DateTime: { Input: Date; Output: Date };
  JSON: { Input: unknown; Output: unknown };
  Long: { Input: number; Output: number | bigint };
  TypeCode: { Input: number | string; Output: unknown };
};

export const builder = new SchemaBuilder<{
  Context: RequestContext;
  PrismaTypes: PrismaTypes;
  Scalars: Scalars;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
}>({
  plugins: [ErrorsPlugin, RelayPlugin, PrismaPlugin, DataloaderPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalize(fieldName)}Result` },
  },
  // A request has the whole client, not that of a transaction.
  prisma: { client: ({ db }) => db.prisma as PrismaClient, dmmf: getDatamodel() },
  relay: {
    cursorType: 'String',
    nodesOnConnection: { description: 'The items of this page, without their cursors.' },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: 'The items of this page with their cursors.',
    },
    nodeFieldOptions: { nullable: false, description: 'The item.' },
    cursorFieldOptions: { description: 'The place of the item in the list, for `after` and `before`.' },
    pageInfoFieldOptions: { description: 'Where this page lies in the list.' },
    pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
    hasNextPageFieldOptions: { description: 'Whether items follow behind this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether items precede this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first item; null when the page is empty.' },
    endCursorFieldOptions: { description: 'Cursor of the last item; null when the page is empty.' },
    firstArgOptions: { description: 'How many items from the front: 1 to 500. 20 when neither is given.' },
    lastArgOptions: { description: 'How many items from the end: 1 to 500. Not together with `first`.' },
    afterArgOptions: { description: 'Only items behind this cursor.' },
    beforeArgOptions: { description: 'Only items before this cursor.' },
  },
});

builder.queryType({ description: 'What can be asked. Nothing is changed.' });
builder.subscriptionType({
  description:
    'What can be followed: an event whenever something has changed. Each starts now, or behind the cursor of an event.',
});
builder.mutationType({
  description:
    'What can be changed. An expected failure is a member of the result union, not a top-level error.',
});

/** The types that Pothos makes of the above, for functions that share fields between types. */
export type Types = (typeof builder)['$inferSchemaTypes'];

function capitalize(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
