import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import { PrismaPg } from '@prisma/adapter-pg';
import { createYoga } from 'graphql-yoga';
import type PrismaTypes from '../../../src/generated/pothos.js';
import { getDatamodel } from '../../../src/generated/pothos.js';
import { type Association, PrismaClient, type Service } from '../../../src/generated/prisma/client.js';

/** The stack of the gateway as its parts' own documentation puts it together: relations, and an interactive transaction. */
const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: process.env['DATABASE_URL'] }),
  // The default gives up after 2 s in the queue for a connection.
  transactionOptions: { maxWait: 10_000, timeout: 10_000 },
});
const tenant = 'default';

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };

const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Scalars: { JSON: { Input: Json; Output: unknown } };
  Context: { requestId: string };
}>({
  plugins: [PrismaPlugin],
  prisma: { client: prisma, dmmf: getDatamodel() },
});

builder.scalarType('JSON', {});

const ServiceEvent = builder.objectRef<Service>('ServiceEvent').implement({
  fields: (t) => ({
    timestamp: t.string({ resolve: ({ startedAt }) => startedAt.toISOString() }),
    interactionId: t.exposeString('interactionId', { nullable: true }),
    mediaType: t.expose('mediaType', { type: 'JSON', nullable: true }),
    resourceId: t.int({
      nullable: true,
      resolve: ({ resourceId }) => (resourceId === null ? null : Number(resourceId)),
    }),
  }),
});

const Extension = builder.prismaObject('Extension', {
  fields: (t) => ({
    schemaName: t.exposeString('name'),
    value: t.expose('value', { type: 'JSON' }),
  }),
});

const ServiceObject = builder.prismaObject('Service', {
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => String(id) }),
    version: t.exposeInt('version'),
    customerId: t.exposeID('customerId', { nullable: true }),
    serviceType: t.expose('serviceType', { type: 'JSON', nullable: true }),
    started: t.field({ type: ServiceEvent, resolve: (service) => service }),
    extensions: t.relation('extensions', { type: Extension }),
  }),
});

const AssociationObject = builder.prismaObject('Association', {
  fields: (t) => ({
    fromCustomerId: t.exposeID('fromCustomerId', { nullable: true }),
    toCustomerId: t.exposeID('toCustomerId', { nullable: true }),
  }),
});

type Payload = { service: Service; association: Association | null };

const AssociateServicePayload = builder.objectRef<Payload>('AssociateServicePayload').implement({
  fields: (t) => ({
    service: t.expose('service', { type: ServiceObject }),
    association: t.expose('association', { type: AssociationObject, nullable: true }),
  }),
});

const ExtensionInput = builder.inputType('ExtensionInput', {
  fields: (t) => ({
    schemaName: t.string({ required: true }),
    value: t.field({ type: 'JSON', required: true }),
  }),
});

const AssociateServiceInput = builder.inputType('AssociateServiceInput', {
  fields: (t) => ({
    serviceId: t.id({ required: true }),
    customerId: t.id({ required: true }),
    interactionId: t.string({ required: true }),
    mediaType: t.int({ required: true }),
    resourceId: t.int({ required: true }),
    extensions: t.field({ type: [ExtensionInput], required: true }),
  }),
});

builder.queryType({
  fields: (t) => ({
    activeServices: t.prismaField({
      type: [ServiceObject],
      args: { customerId: t.arg.id({ required: true }) },
      resolve: (query, _, { customerId }) =>
        prisma.service.findMany({
          ...query,
          where: { tenant, customerId: String(customerId), completedAt: null },
          orderBy: [{ startedAt: 'asc' }, { id: 'asc' }],
        }),
    }),
  }),
});

builder.mutationType({
  fields: (t) => ({
    associateService: t.field({
      type: AssociateServicePayload,
      args: { input: t.arg({ type: AssociateServiceInput, required: true }) },
      resolve: (_, { input }, { requestId }) => associateService(input, requestId),
    }),
  }),
});

type Input = typeof AssociateServiceInput.$inferInput;

function associateService(input: Input, requestId: string): Promise<Payload> {
  const customerId = String(input.customerId);
  const where = { tenant_id: { tenant, id: BigInt(input.serviceId) } };
  return prisma.$transaction(async (tx) => {
    const { customerId: from, version: before } = await tx.service.findUniqueOrThrow({ where });
    const isMove = from !== customerId;
    const now = new Date();
    const service = await tx.service.update({
      where,
      data: {
        customerId,
        interactionId: input.interactionId,
        mediaType: input.mediaType,
        resourceId: input.resourceId,
        version: { increment: 1 },
        updatedAt: now,
        ...(isMove ? { previousCustomerId: from, associatedVersion: before + 1 } : {}),
      },
    });
    for (const { schemaName, value } of input.extensions) {
      const key = {
        tenant,
        serviceId: service.id,
        scope: 'SERVICE',
        ownerId: 0,
        nameKey: schemaName.toLowerCase(),
      } as const;
      const sizeBytes = Buffer.byteLength(schemaName) + Buffer.byteLength(JSON.stringify(value));
      const record = { name: schemaName, value: value ?? {}, sizeBytes };
      await tx.extension.upsert({
        where: { tenant_serviceId_scope_ownerId_nameKey: key },
        create: { ...key, ...record },
        update: record,
      });
    }
    const act = { tenant, serviceId: service.id, version: service.version, recordedAt: now };
    const move = { fromCustomerId: from, toCustomerId: customerId };
    const association = isMove
      ? await tx.association.create({
          data: { ...act, ...move, kind: 'ASSOCIATE', front: 'GRAPHQL', requestId, occurredAt: now },
        })
      : null;
    await tx.event.create({
      data: { ...act, type: 'SERVICE_ASSOCIATED', customerId, previousCustomerId: from },
    });
    return { service, association };
  });
}

const yoga = createYoga({
  schema: builder.toSchema(),
  context: () => ({ requestId: crypto.randomUUID() }),
  graphiql: false,
});
const server = createServer(yoga);

process.once('SIGTERM', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await prisma.$disconnect();
});
server.listen(0, '127.0.0.1', () => {
  // A port was asked for, not a socket.
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}`);
});
