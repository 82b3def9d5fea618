import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** One that carries all it needs, compressed, with what it may do. */
export type Page = { compressed: Buffer; etag: string; policy: string };

/**
 * Nothing but its own scripts and styles, and the gateway that it is from.
 * @param more what else it needs, by the names of the policy
 */
export async function sealPage(html: string, more: Readonly<Record<string, string>>): Promise<Page> {
  const policy = Object.entries({
    'default-src': "'none'",
    'script-src': hashesOf(html, /<script>([\s\S]*?)<\/script>/g),
    'style-src': hashesOf(html, /<style>([\s\S]*?)<\/style>/g),
    'img-src': 'data:',
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    ...more,
  });
  const compressed = await promisify(gzip)(html, { level: 9 });
  return {
    compressed,
    etag: `"${digest(compressed)}"`,
    policy: policy.map(([name, sources]) => `${name} ${sources}`).join('; '),
  };
}

/** Answers the page, or that the browser's copy is still right. */
export function sendPage(
  { compressed, etag, policy }: Page,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  // With the policy, which a browser takes over into its copy.
  reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': policy });
  if (headers['if-none-match']?.includes(etag)) return reply.code(304).send();
  reply.type('text/html; charset=utf-8').header('content-encoding', 'gzip');
  return reply.send(compressed);
}

function hashesOf(html: string, elements: RegExp): string {
  return [...html.matchAll(elements)].map(([, text]) => `'sha256-${digest(text ?? '')}'`).join(' ');
}

function digest(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('base64');
}
