import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tabs } from './graphiql-tabs.js';

/** A browser that opens the endpoint asks for a page; a client asks for JSON, or for anything. */
export function prefersPage({ headers }: FastifyRequest): boolean {
  const accept = qualities(headers.accept ?? '*/*');
  const qualityOf = (type: string) => accept.get(type) ?? accept.get('*/*') ?? 0;
  return qualityOf('text/html') > qualityOf('application/json');
}

/** Each media range with its weight, 1 where it says none. */
function qualities(accept: string): Map<string, number> {
  const ranges = accept.toLowerCase().split(',');
  return new Map(
    ranges.map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [type, Number(quality ?? 1)];
    }),
  );
}

/** Answers GraphiQL as one page that loads nothing else, or that the browser's copy is still right. */
export async function sendPage({ headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  page ??= renderPage();
  const { compressed, etag, policy } = await page;
  // With the policy, which a browser takes over into its copy.
  reply.headers({ etag, 'cache-control': 'no-cache', vary: 'Accept', 'content-security-policy': policy });
  if (headers['if-none-match']?.includes(etag)) return reply.code(304).send();
  reply.type('text/html; charset=utf-8').header('content-encoding', 'gzip');
  return reply.send(compressed);
}

type Page = { compressed: Buffer; etag: string; policy: string };

/** Made when first asked for: it takes a while. */
let page: Promise<Page> | undefined;

async function renderPage(): Promise<Page> {
  // Only now: it keeps 38 MB of memory.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    title: 'Context gateway',
    endpoint: '/graphql',
    favicon: `data:image/svg+xml,${encodeURIComponent(logo)}`,
    logo,
    defaultTabs: tabs.map((query) => ({ query })),
  });
  const compressed = await promisify(gzip)(html, { level: 9 });
  return { compressed, etag: `"${digest('sha256', compressed)}"`, policy: policyOf(html) };
}

/** Two speech bubbles, one of them filled. */
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24"><path fill="#3b82f6" d="M2 3h13v9H8l-4 4v-4H2z"/><path fill="none" stroke="#3b82f6" stroke-width="1.5" d="M17.5 8.5H22v8h-2v3.5l-3.5-3.5H10v-2"/></svg>`;

/**
 * Nothing but what the page carries, and the endpoint beside it. The editor's workers are made
 * from blobs, and it sets styles as it goes.
 */
function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) => script ?? '');
  return [
    "default-src 'none'",
    `script-src ${scripts.map((script) => `'sha256-${digest('sha256', script)}'`).join(' ')}`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function digest(algorithm: string, content: string | Buffer): string {
  return createHash(algorithm).update(content).digest('base64');
}
