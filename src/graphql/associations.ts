import { associateService, undoAssociation } from '../domain/associations.js';
import { accept, Faults, type Rule, refuse } from '../domain/rules.js';
import type { WrittenService } from '../domain/service-writes.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import type { Prisma } from '../generated/prisma/client.js';
import { builder } from './builder.js';
import { type PageArgs, readPage, toConnection } from './connections.js';
import { checkedBeforehand } from './mutation-arguments.js';
import { described } from './service-descriptions.js';
import {
  actInputs,
  historyInputs,
  retryInputs,
  serviceInputs,
  toServiceInput,
  versionInputs,
} from './service-inputs.js';
import { Service } from './services.js';

const AssociationKind = builder.enumType('AssociationKind', {
  description: 'What made an entry in the history of owners.',
  values: {
    START: { description: 'The service was started, with a customer or anonymous.' },
    ASSOCIATE: { description: 'The service was moved to a customer.' },
    UNDO: { description: 'A move was taken back.' },
  } as const,
});

const Front = builder.enumType('Front', {
  description: 'The interface that a call came in by.',
  values: {
    GRAPHQL: { description: 'This GraphQL endpoint.' },
    REST: { description: 'The paths of the legacy contract.' },
  } as const,
});

export const Association = builder.prismaObject('Association', {
  description: 'One entry in the history of a service’s owners. Entries are only ever added.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The version of the service after the act.' }),
    kind: t.expose('kind', { type: AssociationKind, description: 'What made the entry.' }),
    fromCustomerId: t.exposeID('fromCustomerId', {
      nullable: true,
      description: 'The owner before; null when the service was anonymous or new.',
    }),
    toCustomerId: t.exposeID('toCustomerId', {
      nullable: true,
      description: 'The owner since; null when the service is anonymous.',
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, as the caller said.' }),
    actor: t.exposeString('actor', { nullable: true, description: 'Who acted, as the caller said.' }),
    principal: t.exposeString('principal', {
      nullable: true,
      description: 'Who called, as the credentials said; null without credentials.',
    }),
    front: t.expose('front', { type: Front, description: 'The interface that the call came in by.' }),
    requestId: t.exposeString('requestId', {
      description: 'The id of the call: its `x-request-id`, also in the log.',
    }),
    occurredAt: t.expose('occurredAt', {
      type: 'DateTime',
      description: 'When it happened, as the caller said.',
    }),
    recordedAt: t.expose('recordedAt', {
      type: 'DateTime',
      description: 'When the gateway took it, by its own clock.',
    }),
  }),
});

const AssociationEdge = builder.edgeObject({
  type: Association,
  name: 'AssociationEdge',
  description: 'An entry with its place in the history.',
});

const AssociationConnection = builder.connectionObject(
  {
    type: Association,
    name: 'AssociationConnection',
    description: 'A page of the history of owners: the oldest entry comes first.',
  },
  AssociationEdge,
);

builder.prismaObjectField(Service, 'associations', (t) =>
  t.connection(
    {
      type: Association,
      description: 'The history of the service’s owners, the oldest first.',
      extensions: checkedBeforehand((args: PageArgs, _, faults) => readPage(args, associationCursor, faults)),
      // What is wrong with the arguments is told by the field itself.
      select: (args: PageArgs) => ({ associations: pageQuery(args, new Faults()) }),
      resolve: ({ associations }, args) => {
        const faults = new Faults();
        const page = readPage(args, associationCursor, faults);
        faults.throwIfAny();
        return toConnection(associations, page, cursorOf);
      },
    },
    AssociationConnection,
  ),
);

function pageQuery(args: PageArgs, faults: Faults) {
  const { size, after, before, isReversed } = readPage(args, associationCursor, faults);
  return {
    where: { version: { gt: after ?? 0, lt: before ?? 2_147_483_647 } },
    orderBy: { version: isReversed ? 'desc' : 'asc' },
    take: size + 1,
  } satisfies Prisma.Service$associationsArgs;
}

function cursorOf({ version }: { version: number }): string {
  return Buffer.from(String(version)).toString('base64url');
}

const associationCursor: Rule<number> = (value) => {
  const version = typeof value === 'string' ? Buffer.from(value, 'base64url').toString() : '';
  return /^\d{1,9}$/.test(version)
    ? accept(Number(version))
    : refuse('must be a cursor that this list answered');
};

const AssociateServiceInput = builder.inputType('AssociateServiceInput', {
  description:
    'Which service goes to which customer, and what to change of it: an absent field stays as it is, `null` clears it.',
  fields: (t) => ({
    ...actInputs(t),
    ...historyInputs(t),
    customerId: t.id({
      required: true,
      description: 'The new owner. 1 to 64 characters; no profile of that id needs to exist.',
    }),
    ...serviceInputs(t),
  }),
});

const AssociateServicePayload = builder.objectRef<WrittenService>('AssociateServicePayload').implement({
  description: 'The service was associated.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    association: t.expose('association', {
      type: Association,
      nullable: true,
      description: 'The new entry in the history of owners; null when the customer was the owner already.',
    }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

builder.mutationField('associateService', (t) =>
  t.field({
    type: AssociateServicePayload,
    description:
      'Moves a service to a customer, from anonymous or from another one: the last call wins. Fields and extensions are updated with it in one atomic act. A completed service can be moved too (legacy contract).',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The associated service, or why nothing was changed.' },
    },
    args: {
      input: t.arg({ type: AssociateServiceInput, required: true, description: 'The association.' }),
    },
    resolve: (_, { input }, { db, origin }) => associateService(db, origin, toServiceInput(input)),
  }),
);

const UndoAssociationInput = builder.inputType('UndoAssociationInput', {
  description: 'Which service goes back to the owner that it had before.',
  fields: (t) => ({
    serviceId: t.id({ required: true, description: 'The service.' }),
    ...historyInputs(t),
    ...versionInputs(t),
    ...retryInputs(t),
  }),
});

const UndoAssociationPayload = builder.objectRef<WrittenService>('UndoAssociationPayload').implement({
  description: 'The newest association was undone.',
  fields: (t) => ({
    service: t.expose('service', { type: Service, description: 'The service as it now is.' }),
    association: t.expose('association', {
      type: Association,
      nullable: true,
      description: 'The new entry in the history of owners, of kind UNDO.',
    }),
    replayed: t.exposeBoolean('replayed', { description: described.replayed }),
  }),
});

builder.mutationField('undoAssociation', (t) =>
  t.field({
    type: UndoAssociationPayload,
    description:
      'Takes the newest association back: the service goes to the owner that it had before. Undone again, it is redone. Fields and extensions stay as they are.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The service with its former owner, or why nothing was changed.' },
    },
    args: { input: t.arg({ type: UndoAssociationInput, required: true, description: 'The undoing.' }) },
    resolve: (_, { input }, { db, origin }) => undoAssociation(db, origin, toServiceInput(input)),
  }),
);
