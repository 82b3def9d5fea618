import {
  createExtensionSchema,
  extensionName,
  getExtensionSchema,
  listExtensionSchemas,
  recordSchema,
} from '../domain/extension-schemas.js';
import { Faults } from '../domain/rules.js';
import { parseOrThrow } from '../domain/services.js';
import type { ExtensionSchema, ExtensionScope } from '../generated/prisma/client.js';
import { readBody } from './bodies.js';
import type { Operation } from './call.js';
import { replayedHeader } from './wire.js';

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
    return { status: 200, json: JSON.stringify(schemas.map(wireOf)) };
  };
}

export function querySchema(scope: ExtensionScope): Operation {
  return async ({ db, request }) => {
    const name = parseOrThrow(extensionName, 'name', request.params['name']);
    return {
      status: 200,
      json: JSON.stringify(wireOf(await getExtensionSchema(db, scope, name))),
    };
  };
}

function wireOf(schema: ExtensionSchema): object {
  const { type, attributes, unique } = recordSchema(schema);
  return {
    name: schema.name,
    type: type === 'SINGLE_VALUED' ? 'single-valued' : 'multi-valued',
    attributes: attributes.map((attribute) => ({
      name: attribute.name,
      type: attribute.type,
      length: attribute.length,
      default: attribute.default,
      mandatory: attribute.mandatory,
      unique: attribute.unique,
      encrypt: attribute.encrypt,
    })),
    unique: unique.map((names) => (names.length === 1 ? names[0] : names)),
  };
}
