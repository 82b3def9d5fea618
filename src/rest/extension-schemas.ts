import {
  createExtensionSchema,
  extensionName,
  getExtensionSchema,
  listExtensionSchemas,
} from '../domain/extension-schemas.js';
import { Faults } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import type { ExtensionScope } from '../generated/prisma/client.js';
import { readBody } from './bodies.js';
import type { Operation } from './call.js';
import { extensionSchemaWire, replayedHeader } from './wire.js';

export function createSchema(scope: ExtensionScope): Operation {
  return async (call) => {
    const faults = new Faults();
    const body = readBody(call, faults.list, 'refused');
    faults.throwIfAny();
    const idempotencyKey = call.request.headers['idempotency-key'];
    const created = await createExtensionSchema(call.db, call.origin, {
      scope,
      fields: body,
      idempotencyKey,
    });
    const { name } = created.extensionSchema;
    const location = `${call.dialect.basePath}/metadata/${scope.toLowerCase()}s/extensions/${name}`;
    return { status: 201, headers: { location, ...replayedHeader(created) }, json: JSON.stringify({ name }) };
  };
}

export function querySchemas(scope: ExtensionScope): Operation {
  return async ({ db }) => {
    const schemas = await listExtensionSchemas(db, scope);
    return { status: 200, json: JSON.stringify(schemas.map(extensionSchemaWire)) };
  };
}

export function querySchema(scope: ExtensionScope): Operation {
  return async ({ db, request }) => {
    const name = parseOrThrow(extensionName, 'name', request.params['name']);
    return {
      status: 200,
      json: JSON.stringify(extensionSchemaWire(await getExtensionSchema(db, scope, name))),
    };
  };
}
