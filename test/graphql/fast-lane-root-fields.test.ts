import { getOperationAST, Kind, parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, makeKey, makeTenants } from '../auth/makers.js';
import {
  type Estate,
  exampleOf,
  makeEstate,
  operationNames,
  outcomeOf,
  renew,
  send,
} from '../auth/operations.js';
import type { TestApp } from '../harness.js';
import { untilEventsCanBeRead } from '../transactions.js';
import { ask, type Exchange, openWays, type Ways } from './ways.js';

const rootFields = operationNames.filter((name) => /^(Query|Mutation)\./.test(name));

/** What each of the gateways has for the operations to act on, and who asks. */
type Scene = { estate: Estate; reader: Record<string, string>; operator: Record<string, string> };

let ways: Ways;
/** By the addresses of the databases. */
const scenes = new Map<string, Scene>();

beforeAll(async () => {
  ways = await openWays();
  await ways.compare(async (app) => {
    scenes.set(app.connectionString, await makeScene(app));
  });
});
afterAll(() => ways[Symbol.asyncDispose]());

async function makeScene(app: TestApp): Promise<Scene> {
  await makeTenants(app, 'own');
  const { key } = await makeKey(app, { tenants: ['own'] });
  const { key: reader } = await makeKey(app, { tenants: ['own'], role: 'READER' });
  const { key: operator } = await makeKey(app, { tenants: 'all' });
  return {
    estate: await makeEstate(app, key, 'own'),
    reader: bearer(reader),
    operator: { ...bearer(operator), contactcenterid: 'own' },
  };
}

test.each(rootFields)('%s is answered as Yoga answers it', async (name) => {
  const exchanges = await ways.compare((app) => askFor(name, app));

  const fast = exchanges.filter(({ isFast }) => isFast);
  expect(fast.filter(({ answer }) => outcomeOf(answer) === 'OK').flatMap(rootFieldsOf)).toContain(name);
});

async function askFor(name: string, app: TestApp): Promise<void> {
  const example = exampleOf(name);
  const scene = scenes.get(app.connectionString);
  if (!example || !scene) throw new Error(`${name} is asked for by no example`);
  const { estate, reader, operator } = scene;
  const request = example.request(example.isRead ? estate : await renew(app, estate));
  if (name === 'Query.events') await untilEventsCanBeRead(app);
  // The document is known from then on, and nothing is changed.
  await send(app, request, reader);
  await send(app, request, operator);
  if (example.isForAllTenants) await ask(app, leaveMaintenance, operator);
}

const leaveMaintenance = {
  query: 'mutation { setServerMode(input: { mode: PRODUCTION }) { __typename } }',
};

function rootFieldsOf({ body }: Exchange): string[] {
  const operation = getOperationAST(parse(String(body['query'])));
  const root = operation?.operation === 'mutation' ? 'Mutation' : 'Query';
  return (operation?.selectionSet.selections ?? []).flatMap((selection) =>
    selection.kind === Kind.FIELD ? `${root}.${selection.name.value}` : [],
  );
}
