import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export type HttpRequest = {
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  headers?: Record<string, string>;
  body?: string;
};

/** What came of a request: a whole answer, or how far it got. */
export type Exchange = { milliseconds: number } & (
  | { state: 'answered'; status: number; headers: IncomingHttpHeaders; text: string }
  /** Nobody listened: not a byte of the request has left. */
  | { state: 'unsent' }
  /** The connection broke before a byte of the answer came, or in the middle of it. */
  | { state: 'broken' | 'cut'; reason: string }
);

export type Line = { url: string; agent: Agent };

/** Longer than the gateway takes over any call. */
const patienceMilliseconds = 60_000;

/** Sends one request, once, and never throws. */
export function exchange({ url, agent }: Line, { path, body, ...given }: HttpRequest): Promise<Exchange> {
  const sentAt = performance.now();
  const milliseconds = () => performance.now() - sentAt;
  return new Promise((resolve) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { ...given, agent, headers: { ...type, ...given.headers } };
    const outgoing = request(new URL(path, url), options, (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk) => {
        text += chunk;
      });
      incoming.on('end', () =>
        resolve({ state: 'answered', status, headers, text, milliseconds: milliseconds() }),
      );
      incoming.on('error', (error) => fail(error, 'cut'));
    });
    const fail = ({ code, message }: NodeJS.ErrnoException, state: 'broken' | 'cut') => {
      const isUnsent = code === 'ECONNREFUSED';
      resolve({
        ...(isUnsent ? { state: 'unsent' } : { state, reason: code ?? message }),
        milliseconds: milliseconds(),
      });
    };
    outgoing.on('error', (error) => fail(error, 'broken'));
    outgoing.setTimeout(patienceMilliseconds, () => outgoing.destroy(new Error('no answer in 60 s')));
    outgoing.end(body);
  });
}
