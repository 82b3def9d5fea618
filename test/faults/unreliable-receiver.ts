import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { randomFrom } from '../random.js';
import { type Behaviour, type Received, type Receiver, startReceiver } from '../webhooks/receivers.js';

/** The ways in which it fails, besides that nobody listens now and then. */
const failuresBeside = (inside: string): Readonly<Record<string, Behaviour>> => ({
  'answers 500': (response) => response.writeHead(500).end(),
  'never answers': () => {},
  'breaks off in the middle': (response) => {
    response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
  },
  'redirects into the house': (response) => response.writeHead(307, { location: inside }).end(),
});

export type UnreliableReceiver = AsyncDisposable & {
  url: string;
  /** How many messages it has taken, and how often it failed in each way. */
  counts(): Readonly<Record<string, number>>;
  /** The versions of each service that it has taken, each once. */
  taken(): ReadonlyMap<string, readonly number[]>;
  /** What must not be: a message that comes before the one that it follows, is not genuine, or is led elsewhere. */
  faults(): readonly string[];
  /** The secret of the webhook, once it is known. */
  trust(secret: string): void;
  /** Until so many more are taken. */
  takes(more: number): Promise<void>;
};

const upMilliseconds = 2_000;
const downMilliseconds = 300;
/** Of ten messages so many are failed. */
const failing = 2;

/** A receiver that fails in five ways, in turn, and takes the rest. */
export async function startUnreliableReceiver(): Promise<UnreliableReceiver> {
  const random = randomFrom(5);
  const inside = await startReceiver();
  const failures = Object.entries(failuresBeside(inside.url));
  const counts: Record<string, number> = { taken: 0, repeated: 0, 'nobody listens': 0 };
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const taken = new Map<string, number[]>();
  const faults: string[] = [];
  let verifier: Webhook | undefined;

  const take = ({ json }: Received) => {
    const { serviceId, version } = json.data;
    const versions = taken.get(serviceId) ?? [];
    taken.set(serviceId, versions);
    if (versions.includes(version)) return count('repeated');
    versions.push(version);
    count('taken');
  };
  const look = ({ json, text, headers }: Received) => {
    const { serviceId, version } = json.data;
    const newest = taken.get(serviceId)?.at(-1) ?? 0;
    if (version > newest + 1) faults.push(`order: ${serviceId} v${version} came behind v${newest}`);
    try {
      verifier?.verify(text, headers);
    } catch (error) {
      faults.push(`signature: ${serviceId} v${version}: ${error}`);
    }
  };
  let turn = 0;
  const behave: Behaviour = (response, received) => {
    look(received);
    const failure = failures[turn % failures.length];
    if (failure === undefined || random() * 10 >= failing) {
      take(received);
      return response.end();
    }
    const [name, fail] = failure;
    turn += 1;
    count(name);
    return fail(response, received);
  };

  let receiver: Receiver = await startReceiver();
  receiver.behave(behave);
  const { url, port } = receiver;
  let isEnding = false;
  const outages = async () => {
    while (!isEnding) {
      await sleep(upMilliseconds);
      await receiver[Symbol.asyncDispose]();
      count('nobody listens');
      await sleep(downMilliseconds);
      receiver = await startReceiver(port);
      receiver.behave(behave);
    }
  };
  const ending = outages();
  return {
    url,
    faults: () => (inside.connections() > 0 ? [...faults, 'redirect: it was followed'] : faults),
    counts: () => counts,
    taken: () => taken,
    trust(secret) {
      verifier = new Webhook(secret);
    },
    async takes(more) {
      const goal = (counts['taken'] ?? 0) + more;
      const deadline = performance.now() + 60_000;
      while ((counts['taken'] ?? 0) < goal) {
        if (performance.now() > deadline) throw new Error(`waited 60 s in vain for ${more} more messages`);
        await sleep(10);
      }
    },
    async [Symbol.asyncDispose]() {
      isEnding = true;
      await ending;
      await receiver[Symbol.asyncDispose]();
      await inside[Symbol.asyncDispose]();
    },
  };
}
