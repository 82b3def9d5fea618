import type { onRequestHookHandler } from 'fastify';
import { isLoopback } from './config.js';
import { Forbidden, Invalid } from './errors.js';
import { asksForWebSocket } from './upgrades.js';

const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses changes that a page of another site makes a browser send. A form needs no preflight, and a
 * gateway that asks for no credentials would do what it says. So would it over a WebSocket, whose answers no
 * browser keeps from the page.
 * @param allowedOrigins those whose pages may call
 */
export function refuseCrossSite(allowedOrigins: readonly string[]): onRequestHookHandler {
  return ({ method, headers, host, raw }, _reply, done) => {
    const { origin } = headers;
    const isSafe = safeMethods.includes(method) && !asksForWebSocket(raw);
    if (isSafe || (origin !== undefined && allowedOrigins.includes(origin))) return done();
    const site = headers['sec-fetch-site'];
    const isOwn =
      site === undefined ? isSameHost(origin, host) : ['same-origin', 'none'].includes(String(site));
    done(
      isOwn ? undefined : new Forbidden('Pages of other sites may not change anything: see CORS_ORIGINS.'),
    );
  };
}

/**
 * Refuses whatever is asked of a gateway under a name that is not this machine's, while it serves this
 * machine alone and asks for no credentials: a page can let its own name lead here, and read along.
 * A name that can be none is refused in any case.
 */
export function refuseForeignHosts(isForLoopbackAlone: () => Promise<boolean>): onRequestHookHandler {
  return (request, _reply, done) => {
    const { host, hostname } = request;
    if (!isHost(host)) return done(new Invalid([{ path: ['Host'], message: 'must be a host and its port' }]));
    if (isLoopback(hostname.replace(/^\[|\]$/g, ''))) return done();
    // A page learns nothing by a probe, which asks no database.
    if (request.routeOptions.config.isProbe) return done();
    isForLoopbackAlone().then((isAlone) => done(isAlone ? foreignHost() : undefined), done);
  };
}

/** Where there is none, an empty one stands for it. The addresses of requests are made from it. */
function isHost(host: string): boolean {
  if (host === '' || knownHosts.has(host)) return true;
  const isOne = !/[/?#@\\]/.test(host) && URL.canParse(`http://${host}`);
  // Whoever makes names up costs the others a look now and then.
  if (knownHosts.size >= mostKnownHosts) knownHosts.clear();
  if (isOne) knownHosts.add(host);
  return isOne;
}

/** A gateway has few names, and each call says one of them. */
const knownHosts = new Set<string>();
const mostKnownHosts = 100;

function foreignHost(): Forbidden {
  return new Forbidden(
    'Without credentials the gateway answers to localhost alone: make a key, or say AUTH=none.',
  );
}

/** Programs other than browsers say no origin. */
function isSameHost(origin: string | undefined, host: string): boolean {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
