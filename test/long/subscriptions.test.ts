import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { currentMoment, encodeCursor } from '../../src/domain/events.js';
import { createTestApp, type TestApp } from '../harness.js';
import { countListening, subscribeBySse } from '../streams.js';

const customers = 50;
const subscribers = 500;
const changesPerSecond = 100;
const seconds = 20;

/** What each of them asks for. */
const query = `subscription ($id: ID!, $after: String) {
  customerServices(customerId: $id, after: $after) { cursor event { serviceId version } }
}`;

type Told = { customerServices: { cursor: string; event: { serviceId: string; version: number } } };

/** One screen: it goes on behind what it has, however often it is cut off. */
class Subscriber {
  readonly customer: string;
  readonly told: string[] = [];
  readonly #addresses: readonly string[];
  #after: string;
  #leave = () => {};
  #isOver = false;
  #run: Promise<void> | undefined;

  constructor(customer: string, addresses: readonly string[], after: string) {
    this.customer = customer;
    this.#addresses = addresses;
    this.#after = after;
  }

  follow(way: 'sse' | 'websocket'): void {
    this.#run = this.#follow(way);
  }

  /** Its connection breaks, without a word. */
  cut(): void {
    this.#leave();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#leave();
    await this.#run;
  }

  async #follow(way: 'sse' | 'websocket'): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      // Each time at the other gateway.
      const address = this.#addresses[turn % this.#addresses.length] ?? '';
      await (way === 'sse' ? this.#bySse(address) : this.#byWebSocket(address)).catch(() => {});
      if (!this.#isOver) await sleep(50 + 200 * Math.random());
    }
  }

  async #bySse(address: string): Promise<void> {
    const answers = await subscribeBySse(address, { query, variables: this.#variables() });
    this.#leave = answers.leave;
    if (this.#isOver) answers.leave();
    for await (const { data } of answers) if (data) this.#take(data);
  }

  async #byWebSocket(address: string): Promise<void> {
    const client = createClient({
      url: `${address.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: {
        opened: (opened) => {
          const socket = opened as WebSocket;
          this.#leave = () => socket.terminate();
          if (this.#isOver) this.#leave();
        },
      },
    });
    const answers = client.iterate<Told>({ query, variables: this.#variables() });
    for await (const { data } of answers) if (data) this.#take(data);
  }

  #variables() {
    return { id: this.customer, after: this.#after };
  }

  #take({ customerServices: { cursor, event } }: Told): void {
    this.#after = cursor;
    this.told.push(`${event.serviceId}.${event.version}`);
  }
}

test('500 subscribers of two gateways, half of them cut off again and again, miss nothing and get nothing twice', {
  timeout: 300_000,
}, async () => {
  const first = await createTestApp();
  const second = await createTestApp({ database: first });
  const gateways = [first, second];
  const addresses = await Promise.all(gateways.map(({ server }) => server.listen({ port: 0 })));
  const following = () => gateways.reduce((sum, { gateway }) => sum + gateway.changes.size, 0);
  const begun = encodeCursor((await currentMoment(first.gateway.database.forTenant('default'))).position);
  const services = await Promise.all(Array.from({ length: customers }, (_, place) => start(first, place)));
  const all = Array.from({ length: subscribers }, (_, place) => {
    const order = place % 4 < 2 ? addresses : addresses.toReversed();
    return new Subscriber(customerAt(place), order, begun);
  });
  for (const [place, subscriber] of all.entries()) subscriber.follow(place % 2 === 0 ? 'sse' : 'websocket');
  await expect.poll(following, patience).toBe(subscribers);

  let cuts = 0;
  const cutting = setInterval(() => {
    for (const subscriber of all.filter((_, place) => place % 4 >= 2)) {
      if (Math.random() > 0.05) continue;
      subscriber.cut();
      cuts += 1;
    }
  }, 500);
  const changes: Promise<void>[] = [];
  for (let count = 0; count < seconds * changesPerSecond; count++) {
    const place = count % customers;
    changes.push(change(gateways[count % 2] ?? first, services[place] ?? '', place));
    if (count % 10 === 9) await sleep(10_000 / changesPerSecond);
  }
  clearInterval(cutting);
  await Promise.all(changes);
  const happened = new Map<string, string[]>();
  for (const [place, id] of services.entries()) happened.set(customerAt(place), await versionsOf(first, id));
  const isBehind = ({ told, customer }: Subscriber) => told.length < (happened.get(customer)?.length ?? 0);
  await expect.poll(() => all.filter(isBehind).length, patience).toBe(0);

  expect(cuts).toBeGreaterThan(subscribers / 2);
  for (const { told, customer } of all) expect(told).toEqual(happened.get(customer));
  await Promise.all(all.map((subscriber) => subscriber.end()));
  await expect.poll(following, patience).toBe(0);
  await expect.poll(() => Promise.all(gateways.map(connectionsOf)), patience).toEqual([0, 0]);
  await expect.poll(() => countListening(first), patience).toBe(0);
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

const patience = { timeout: 90_000, interval: 200 };

function customerAt(place: number): string {
  return `customer-${place % customers}`;
}

async function start({ rest }: TestApp, place: number): Promise<string> {
  const body = { customer_id: customerAt(place) };
  const { json } = await rest('POST', '/genesys/1/cs/services/start', { body });
  return String(json.service_id);
}

async function change({ rest }: TestApp, id: string, place: number): Promise<void> {
  const { status } = await rest('POST', `/customers/${customerAt(place)}/services/${id}`);
  expect(status).toBe(200);
}

async function versionsOf({ sql }: TestApp, id: string): Promise<string[]> {
  const rows = await sql<{ version: number }>(
    'select version from event where service_id = $1 order by version',
    [id],
  );
  return rows.map(({ version }) => `${id}.${version}`);
}

function connectionsOf({ server }: TestApp): Promise<number> {
  return promisify(server.server.getConnections.bind(server.server))();
}
