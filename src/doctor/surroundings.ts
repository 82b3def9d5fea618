import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../config.js';
import { error, type Finding } from './finding.js';

const oldestNode = [20, 19] as const;
const patienceMilliseconds = 3_000;

export function nodeFindings(version: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (!isOld) return [];
  return [
    error('node', {
      what: `Node.js ${version} is too old.`,
      why: `The gateway needs what came with ${oldestNode.join('.')}.`,
      fix: `Install Node.js ${oldestNode.join('.')} or newer.`,
    }),
  ];
}

/** Whether the gateway could listen, or is the one that does. */
export async function portFindings({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Finding[]> {
  const code = await failureToListen(host, port);
  if (code === null || (code === 'EADDRINUSE' && (await isGateway(host, port)))) return [];
  const told = { why: 'The gateway does not start.' };
  if (code === 'EADDRINUSE') {
    const [what, fix] = [
      `Another program has port ${port} of ${host}.`,
      'Set PORT to a free one, or stop that program.',
    ];
    return [error('port', { ...told, what, fix })];
  }
  if (code === 'EACCES') {
    const what = `This user may not listen on port ${port}.`;
    const fix = 'Set PORT to one above 1023, behind a proxy where callers need the other one.';
    return [error('port', { ...told, what, fix })];
  }
  const what = `HOST ${host} is no address of this machine (${code}).`;
  return [
    error('host', { ...told, what, fix: 'Set HOST to one that it has, or to 0.0.0.0 for all of them.' }),
  ];
}

async function failureToListen(host: string, port: number): Promise<string | null> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    return null;
  } catch (caught) {
    return codeOf(caught);
  } finally {
    server.close();
  }
}

function codeOf(caught: unknown): string {
  return String(Reflect.get(Object(caught), 'code'));
}

/** What answers as one is one, and tells so to everybody but the data. */
async function isGateway(host: string, port: number): Promise<boolean> {
  const name =
    host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host;
  const answer = await ask(`http://${name}:${port}/server/status`);
  return answer?.headers.has('x-request-id') ?? false;
}

async function ask(url: string | URL): Promise<Response | null> {
  return fetch(url, { signal: AbortSignal.timeout(patienceMilliseconds) }).catch(() => null);
}

/** Whether the keys of tokens can be had, as the gateway gets them. */
export async function tokenFindings({ auth: { jwt } }: Pick<Config, 'auth'>): Promise<Finding[]> {
  if (jwt?.key.kind !== 'url') return [];
  const { host } = jwt.key.url;
  const answer = await ask(jwt.key.url);
  const keys = answer?.ok ? keysIn(await answer.json().catch(() => null)) : null;
  if (keys !== null && keys > 0) return [];
  const what = answer
    ? `JWT_JWKS_URL: what ${host} answers (${answer.status}) has no keys.`
    : `JWT_JWKS_URL: ${host} does not answer.`;
  return [
    error('jwks', {
      what,
      why: 'No bearer token is taken without them.',
      fix: 'Set JWT_JWKS_URL to the jwks_uri of your identity provider, and let this machine reach it.',
    }),
  ];
}

function keysIn(answer: unknown): number | null {
  const keys: unknown = Reflect.get(Object(answer), 'keys');
  return Array.isArray(keys) ? keys.length : null;
}
