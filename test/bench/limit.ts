import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inBatch } from '../../src/db/batches.js';
import type { Registry } from '../../src/db/registry.js';
import { changeServices, type ServiceCommand } from '../../src/domain/service-statements.js';
import { commandOf, type ServiceWrite } from '../../src/domain/service-writes.js';
import type { LimitAnswer } from './limits.js';
import { feedback, mediaType, satisfaction } from './works/associate.js';

/** Associates as fast as batches go through `pg`, and prints how many. */
type Request = { connectionString: string; seconds: number; movable: { from: number; to: number } };

// Written by limits.ts.
const { connectionString, seconds, movable } = JSON.parse(process.argv[2] ?? '') as Request;
const mostInBatch = 64;
const inFlight = 2;

const clients = await Promise.all(
  Array.from({ length: inFlight }, async () => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    return client;
  }),
);
const registry = await readRegistry();
const cpuBefore = process.cpuUsage();
const start = performance.now();
const written = await Promise.all(clients.map(sendUntilEnd));
const elapsed = performance.now() - start;
const { user, system } = process.cpuUsage(cpuBefore);
await Promise.all(clients.map((client) => client.end()));

const answer: LimitAnswer = {
  written: written.reduce((sum, count) => sum + count, 0),
  seconds: elapsed / 1000,
  cpuMicroseconds: user + system,
};
console.log(JSON.stringify(answer));

/** Of which the statement compares the version alone. */
async function readRegistry(): Promise<Registry> {
  const [client] = clients;
  const found = await client?.query<{ registry_version: number }>('select registry_version from tenant');
  const version = found?.rows[0]?.registry_version ?? 0;
  return { version, schemas: [], businessAttributes: [], mappings: new Map(), mapNames: false };
}

/** Each with services of its own, as the gateway never has one service in two batches. */
async function sendUntilEnd(client: pg.Client, turn: number): Promise<number> {
  let count = 0;
  while (performance.now() - start < seconds * 1000) {
    const commands = [...drawIds(turn)].map(drawCommand);
    const { text, values } = inBatch(changeServices, commands, { tenant: 'default', lockTimeout: '5s' });
    const { rowCount } = await client.query({ name: 'change', text, values: [...values] });
    if (rowCount !== commands.length) throw new Error(`${rowCount} of ${commands.length} commands acted`);
    count += commands.length;
  }
  return count;
}

function drawIds(turn: number): Set<number> {
  const ids = new Set<number>();
  while (ids.size < mostInBatch) {
    const id = randomInteger(movable.from, movable.to);
    if (id % inFlight === turn) ids.add(id);
  }
  return ids;
}

function drawCommand(id: number): ServiceCommand {
  const rating = randomInteger(0, 10);
  const [first, second] = satisfaction;
  const extensions = [
    extensionOf('Feedback', { ...feedback, rating }),
    extensionOf('Satisfaction', [{ ...first, rating }, { ...second }]),
  ];
  const write: ServiceWrite = {
    id: BigInt(id),
    event: 'SERVICE_ASSOCIATED',
    association: 'ASSOCIATE',
    columns: {
      customer_id: `customer-${randomInteger(10 ** 11, 10 ** 12)}`,
      interaction_id: `interaction-${randomInteger(10 ** 11, 10 ** 12)}`,
      media_type: mediaType,
      resource_id: randomInteger(1, 99_999),
    },
    extensions: [],
    takesAttachedData: false,
    timestamp: null,
  };
  const origin = { front: 'REST', requestId: randomUUID(), principal: null, receivedAt: new Date() } as const;
  return commandOf(registry, origin, write, extensions, '');
}

function extensionOf(name: string, value: ServiceCommand['extensions'][number]['value']) {
  const size_bytes = Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(value));
  return { scope: 'SERVICE', owner_id: 0, name_key: name.toLowerCase(), name, value, size_bytes } as const;
}

function randomInteger(from: number, to: number): number {
  return Math.floor(from + Math.random() * (to - from + 1));
}
