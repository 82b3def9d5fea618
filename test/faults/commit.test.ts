import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createTestDatabase } from '../databases.js';
import { balance } from './accounts.js';
import { type Act, newAct, requestFor, type Verdict, verdictOn } from './acts.js';
import { exchange } from './exchange.js';
import { ask, bootTested } from './gateways.js';
import { report } from './rounds.js';
import { type Entry, newLine } from './traffic.js';
import { createWire } from './wire.js';

const kinds = ['start', 'associate', 'update'] as const;
const fronts = ['REST', 'GRAPHQL'] as const;
const cases = fronts.flatMap((front) => kinds.map((kind) => ({ front, kind })));

test('a write whose answer is lost after its commit is told as unknown; sent again with its key it is a replay', async () => {
  await using database = await createTestDatabase(inject('serverUrl'));
  await using wire = await createWire(database.connectionString);
  await using gateway = await bootTested({ DATABASE_URL: wire.connectionString });
  const send = async (act: Act) => verdictOn(act, await exchange(newLine(gateway.url), requestFor(act)));
  const told: Entry[] = [];
  const first = newAct('start', 'REST', '', false);
  const started = await send(first);
  told.push({ act: first, verdict: started });

  for (const { kind, front } of cases) {
    const make = (isKeyed: boolean) => newAct(kind, front, serviceOf(started), isKeyed);
    told.push({ act: await loseTheAnswer(() => make(false)), verdict: { state: 'unknown' } });
    const keyed = await loseTheAnswer(() => make(true));
    const again = await send(keyed);
    expect(again).toMatchObject({ state: 'acknowledged', isReplay: true });
    told.push({ act: keyed, verdict: again });
  }
  const { faults, counts } = await balance(database.connectionString, told);

  report('cut inside COMMIT', counts);
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ acknowledged: 7, found: 7, 'unknown but done': 6 });

  /** Of an act that was committed; another one where the gateway needed a new connection, and sent nothing. */
  async function loseTheAnswer(make: () => Act): Promise<Act> {
    const act = make();
    // What is looked up for a call is known for some seconds from now on: the write alone is sent.
    await ask(gateway.url);
    const before = await countEvents(database.connectionString);
    wire.set('no answers');
    let isAnswered = false;
    const answering = send(act).finally(() => {
      isAnswered = true;
    });
    let isCommitted = false;
    while (!isCommitted && !isAnswered) {
      isCommitted = (await countEvents(database.connectionString)) > before;
      await sleep(5);
    }
    wire.reset();
    wire.set('through');
    const verdict = await answering;
    if (isCommitted) {
      expect(verdict).toEqual({ state: 'unknown' });
      return act;
    }
    told.push({ act, verdict });
    return loseTheAnswer(make);
  }
});

function serviceOf(verdict: Verdict): string {
  if (verdict.state !== 'acknowledged') throw new Error(`not acknowledged: ${JSON.stringify(verdict)}`);
  return verdict.serviceId;
}

async function countEvents(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query('select from event')).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
