import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemText, type Refusal } from './rest/problem.js';
import { securityHeaders } from './security-headers.js';

type ClientError = Error & { code?: string };

/** Answers what is no HTTP, or too much of it, unless another call is being answered there, and hangs up. */
export function answerClientError({ code = '' }: ClientError, socket: Duplex): void {
  if (code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const { status, text } = problemText(refusals[code] ?? malformed);
  const headers = {
    ...securityHeaders,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join('\r\n');
  socket.end(`${head}\r\n\r\n${text}`, () => socket.destroy());
}

/**
 * Whether a call that came whole is being answered there: what is written before its answer, or into the
 * midst of it, would be taken for that.
 */
function isAnswering(socket: Duplex): boolean {
  // Where Node.js keeps it, and looks itself.
  const response: ServerResponse | null | undefined = Reflect.get(socket, '_httpMessage');
  return Boolean(response && (response.headersSent || response.req.complete));
}

const malformed: Refusal = { code: 'INVALID', path: 'request', message: 'must be HTTP/1.1' };

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', path: 'headers', message: 'are too large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'TOO_LARGE', path: 'body', message: 'is too large' },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'REQUEST_TIMEOUT',
    path: 'request',
    message: 'has taken too long to come',
  },
};
