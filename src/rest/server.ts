import { refuseUnknown } from '../domain/extension-schemas.js';
import { Faults, oneOf } from '../domain/rules.js';
import type { ServerMode } from '../generated/prisma/client.js';
import { readBody } from './bodies.js';
import type { Answer, Call } from './call.js';

const modes = { production: 'PRODUCTION', maintenance: 'MAINTENANCE' } as const satisfies Record<
  string,
  ServerMode
>;

const modeName = oneOf(['production', 'maintenance']);

export async function queryServer({ server, version }: Call): Promise<Answer> {
  const { mode, changedAt: since } = await server.state();
  return { status: 200, json: JSON.stringify({ mode: mode.toLowerCase(), version, since }) };
}

export async function setMode(call: Call): Promise<Answer> {
  const faults = new Faults();
  const body = readBody(call, faults.list, 'refused');
  faults.throwIfAny();
  refuseUnknown(body, ['mode'], [], faults);
  const mode = faults.require(modeName, ['mode'], body['mode'], 'production');
  faults.throwIfAny();
  await call.server.change(call.db, modes[mode], call.origin.receivedAt);
  return { status: 200 };
}
