import type { Answer } from '../harness.js';
import {
  type Act,
  type Command,
  type Extension,
  type Fields,
  type Kind,
  present,
  type Refusal,
  theOne,
} from './acts.js';
import type { Line, Observed } from './fronts.js';
import { businessUnit } from './values.js';

export const basePaths = { bare: '', '8.5': '/genesys/1/cs' };

/** Does the act by the operation of the legacy API. */
export async function call({ app, said }: Line, act: Act): Promise<Observed> {
  const base = act.front === 'bare' ? basePaths.bare : basePaths['8.5'];
  const { method, path, body } = requestOf(act);
  const headers = headersOf(act);
  const answer = await app.rest(method, base + path, {
    headers,
    ...(body === undefined ? {} : { rawBody: body }),
  });
  const { status, text, json } = answer;
  const request = `${method} ${base}${path} ${JSON.stringify(headers)} ${body ?? ''}`;
  said.push(`${request} → ${status} ${text.slice(0, 300)}`);
  if (status >= 400) return { refusal: refusalOf(answer, act) };
  expectStatus(act, answer);
  return {
    serviceId: json?.service_id === undefined ? null : String(json.service_id),
    version: act.kind === 'deleteService' ? null : versionOf(answer),
    part: json?.state_id ?? json?.task_id ?? null,
    replayed: answer.headers['idempotency-replayed'] === 'true',
  };
}

function versionOf({ headers }: Answer): number {
  return Number(/^"(\d+)"$/.exec(String(headers['etag']))?.[1]);
}

type Request = { method: 'POST' | 'PUT' | 'DELETE'; path: string; body?: string };

function requestOf(act: Act): Request {
  const { serviceId, part, extensions } = act;
  const { customerId, reason: _, ...fields } = act.fields;
  const service = `/services/${serviceId}`;
  const post = (path: string, body = textOf(fields, extensions)): Request => ({ method: 'POST', path, body });
  switch (act.kind) {
    case 'startService':
      return post('/services/start', textOf({ ...fields, ...present({ customerId }) }, extensions));
    case 'associateService':
      return post(`/customers/${encodeURIComponent(String(customerId))}${service}`);
    case 'completeService':
      return post(`${service}/end`);
    case 'undoAssociation':
      return { method: 'POST', path: `${service}/associations/undo` };
    case 'startState':
      return post(`${service}/states/start`);
    case 'completeState':
      return post(`${service}/states/${part}/end`);
    case 'transitionState':
      return post(`${service}/states/transition`, transitionOf(fields, part, extensions));
    case 'startTask':
      return post(`${service}/tasks/start`);
    case 'completeTask':
      return post(`${service}/tasks/${part}/end`);
    case 'setServiceExpiry':
      return { method: 'PUT', path: service, body: textOf(fields, []) };
    case 'deleteService':
      return { method: 'DELETE', path: service };
    default:
      return { method: 'PUT', path: service + extensionPath(act), body: JSON.stringify(theOne(act).value) };
  }
}

const recordPaths: Partial<Record<Kind, string>> = {
  mergeExtension: '/merge',
  updateExtensionRecord: '/by/unique',
  deleteExtensionRecord: '/delete/by/unique',
};

function extensionPath(act: Act): string {
  const owner = { SERVICE: '', STATE: `/states/${act.part}`, TASK: `/tasks/${act.part}` }[act.scope];
  return `${owner}/extensions/${encodeURIComponent(theOne(act).name)}${recordPaths[act.kind] ?? ''}`;
}

/** As text, in which a name can stand twice. */
export function textOf(fields: Fields, extensions: readonly Extension[], more: object = {}): string {
  const members = [
    ...Object.entries(legacy(fields)),
    ...Object.entries(more),
    ...extensions.map(({ name, value }) => [name, value]),
  ];
  return `{${members.map((member) => member.map((one) => JSON.stringify(one)).join(':')).join()}}`;
}

function transitionOf(fields: Fields, part: number | null, extensions: readonly Extension[]): string {
  const { stateType, estDuration, disposition, dispositionDesc, ...event } = fields;
  const from = legacy(present({ stateId: part, disposition, dispositionDesc }));
  const to = legacy(present({ stateType, estDuration }));
  return textOf(event, extensions, { from, to });
}

/** `sessionId` → `session_id` */
export function legacy(fields: Fields): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function headersOf({ kind, fields, expectedVersion, idempotencyKey }: Act): Record<string, string> {
  const { reason } = fields;
  return {
    ...(kind === 'startService' ? { groupid: businessUnit } : {}),
    ...(reason ? { 'x-reason': encodeURIComponent(reason) } : {}),
    ...(expectedVersion === null ? {} : { 'if-match': `"${expectedVersion}"` }),
    ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
  };
}

/** The code of the problem, whose status must be the code's own. */
export function refusalOf({ status, json, text }: Answer, { kind, front }: Command): Refusal {
  // 8.5 has an answer of its own to the deletion of what is not there.
  const isDeletion = kind === 'deleteService' && front === '8.5';
  const statuses: { [code: string]: number } = {
    INVALID: 400,
    ...(isDeletion ? { NO_SERVICE_TO_DELETE: 400 } : { NOT_FOUND: 404 }),
    CONFLICT: 409,
    STALE_VERSION: 412,
    IDEMPOTENCY_KEY_REUSED: 422,
  };
  if (statuses[json?.code] !== status) throw new Error(`answered ${status} ${text}`);
  return json.code === 'NO_SERVICE_TO_DELETE' ? 'NOT_FOUND' : json.code;
}

function expectStatus({ kind, front, serviceId }: Act, { status, text, headers, json }: Answer): void {
  const isStart = ['startService', 'startState', 'transitionState', 'startTask'].includes(kind);
  const isEmpty = ['updateExtensionRecord', 'deleteExtensionRecord'].includes(kind);
  const writes204 = isEmpty || (kind === 'setExtension' && front === 'bare');
  const expected = isStart ? 201 : writes204 ? 204 : 200;
  if (status !== expected) throw new Error(`answered ${status}, not ${expected}: ${text}`);
  if (!isStart) return;
  const { service_id = serviceId, state_id, task_id } = json;
  const part =
    state_id === undefined ? (task_id === undefined ? '' : `/tasks/${task_id}`) : `/states/${state_id}`;
  const base = front === 'bare' ? basePaths.bare : basePaths['8.5'];
  const location = `${base}/services/${service_id}${part}`;
  if (!String(headers['location']).endsWith(location)) throw new Error(`Location is ${headers['location']}`);
}
