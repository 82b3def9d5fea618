import fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius from 'mercurius';
import pg from 'pg';
import {
  activeStatement,
  associateStatement,
  extensionsStatement,
  type GivenExtension,
  type ServiceRow,
} from './statements.js';

/** A schema by hand with resolvers, loaders and the JIT, as mercurius' own documentation has it, over `pg`. */
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const server = fastify();

const schema = `
  scalar JSON
  type Query { activeServices(customerId: ID!): [Service!]! }
  type Mutation { associateService(input: AssociateServiceInput!): AssociateServicePayload! }
  type Service {
    id: ID!
    version: Int!
    customerId: ID
    serviceType: JSON
    started: ServiceEvent!
    extensions: [Extension!]!
  }
  type ServiceEvent { timestamp: String!, interactionId: String, mediaType: JSON, resourceId: Int }
  type Extension { schemaName: String!, value: JSON! }
  type Association { fromCustomerId: ID, toCustomerId: ID }
  type AssociateServicePayload { service: Service!, association: Association! }
  input ExtensionInput { schemaName: String!, value: JSON! }
  input AssociateServiceInput {
    serviceId: ID!
    customerId: ID!
    interactionId: String!
    mediaType: Int!
    resourceId: Int!
    extensions: [ExtensionInput!]!
  }
`;

type AssociateInput = {
  serviceId: string;
  customerId: string;
  interactionId: string;
  mediaType: number;
  resourceId: number;
  extensions: readonly ExtensionView[];
};

type ExtensionView = { schemaName: string; value: unknown };

const resolvers = {
  JSON: new GraphQLScalarType({ name: 'JSON' }),
  Query: {
    activeServices: async (_: unknown, { customerId }: { customerId: string }) => {
      const { rows } = await pool.query<ServiceRow>(activeStatement(customerId));
      return rows.map(shown);
    },
  },
  Mutation: {
    associateService: async (
      _: unknown,
      { input }: { input: AssociateInput },
      { reply }: { reply: { request: { id: string } } },
    ) => {
      const extensions = input.extensions.map(
        ({ schemaName, value }): GivenExtension => ({ name: schemaName, value }),
      );
      const { rows } = await pool.query<ServiceRow>(
        associateStatement({ ...input, extensions, front: 'GRAPHQL', requestId: reply.request.id }),
      );
      const [row] = rows;
      if (!row) throw new Error('no such service');
      return {
        service: shown(row),
        association: { fromCustomerId: row.prev_customer_id, toCustomerId: row.customer_id },
      };
    },
  },
};

const loaders = {
  Service: {
    extensions: async (queries: readonly { obj: { id: string } }[]) => {
      const { rows } = await pool.query<{ service_id: string; name: string; value: unknown }>(
        extensionsStatement(queries.map(({ obj }) => obj.id)),
      );
      const byService = new Map(queries.map(({ obj }) => [obj.id, [] as ExtensionView[]]));
      for (const { service_id, name, value } of rows)
        byService.get(service_id)?.push({ schemaName: name, value });
      return queries.map(({ obj }) => byService.get(obj.id) ?? []);
    },
  },
};

function shown(row: ServiceRow) {
  return {
    id: row.id,
    version: row.version,
    customerId: row.customer_id,
    serviceType: row.service_type,
    started: {
      timestamp: row.started_at.toISOString(),
      interactionId: row.interaction_id,
      mediaType: row.media_type,
      resourceId: Number(row.resource_id),
    },
  };
}

server.register(mercurius, { schema, resolvers, loaders, jit: 1 });
process.once('SIGTERM', async () => {
  await server.close();
  await pool.end();
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
