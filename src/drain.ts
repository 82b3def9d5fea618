import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** How long callers that keep their connections are told so, with every answer, before nobody listens. */
const farewellMilliseconds = 300;

/**
 * Before the server closes, every answer says that it is the connection's last: whoever calls again and again
 * goes elsewhere by itself, and no request meets a connection that is just being closed.
 */
export function sayFarewell(server: FastifyInstance): void {
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // What comes from here on is told so by Fastify.
  server.addHook('preClose', async () => {
    for (const socket of sockets) {
      const response = responseOn(socket);
      if (response) response.shouldKeepAlive = false;
    }
    if (sockets.size > 0) await sleep(farewellMilliseconds);
  });
}

/** What is being answered there, if anything is. */
export function responseOn(socket: object): ServerResponse | null | undefined {
  // Where Node.js keeps it, and looks itself.
  return Reflect.get(socket, '_httpMessage');
}

/** Closes connections as they fall idle, those also that nobody could tell. */
export function closeIdle(server: Server): Disposable {
  const closing = setInterval(() => server.closeIdleConnections(), 100);
  return { [Symbol.dispose]: () => clearInterval(closing) };
}
