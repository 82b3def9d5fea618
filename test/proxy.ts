import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import pg from 'pg';

/** A way to the database that can be cut. */
export type DatabaseProxy = AsyncDisposable & {
  connectionString: string;
  /** Breaks what is connected and takes nobody new. */
  cut(): Promise<void>;
  /** Breaks what is connected without a farewell. */
  reset(): void;
  restore(): Promise<void>;
};

export async function createProxy(connectionString: string): Promise<DatabaseProxy> {
  const target = targetOf(connectionString);
  const sockets = new Set<Socket>();
  let server = await listen(0);
  const address = server.address();
  const proxyPort = typeof address === 'object' ? (address?.port ?? 0) : 0;

  async function listen(at: number): Promise<Server> {
    const started = createServer((client) => join(client, connect(target)));
    started.listen(at, '127.0.0.1');
    await once(started, 'listening');
    return started;
  }
  function join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
  async function cut(): Promise<void> {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }
  return {
    connectionString: throughPort(connectionString, proxyPort),
    cut,
    reset: () => {
      // A socket of a file system has no resets; it goes with the other end.
      for (const socket of sockets) if (socket.remotePort !== undefined) socket.resetAndDestroy();
    },
    restore: async () => {
      server = await listen(proxyPort);
    },
    [Symbol.asyncDispose]: cut,
  };
}

/** Where the database is, for a proxy. */
export function targetOf(connectionString: string): NetConnectOpts {
  const { host, port } = new pg.Client({ connectionString });
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
}

/** The same database by way of a port of this machine. */
export function throughPort(connectionString: string, port: number): string {
  const { user, database, password } = new pg.Client({ connectionString });
  return `postgresql://${user}:${encodeURIComponent(String(password ?? ''))}@127.0.0.1:${port}/${database}`;
}
