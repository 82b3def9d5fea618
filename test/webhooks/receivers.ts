import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What came in, as it came. */
export type Received = {
  path: string;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the message as JSON, looked into by assertions
  json: any;
};

/** Answers 200 unless it does something else. */
export type Behaviour = (response: ServerResponse, received: Received) => unknown;

export type Receiver = AsyncDisposable & {
  url: string;
  port: number;
  received: Received[];
  /** From now on. */
  behave(behaviour: Behaviour): void;
  /** How many connections were made to it. */
  connections(): number;
};

/** A receiver of webhooks on this machine. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let behave: Behaviour = accept;
  const server = createServer(async (request, response) => {
    const message = await read(request).catch(() => null);
    if (!message) return;
    received.push(message);
    await behave(response, message);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received,
    behave(behaviour) {
      behave = behaviour;
    },
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

export const accept: Behaviour = (response) => response.end('thank you');

export function answer(status: number, headers: Record<string, string> = {}): Behaviour {
  return (response) => response.writeHead(status, headers).end();
}

async function read(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return {
    path: request.url ?? '',
    // None of those that are looked at comes twice.
    headers: request.headers as Record<string, string>,
    text,
    json: JSON.parse(text),
  };
}
