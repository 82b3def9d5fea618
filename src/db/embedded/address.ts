import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Cluster } from './cluster.js';

/** Where the server listens. The socket lies in the data folder, `port` is then only part of its name. */
export type Address = { kind: 'socket' | 'tcp'; port: number };

/** A socket's path may have 107 bytes on Linux, 103 on macOS. */
const MAX_SOCKET_PATH_BYTES = 103;

const SOCKET_PORT = 5432;

/** The socket, or for a folder whose path is too long a free port of this machine, with a password. */
export async function chooseAddress(dataDirectory: string): Promise<Address> {
  const socketPath = `${dataDirectory}/.s.PGSQL.${SOCKET_PORT}`;
  if (Buffer.byteLength(socketPath) <= MAX_SOCKET_PATH_BYTES) return { kind: 'socket', port: SOCKET_PORT };
  return { kind: 'tcp', port: await findFreePort() };
}

/** Complete, so that nothing is taken from PGPORT, PGSSLMODE and the like. */
export function toConnectionString(cluster: Cluster, { kind, port }: Address, database: string): string {
  const url = new URL(`postgresql://postgres@localhost/${database}?sslmode=disable`);
  url.port = String(port);
  if (kind === 'socket') {
    url.searchParams.set('host', cluster.dataDirectory);
  } else {
    url.hostname = '127.0.0.1';
    url.password = cluster.password;
  }
  return url.href;
}

/** As settings of the server, which has the data folder as its working directory. */
export function toSettings({ kind, port }: Address): Record<string, string> {
  return {
    port: String(port),
    listen_addresses: kind === 'tcp' ? '127.0.0.1' : '',
    unix_socket_directories: kind === 'socket' ? '.' : '',
    unix_socket_permissions: '0700',
  };
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  // A server that listens on TCP has an address of this kind.
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
