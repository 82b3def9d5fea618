import { customerId } from '../domain/service-fields.js';
import { parseOrThrow } from '../domain/services.js';
import { builder } from './builder.js';
import { resolveServices, ServiceConnection, serviceFilterArgs } from './service-lists.js';
import { Service } from './services.js';

const Customer = builder.objectRef<{ id: string }>('Customer').implement({
  description: 'A customer, known to the gateway by nothing but its id.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The customer’s id, as its services carry it.' }),
    services: t.connection(
      {
        type: Service,
        description: 'The services that are associated with the customer now.',
        args: serviceFilterArgs,
        resolve: ({ id }, args, context, info) => resolveServices({ customerId: id }, args, context, info),
      },
      ServiceConnection,
    ),
  }),
});

builder.queryField('customer', (t) =>
  t.field({
    type: Customer,
    description: 'A customer. Any well-formed id is one: profiles are kept elsewhere.',
    args: { id: t.arg.id({ required: true, description: 'The customer’s id: 1 to 64 characters.' }) },
    resolve: (_, { id }) => ({ id: parseOrThrow(customerId, 'id', id) }),
  }),
);
