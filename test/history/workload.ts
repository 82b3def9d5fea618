import { randomUUID } from 'node:crypto';
import { randomFrom } from '../random.js';

/** One call and what it was answered. */
export type Call = {
  kind: 'associate' | 'undo' | 'end' | 'update' | 'read';
  serviceId: number;
  status: number;
  /** Of what was refused. */
  code: string | undefined;
  /** That the act came to, or that was read. */
  version: number | undefined;
  replayed: boolean;
  key: string | undefined;
  expectedVersion: number | undefined;
  /** What both extensions of a write say, and both of a read should. */
  tokens: readonly (string | undefined)[];
};

export type Workload = {
  urls: readonly string[];
  clients: number;
  operations: number;
  services: number;
  seed: number;
};

/**
 * Many clients at once on few services, over all gateways: associations with and without an expected
 * version, retries with one key at the same moment, undos, updates, ends and reads.
 */
export async function runWorkload({ urls, clients, operations, services, seed }: Workload): Promise<Call[]> {
  const random = randomFrom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const ids = await Promise.all(Array.from({ length: services }, (_, index) => start(pick(urls), index)));
  const calls: Call[] = [];
  const client = async () => {
    while (calls.length < operations) {
      const target = {
        url: pick(urls),
        other: pick(urls),
        id: pick(ids),
        customer: `c-${Math.floor(random() * 20)}`,
      };
      calls.push(...(await act(random(), target)));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return calls;
}

type Target = { url: string; other: string; id: number; customer: string };

async function act(dice: number, { url, other, id, customer }: Target): Promise<Call[]> {
  if (dice < 0.3) return [await associate(url, id, customer, {})];
  if (dice < 0.45) {
    const key = randomUUID();
    const body = newBody();
    const both = [url, other, url].map((gateway) => associate(gateway, id, customer, { key, body }));
    return Promise.all(both);
  }
  if (dice < 0.7) {
    const seen = await read(url, id);
    // Without extensions, which would have the service compared with what was seen of it anyway.
    const path = `/customers/${customer}/services/${id}`;
    return [seen, await post('associate', other, id, path, { expectedVersion: seen.version })];
  }
  if (dice < 0.8) return [await post('undo', url, id, `/services/${id}/associations/undo`, {})];
  if (dice < 0.81) return [await post('end', url, id, `/services/${id}/end`, {})];
  if (dice < 0.9) return [await update(url, id)];
  return [await read(url, id)];
}

async function start(url: string, index: number): Promise<number> {
  const answer = await fetch(`${url}/genesys/1/cs/services/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ contact_key: `key-${index}` }),
  });
  return ((await answer.json()) as { service_id: number }).service_id;
}

/** Two extensions that say the same: whoever sees them differ saw half a change. */
function newBody(): { PairA: string; PairB: string } {
  const token = randomUUID();
  return { PairA: token, PairB: token };
}

type Extras = { key?: string; body?: { PairA: string; PairB: string }; expectedVersion?: number | undefined };

function associate(
  url: string,
  id: number,
  customer: string,
  { body = newBody(), ...extras }: Extras,
): Promise<Call> {
  return post('associate', url, id, `/customers/${customer}/services/${id}`, { body, ...extras });
}

async function post(
  kind: Call['kind'],
  url: string,
  id: number,
  path: string,
  extras: Extras,
): Promise<Call> {
  const { key, expectedVersion, body } = extras;
  const answer = await fetch(`${url}/genesys/1/cs${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key ? { 'idempotency-key': key } : {}),
      ...(expectedVersion ? { 'if-match': `"${expectedVersion}"` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return {
    kind,
    serviceId: id,
    status: answer.status,
    code: codeIn(text),
    version: versionOf(answer),
    replayed: answer.headers.get('idempotency-replayed') === 'true',
    key,
    expectedVersion,
    tokens: body && answer.ok ? [body.PairA, body.PairB] : [],
  };
}

async function read(url: string, id: number): Promise<Call> {
  const answer = await fetch(`${url}/genesys/1/cs/services/${id}?extensions=*`);
  const text = await answer.text();
  const { PairA, PairB } = JSON.parse(text) as Partial<ReturnType<typeof newBody>>;
  return {
    ...silent(id),
    kind: 'read',
    status: answer.status,
    code: codeIn(text),
    version: versionOf(answer),
    tokens: [PairA, PairB],
  };
}

/** Over GraphQL, which takes no attached data: a field alone. */
async function update(url: string, id: number): Promise<Call> {
  const query = `mutation { updateService(input: { serviceId: "${id}", resourceId: 1 }) {
    ... on UpdateServicePayload { service { version } } } }`;
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await answer.text();
  const { data } = JSON.parse(text) as { data?: { updateService: { service?: { version: number } } } | null };
  const version = data?.updateService.service?.version;
  // What is refused with a payload has the status of success.
  const status = answer.ok && !version ? 409 : answer.status;
  return { ...silent(id), kind: 'update', status, code: codeIn(text), version };
}

function silent(serviceId: number): Omit<Call, 'kind' | 'status' | 'code' | 'version'> {
  return { serviceId, replayed: false, key: undefined, expectedVersion: undefined, tokens: [] };
}

/** The first one, as either front writes it. */
function codeIn(text: string): string | undefined {
  return /"code":"(\w+)"/.exec(text)?.[1];
}

function versionOf(answer: Response): number | undefined {
  const etag = /^"(\d+)"$/.exec(answer.headers.get('etag') ?? '')?.[1];
  return etag === undefined ? undefined : Number(etag);
}
