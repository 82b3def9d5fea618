import { randomUUID } from 'node:crypto';
import type { Exchange, HttpRequest } from './exchange.js';

/** Something to be done to services, once. */
export type Act = {
  kind: 'start' | 'associate' | 'update';
  front: 'REST' | 'GRAPHQL';
  /** The request's id, by which history tells which act wrote an entry; the same in every retry. */
  mark: string;
  /** Empty for a start. */
  serviceId: string;
  /** By which a retry is known as one. */
  key: string | null;
};

/** What the answer to one request says of the act. */
export type Verdict =
  /** A replay over GraphQL answers the service as it is by then, and not the version that the act came to. */
  | { state: 'acknowledged'; serviceId: string; version: number | null; isReplay: boolean }
  | { state: 'refused' }
  | { state: 'unknown' }
  /** An answer that no fault excuses. */
  | { state: 'wrong'; why: string };

export function newAct(kind: Act['kind'], front: Act['front'], serviceId: string, isKeyed: boolean): Act {
  const mark = randomUUID();
  return { kind, front, mark, serviceId, key: isKeyed ? `key-${mark}` : null };
}

export function requestFor(act: Act): HttpRequest {
  return act.front === 'REST' ? restRequest(act) : graphqlRequest(act);
}

const base = '/genesys/1/cs';

function restRequest({ kind, mark, serviceId, key }: Act): HttpRequest {
  const headers = { 'x-request-id': mark, ...(key ? { 'idempotency-key': key } : {}) };
  switch (kind) {
    case 'start':
      return post(`${base}/services/start`, headers, { contact_key: mark });
    case 'associate':
      return post(`${base}/customers/${mark}/services/${serviceId}`, headers, { Note: mark });
    case 'update': {
      const path = `${base}/services/${serviceId}/extensions/Note`;
      return { ...post(path, headers, { mark }), method: 'PUT' };
    }
  }
}

function graphqlRequest({ kind, mark, serviceId, key }: Act): HttpRequest {
  const given = {
    start: { contactKey: mark },
    associate: { serviceId, customerId: mark, resourceId: 1 },
    update: { serviceId, dispositionDesc: mark },
  }[kind];
  const input = { ...given, ...(key ? { idempotencyKey: key } : {}) };
  const name = `${kind[0]?.toUpperCase()}${kind.slice(1)}Service`;
  const query = `mutation ($input: ${name}Input!) {
    act: ${kind}Service(input: $input) {
      ... on ${name}Payload { replayed service { id version } }
      ... on Error { code message }
    }
  }`;
  return post('/graphql', { 'x-request-id': mark }, { query, variables: { input } });
}

function post(path: string, headers: Record<string, string>, body: object): HttpRequest {
  return { method: 'POST', path, headers, body: JSON.stringify(body) };
}

export function verdictOn(act: Act, answer: Exchange): Verdict {
  if (answer.state === 'unsent') return { state: 'refused' };
  if (answer.state !== 'answered') return { state: 'unknown' };
  if (answer.status === 503) return unavailable(act, answer);
  if (![200, 201, 204].includes(answer.status)) return wrong(act, answer);
  return act.front === 'REST' ? restVerdict(act, answer) : graphqlVerdict(act, answer);
}

type Answered = Exchange & { state: 'answered' };

function wrong({ kind, front }: Act, { status, text }: Answered): Verdict {
  return { state: 'wrong', why: `${kind} over ${front} was answered ${status} ${text.slice(0, 200)}` };
}

/** Both fronts say it by the status, a code, and when to try again. */
function unavailable(act: Act, answer: Answered): Verdict {
  const hasTime = /^[1-9]\d*$/.test(answer.headers['retry-after'] ?? '');
  const code = /"code":"(\w+)"/.exec(answer.text)?.[1];
  if (hasTime && code === 'UNAVAILABLE') return { state: 'refused' };
  if (hasTime && code === 'OUTCOME_UNKNOWN') return { state: 'unknown' };
  return wrong(act, answer);
}

function restVerdict(act: Act, answer: Answered): Verdict {
  const version = Number(/^"(\d+)"$/.exec(answer.headers.etag ?? '')?.[1]);
  const started = /"service_id":(\d+)/.exec(answer.text)?.[1] ?? '';
  const serviceId = act.kind === 'start' ? started : act.serviceId;
  if (!version || !serviceId) return wrong(act, answer);
  const isReplay = answer.headers['idempotency-replayed'] === 'true';
  return { state: 'acknowledged', serviceId, version, isReplay };
}

type Payload = { replayed: boolean; service: { id: string; version: number } };

function graphqlVerdict(act: Act, answer: Answered): Verdict {
  // What is no payload has no service, whatever else it is.
  const payload = (JSON.parse(answer.text) as { data?: { act?: Partial<Payload> } }).data?.act;
  if (!payload?.service) return wrong(act, answer);
  const { replayed: isReplay = false, service } = payload;
  return {
    state: 'acknowledged',
    serviceId: service.id,
    version: isReplay ? null : service.version,
    isReplay,
  };
}
