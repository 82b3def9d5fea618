import fastify from 'fastify';
import pg from 'pg';
import {
  activeWithExtensionsStatement,
  associateStatement,
  type GivenExtension,
  type ServiceRow,
} from './statements.js';

/** The REST paths as fastify's own documentation writes routes: schemas, a pool, one statement a request. */
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const server = fastify();

const feedback = {
  type: 'object',
  properties: {
    FeedbackType: { type: 'string', maxLength: 32 },
    rating: { type: 'integer' },
    notes: { type: 'string', maxLength: 256 },
  },
  additionalProperties: false,
} as const;

const satisfaction = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      rating: { type: 'integer' },
      pertinence: { type: 'integer' },
      useful: { type: 'boolean' },
      place: { type: 'string', maxLength: 128 },
    },
    additionalProperties: false,
  },
} as const;

const typeCode = { type: ['integer', 'string'] } as const;

const service = {
  type: 'object',
  properties: {
    service_id: { type: 'integer' },
    service_type: typeCode,
    customer_id: { type: 'string' },
    started: {
      type: 'object',
      properties: {
        interaction_id: { type: 'string' },
        resource_id: { type: 'integer' },
        media_type: typeCode,
        timestamp: { type: 'string' },
      },
    },
    Feedback: feedback,
    Satisfaction: satisfaction,
  },
} as const;

type AssociateRoute = {
  Params: { customerId: string; serviceId: string };
  Body: { interaction_id: string; media_type: number | string; resource_id: number } & Record<
    string,
    unknown
  >;
};

server.post<AssociateRoute>(
  '/customers/:customerId/services/:serviceId',
  {
    schema: {
      params: {
        type: 'object',
        properties: {
          customerId: { type: 'string', maxLength: 64 },
          serviceId: { type: 'string', pattern: '^[1-9][0-9]{0,18}$' },
        },
      },
      body: {
        type: 'object',
        properties: {
          interaction_id: { type: 'string', maxLength: 50 },
          media_type: typeCode,
          resource_id: { type: 'integer' },
          Feedback: feedback,
          Satisfaction: satisfaction,
        },
        additionalProperties: false,
      },
      response: { 200: service },
    },
  },
  async (request, reply) => {
    const { interaction_id, media_type, resource_id, ...extensions } = request.body;
    const { rows } = await pool.query<ServiceRow>(
      associateStatement({
        ...request.params,
        interactionId: interaction_id,
        mediaType: media_type,
        resourceId: resource_id,
        extensions: Object.entries(extensions).map(([name, value]): GivenExtension => ({ name, value })),
        front: 'REST',
        requestId: request.id,
      }),
    );
    const [row] = rows;
    if (!row) return reply.code(404).send({ message: 'no such service' });
    reply.header('etag', `"${row.version}"`);
    return shown(row);
  },
);

server.get<{ Params: { customerId: string } }>(
  '/customers/:customerId/services/active',
  { schema: { response: { 200: { type: 'array', items: service } } } },
  async ({ params }) => {
    const { rows } = await pool.query<ServiceRow & { extensions: object }>(
      activeWithExtensionsStatement(params.customerId),
    );
    return rows.map((row) => ({ ...shown(row), ...row.extensions }));
  },
);

function shown(row: ServiceRow) {
  return {
    service_id: Number(row.id),
    service_type: row.service_type,
    customer_id: row.customer_id,
    started: {
      interaction_id: row.interaction_id,
      resource_id: Number(row.resource_id),
      media_type: row.media_type,
      timestamp: row.started_at.toISOString(),
    },
  };
}

process.once('SIGTERM', async () => {
  await server.close();
  await pool.end();
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
