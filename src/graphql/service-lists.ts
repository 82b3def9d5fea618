import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { RequestContext } from '../context.js';
import { encodeCursor } from '../db/paging.js';
import type { Status as StatusName } from '../domain/parts.js';
import { Faults, nullable, text } from '../domain/rules.js';
import { businessUnit, contactKey } from '../domain/service-fields.js';
import type { AssociationPage, Beside } from '../domain/service-reads.js';
import { cursor, listServices, parseOrThrow, type ServiceFilter, typesFilter } from '../domain/services.js';
import type { Service as ServiceRow } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { type Connection, type PageArgs, readPage, toConnection } from './connections.js';
import { Service, Status } from './services.js';

const ServiceEdge = builder.edgeObject({
  type: Service,
  name: 'ServiceEdge',
  description: 'A service with its place in a list.',
});

export const ServiceConnection = builder.connectionObject(
  {
    type: Service,
    name: 'ServiceConnection',
    description: 'A page of services, by their start, then their id: the newest comes last.',
  },
  ServiceEdge,
);

export const serviceFilterArgs = builder.args((t) => ({
  status: t.field({ type: Status, description: 'Only active or only completed services.' }),
  types: t.field({
    type: ['TypeCode'],
    description:
      'Only services of these types, 1 to 100. An integer matches the string of its digits too (legacy contract).',
  }),
  interactionId: t.string({ description: 'Only services that this interaction started or last updated.' }),
  businessUnit: t.string({ description: 'Only services of this business unit.' }),
  startedFrom: t.field({ type: 'DateTime', description: 'Only services started then or later.' }),
  startedTo: t.field({ type: 'DateTime', description: 'Only services started before then.' }),
}));

type ServiceListArgs = PageArgs & {
  status?: StatusName | null | undefined;
  types?: readonly (number | string)[] | null | undefined;
  interactionId?: string | null | undefined;
  businessUnit?: string | null | undefined;
  startedFrom?: Date | null | undefined;
  startedTo?: Date | null | undefined;
};

/** A page of services with what is selected of them, in one statement. */
export async function resolveServices(
  owner: Pick<ServiceFilter, 'customerId' | 'contactKey'>,
  args: ServiceListArgs,
  context: RequestContext,
  info: GraphQLResolveInfo,
): Promise<Connection<ServiceRow>> {
  const faults = new Faults();
  const page = readPage(args, cursor, faults);
  const types = faults.check(
    nullable(typesFilter(context.db.registry.loaded, 'Service.type')),
    ['types'],
    args.types,
  );
  const interactionId = faults.check(nullable(text(50)), ['interactionId'], args.interactionId);
  const unit = faults.check(nullable(businessUnit), ['businessUnit'], args.businessUnit);
  faults.throwIfAny();

  const { size, ...place } = page;
  const filter: ServiceFilter = {
    ...owner,
    status: args.status ?? undefined,
    types: types ?? undefined,
    interactionId: interactionId ?? undefined,
    businessUnit: unit ?? undefined,
    startedFrom: args.startedFrom ?? undefined,
    startedTo: args.startedTo ?? undefined,
  };
  const services = await listServices(
    context.db,
    filter,
    { limit: size + 1, ...place, budget: context.budget },
    selected(context, info),
  );
  return toConnection(services, page, encodeCursor);
}

/** What is selected of the services below a connection, whichever way its items are reached. */
function selected(context: RequestContext, info: GraphQLResolveInfo): Beside {
  const paths = [['nodes'], ['edges', 'node']];
  const query = queryFromInfo({ context, info, typeName: 'Service', paths });
  // Pothos' own type leaves the model open: it is an include of what fields of the type select.
  const { extensions, associations, ...others } = (query as { include?: Selected }).include ?? {};
  if (Object.keys(others).length > 0)
    throw new Error(`Lists of services do not load ${Object.keys(others)}.`);
  return {
    ...(extensions ? { extensions: [{ scope: 'SERVICE' }] } : {}),
    ...(associations ? { associations } : {}),
  };
}

type Selected = { extensions?: unknown; associations?: AssociationPage };

builder.queryField('services', (t) =>
  t.connection(
    {
      type: Service,
      description: 'Services of all customers and anonymous ones.',
      args: serviceFilterArgs,
      resolve: (_, args, context, info) => resolveServices({}, args, context, info),
    },
    ServiceConnection,
  ),
);

builder.queryField('anonymousServices', (t) =>
  t.connection(
    {
      type: Service,
      description: 'Services of a contact key that no customer is known for yet.',
      args: {
        contactKey: t.arg.string({ required: true, description: 'The contact key, like a phone number.' }),
        ...serviceFilterArgs,
      },
      resolve: (_, { contactKey: given, ...args }, context, info) =>
        resolveServices({ contactKey: parseOrThrow(contactKey, 'contactKey', given) }, args, context, info),
    },
    ServiceConnection,
  ),
);
