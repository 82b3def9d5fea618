import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Stream } from './call.js';

/**
 * Sends the chunks as they come, as long as any are taken within the time of a request. A failure before the
 * first one has an answer of its own; a later one breaks the connection off, so that nobody takes what was sent
 * for all of it.
 */
export function sendStream(
  { type, chunks }: Stream,
  { method, log, server: { server } }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.type(type);
  // It would be read to its end, for nobody.
  if (method === 'HEAD') return reply.send();
  // Node.js looks whether any of what waits was taken meanwhile: who reads slowly may. While the next chunk is
  // made, nobody keeps anybody waiting. The next request of the connection has its time again.
  reply.raw.setTimeout(server.requestTimeout, () => {
    if (reply.raw.writableLength > 0) reply.raw.destroy();
  });
  const body = Readable.from(chunks);
  body.on('error', (err) => {
    if (reply.raw.headersSent) log.error({ err }, 'an answer broke off');
  });
  return reply.send(body);
}
