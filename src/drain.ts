import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './readiness.js';

/** How long callers that keep their connections are told so, with every answer, before nobody listens. */
const farewellMilliseconds = 300;
/** A balancer asks once a second, and sends calls until then: one that nobody listens to any more may be lost. */
const watchedFarewellMilliseconds = 2_000;

/**
 * Before the server closes, every answer says that it is the connection's last: whoever calls again and again
 * goes elsewhere by itself, and no request meets a connection that is just being closed. Behind that
 * connections are closed as they fall idle.
 */
export function drainBeforeClose(server: FastifyInstance, readiness: Readiness): void {
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  const closeIdle = () => {
    server.server.closeIdleConnections();
    // Browsers open some beforehand. Node.js takes those for busy, as is one whose request is just to be read.
    for (const socket of sockets) {
      if (socket.bytesRead > 0) continue;
      if (silent.has(socket)) socket.destroy();
      silent.add(socket);
    }
  };
  let closing: NodeJS.Timeout | undefined;
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
    if (readiness.isWatched) await sleep(watchedFarewellMilliseconds);
    else if (sockets.size > 0) await sleep(farewellMilliseconds);
    closing = setInterval(closeIdle, 100);
  });
  server.addHook('onClose', async () => clearInterval(closing));
}

/** What is being answered there, if anything is. */
export function responseOn(socket: object): ServerResponse | null | undefined {
  // Where Node.js keeps it, and looks itself.
  return Reflect.get(socket, '_httpMessage');
}
