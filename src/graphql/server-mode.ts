import type { ServerState } from '../domain/server-mode.js';
import { Conflict, Invalid, NotFound } from '../errors.js';
import { builder } from './builder.js';

const ServerMode = builder.enumType('ServerMode', {
  description: 'What all gateways on one database serve.',
  values: {
    PRODUCTION: { description: 'Everything.' },
    MAINTENANCE: {
      description:
        'What reads or changes services answers UNAVAILABLE. The mode itself, extension schemas, business attributes, purges and exports go on.',
    },
  } as const,
});

const Server = builder.objectRef<ServerState>('Server').implement({
  description: 'The server: all gateways on one database.',
  fields: (t) => ({
    mode: t.expose('mode', { type: ServerMode, description: 'What they serve.' }),
    version: t.string({
      description: 'The version of the gateway that answers.',
      resolve: (_, _args, { version }) => version,
    }),
    since: t.expose('changedAt', { type: 'DateTime', description: 'Since when the mode is what it is.' }),
  }),
});

const SetServerModeInput = builder.inputType('SetServerModeInput', {
  description: 'What all gateways are to serve.',
  fields: (t) => ({
    mode: t.field({ type: ServerMode, required: true, description: 'What they are to serve.' }),
  }),
});

const SetServerModePayload = builder.objectRef<{ server: ServerState }>('SetServerModePayload').implement({
  description: 'The server has the mode. Gateways other than this one have it within a second.',
  fields: (t) => ({ server: t.expose('server', { type: Server, description: 'The server as it now is.' }) }),
});

builder.queryFields((t) => ({
  server: t.field({
    type: Server,
    description: 'What the server serves; answered in every mode.',
    resolve: (_, _args, { server }) => server.state(),
  }),
}));

builder.mutationFields((t) => ({
  setServerMode: t.field({
    type: SetServerModePayload,
    description:
      'Lets all gateways serve everything, or nothing but maintenance. Takes credentials for all tenants.',
    errors: {
      types: [NotFound, Invalid, Conflict],
      union: { description: 'The server as it now is, or why it is not so.' },
    },
    args: { input: t.arg({ type: SetServerModeInput, required: true, description: 'The mode.' }) },
    resolve: async (_, { input: { mode } }, { server, db, origin }) => ({
      server: await server.change(db, mode, origin.receivedAt),
    }),
  }),
}));
