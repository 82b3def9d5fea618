import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Stream } from './call.js';

/**
 * Sends the chunks as they come. A failure before the first one has an answer of its own; a later one
 * breaks the connection off, so that nobody takes what was sent for all of it.
 */
export function sendStream(
  { type, chunks }: Stream,
  { method, log, socket }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.type(type);
  // It would be read to its end, for nobody.
  if (method === 'HEAD') return reply.send();
  // Who reads slowly may; the next request of the connection has its time again. What is injected has none.
  if (socket instanceof Socket) socket.setTimeout(0);
  const body = Readable.from(chunks);
  body.on('error', (err) => {
    if (reply.raw.headersSent) log.error({ err }, 'an answer broke off');
  });
  return reply.send(body);
}
