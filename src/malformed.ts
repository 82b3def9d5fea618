import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { responseOn } from './drain.js';
import { accepts } from './rest/accept.js';
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
    // Whatever its headers ask for, they were not understood.
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join('\r\n');
  socket.end(`${head}\r\n\r\n${text}`, () => socket.destroy());
}

/** Answers a call that expects what is not known, and hangs up: nobody can tell whether its body comes. */
export function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const { status, text } = problemText(unknownExpectation);
  const isProblem = accepts(request, 'application/problem+json');
  response.writeHead(status, {
    ...securityHeaders,
    'content-type': isProblem ? 'application/problem+json' : 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/**
 * Whether a call that came whole is being answered there: what is written before its answer, or into the
 * midst of it, would be taken for that.
 */
function isAnswering(socket: Duplex): boolean {
  const response = responseOn(socket);
  return Boolean(response && (response.headersSent || response.req.complete));
}

const malformed: Refusal = { code: 'INVALID', path: 'request', message: 'must be HTTP/1.1' };

const unknownExpectation: Refusal = {
  code: 'EXPECTATION_FAILED',
  path: 'Expect',
  message: 'must be 100-continue',
};

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', path: 'headers', message: 'are too large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'TOO_LARGE', path: 'body', message: 'is too large' },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: 'REQUEST_TIMEOUT',
    path: 'request',
    message: 'has taken too long to come',
  },
};
