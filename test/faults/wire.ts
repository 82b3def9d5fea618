import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { targetOf, throughPort } from '../proxy.js';

/**
 * What becomes of the bytes: all go through, none does, or those to the database alone do, so that what it
 * was told is done and nobody hears of it.
 */
export type WireMode = 'through' | 'black hole' | 'no answers';

/** A way to the database that can break in the middle. */
export type Wire = AsyncDisposable & {
  connectionString: string;
  /** For what comes from now on; a connection that has lost a byte stays silent for good. */
  set(mode: WireMode): void;
  /** Resets what is connected, as the death of a machine's kernel does; new connections are taken. */
  reset(): void;
  /** Lets every answer of the database take so much longer, from now on; it must not shrink, to keep their order. */
  delay(milliseconds: number): void;
};

export async function createWire(connectionString: string): Promise<Wire> {
  const target = targetOf(connectionString);
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: WireMode = 'through';
  let delayMilliseconds = 0;
  const server = createServer((client) => {
    const database = connect(target);
    const pair = [client, database] as const;
    let isSpoilt = false;
    const pass = (chunk: Buffer, to: Socket, isLost: boolean) => {
      isSpoilt ||= isLost;
      if (!isLost && !(isSpoilt && to === client)) to.write(chunk);
    };
    pairs.add(pair);
    client.on('data', (chunk) => pass(chunk, database, mode === 'black hole'));
    database.on('data', (chunk) => {
      const isLost = mode !== 'through';
      if (delayMilliseconds === 0) pass(chunk, client, isLost);
      // Timers of one length fire in the order of their making.
      else setTimeout(() => pass(chunk, client, isLost), delayMilliseconds);
    });
    for (const [from, to] of [pair, [database, client]] as const) {
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const reset = () => {
    for (const [client] of pairs) client.resetAndDestroy();
  };
  return {
    connectionString: throughPort(connectionString, port),
    set: (next) => {
      mode = next;
    },
    reset,
    delay: (milliseconds) => {
      delayMilliseconds = milliseconds;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      reset();
      await once(server, 'close');
    },
  };
}
