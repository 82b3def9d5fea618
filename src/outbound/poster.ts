import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Reply } from '../domain/delivering.js';
import { type Destinations, ForbiddenAddress } from './destinations.js';

/** What is sent: JSON, by POST. */
export type Letter = { url: string; headers: Readonly<Record<string, string>>; body: string };

export type PosterOptions = {
  destinations: Destinations;
  /** From the first packet to the last byte of the answer. */
  timeoutSeconds: number;
};

/** Of an answer nothing but its status counts: more than this is not even taken. */
const longestAnswerBytes = 64 * 1024;
/** Below what servers usually allow: a connection that they are just closing takes no letter. */
const idleMilliseconds = 4_000;

const ofStale: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** Sends letters over connections that it keeps. It follows no redirect: whither is not for the receiver to say. */
export class Poster implements Disposable {
  readonly #options: PosterOptions;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(options: PosterOptions) {
    this.#options = options;
    const kept = { keepAlive: true, timeout: idleMilliseconds, lookup: options.destinations.lookup };
    this.#http = new HttpAgent(kept);
    this.#https = new HttpsAgent(kept);
  }

  /** @param signal ends it before its time; what it came to is unknown then, as when it failed */
  async post(letter: Letter, signal?: AbortSignal): Promise<Reply> {
    const { destinations, timeoutSeconds } = this.#options;
    if (!destinations.isOpen(new URL(letter.url).hostname)) return failed(new ForbiddenAddress());
    const end = new AbortController();
    const cut = () => end.abort();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end.abort();
    }, timeoutSeconds * 1_000);
    signal?.addEventListener('abort', cut);
    if (signal?.aborted) end.abort();
    try {
      return await this.#exchange(letter, end.signal);
    } catch (error) {
      return isLate
        ? { state: 'failed', reason: `no whole answer within ${timeoutSeconds} s` }
        : failed(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cut);
    }
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange(letter: Letter, signal: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const isPlain = letter.url.startsWith('http:');
      const options = { method: 'POST', headers: headersOf(letter), signal };
      const request = isPlain
        ? requestHttp(letter.url, { ...options, agent: this.#http })
        : requestHttps(letter.url, { ...options, agent: this.#https });
      request.on('response', (answer) => resolve(readAnswer(answer)));
      request.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that was being closed took nothing: that is no failure of the receiver.
        const wasStale = request.reusedSocket && ofStale.has(error.code ?? '') && !signal.aborted;
        if (wasStale) resolve(this.#exchange(letter, signal));
        else reject(error);
      });
      // Without a response or an error where the receiver would go on by another protocol.
      request.on('close', () => reject(brokenOff()));
      request.end(letter.body);
    });
  }
}

function headersOf({ headers, body }: Letter): Record<string, string> {
  return {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  };
}

/** Takes the answer to its end, so that the connection can be kept. */
async function readAnswer(answer: IncomingMessage): Promise<Reply> {
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > longestAnswerBytes) break;
  }
  // Leaving the loop destroys what is left.
  if (!answer.complete && bytes <= longestAnswerBytes) throw brokenOff();
  return {
    state: 'answered',
    status: answer.statusCode ?? 0,
    retryAfter: answer.headers['retry-after'],
  };
}

function brokenOff(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke before the answer was whole',
  EPIPE: 'the connection broke before the answer was whole',
  ENOTFOUND: 'its host has no address',
  EAI_AGAIN: 'its host could not be looked up',
};

/** Without the error's own words, which can name addresses. */
function failed(error: unknown): Reply {
  if (error instanceof ForbiddenAddress) {
    return { state: 'failed', reason: 'its host is internal, and WEBHOOK_INTERNAL_HOSTS does not name it' };
  }
  const code = String(Reflect.get(Object(error), 'code') ?? 'unknown');
  return { state: 'failed', reason: reasons[code] ?? `the connection failed (${code})` };
}
