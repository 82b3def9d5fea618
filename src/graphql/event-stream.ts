import type { OutgoingHttpHeaders } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Who takes nothing of what waits for so long is cut off. */
export const stallMilliseconds = 10_000;

export function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type') === 'text/event-stream';
}

/** Sends what comes as it is taken. The call is over for all who count calls or their time. */
export function sendEventStream(body: AsyncIterable<Uint8Array>, reply: FastifyReply): void {
  // Whoever has taken all that there is may wait for more as long as he likes.
  reply.raw.setTimeout(stallMilliseconds, () => {
    if (reply.raw.writableLength > 0) reply.raw.destroy();
  });
  // Fastify would take the call for one that lasts as long as its answer, and so would all who count.
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  // Who goes away ends it.
  pipeline(Readable.from(body), reply.raw, () => {});
}
