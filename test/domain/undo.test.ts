import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { randomFrom } from '../random.js';
import { startService } from '../seeds.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('an undo brings the former owner back, an undo of that is a redo, and history keeps it all', async () => {
  const id = await startService(app, { customer_id: 'a', interaction_id: 'i-1' });
  await associate(id, 'b', { interaction_id: 'i-2', Attached: { kept: true } });

  const undone = await undo(id, { 'x-reason': 'wrong%20caller', 'x-actor': 'agent 7' });
  const afterUndo = await app.rest('GET', `/services/${id}?extensions=*`);
  await undo(id);
  const afterRedo = await app.rest('GET', `/services/${id}`);

  expect(undone).toMatchObject({ status: 200, text: '', headers: { etag: '"3"' } });
  expect(afterUndo.json).toMatchObject({
    customer_id: 'a',
    started: { interaction_id: 'i-2' },
    Attached: { kept: true },
  });
  expect(afterRedo.json.customer_id).toBe('b');
  expect(await historyOf(id)).toEqual([
    { version: 1, kind: 'START', from: null, to: 'a', reason: null, actor: null },
    { version: 2, kind: 'ASSOCIATE', from: 'a', to: 'b', reason: null, actor: null },
    { version: 3, kind: 'UNDO', from: 'b', to: 'a', reason: 'wrong caller', actor: 'agent 7' },
    { version: 4, kind: 'UNDO', from: 'a', to: 'b', reason: null, actor: null },
  ]);
});

test('acts in between that move nothing do not get in the way of an undo', async () => {
  const id = await startService(app, { customer_id: 'a' });
  await associate(id, 'b');
  await associate(id, 'b', { resource_id: 1 });
  await app.rest('POST', `/services/${id}/end`);

  const { status } = await undo(id);

  const { json } = await app.rest('GET', `/services/${id}`);
  expect(status).toBe(200);
  expect(json).toMatchObject({ customer_id: 'a', started: { resource_id: 1 } });
});

test('an undo to anonymous brings the service back under its contact key', async () => {
  const id = await startService(app, { contact_key: 'back' });
  await associate(id, 'a');

  await undo(id);

  const { json } = await app.rest('GET', '/services/anonymous/back/active');
  expect(json.map((service: { service_id: number }) => service.service_id)).toEqual([id]);
});

test('what cannot be undone is a conflict that says why, and changes nothing', async () => {
  const started = await startService(app, { customer_id: 'a' });
  const keyless = await startService(app, { contact_key: 'gone' });
  await associate(keyless, 'a', { contact_key: null });
  const before = await app.hash();

  const answers = [await undo(started), await undo(keyless), await undo(999_999_999)];

  expect(answers.map(({ status }) => status)).toEqual([409, 409, 404]);
  expect(answers[0]?.json.detail).toMatch(/never associated since its start/);
  expect(answers[1]?.json.detail).toMatch(/no contact key to be found by/);
  expect(await app.hash()).toBe(before);
});

test('an undo takes no fields and no extensions', async () => {
  const id = await startService(app, { customer_id: 'a' });
  await associate(id, 'b');

  const { status, json } = await app.rest('POST', `/services/${id}/associations/undo`, {
    body: { session_id: 's', Feedback: {} },
  });

  expect(status).toBe(400);
  expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['Feedback', 'session_id']);
});

test('GraphQL undoes too, and shows the entry that it made', async () => {
  const id = await startService(app, { customer_id: 'a' });
  await associate(id, 'b');

  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `mutation { undoAssociation(input: { serviceId: "${id}", expectedVersion: 2, reason: "slip" }) {
        ... on UndoAssociationPayload { replayed service { customerId version }
          association { kind fromCustomerId toCustomerId reason front } } } }`,
    },
  });

  expect(json.data.undoAssociation).toEqual({
    replayed: false,
    service: { customerId: 'a', version: 3 },
    association: { kind: 'UNDO', fromCustomerId: 'b', toCustomerId: 'a', reason: 'slip', front: 'GRAPHQL' },
  });
});

test('a random chain of 500 acts ends where the history says', async () => {
  const id = await startService(app, { contact_key: 'chain' });
  const random = randomFrom(20_261_124);
  let owners: (string | null)[] = [null];

  for (let act = 0; act < 500; act++) {
    const [current = null, former] = owners.toReversed();
    if (random() < 0.4) {
      const { status } = await undo(id);
      expect(status).toBe(former === undefined ? 409 : 200);
      if (former !== undefined) owners = [current, former];
    } else {
      const customer = `chain-${Math.floor(random() * 4)}`;
      await associate(id, customer);
      if (customer !== current) owners = [current, customer];
    }
  }

  const history = await historyOf(id);
  const [service] = await app.sql('select customer_id as owner from service where id = $1', [id]);
  expect(service?.['owner']).toBe(owners.at(-1));
  expect(history.at(-1)?.to).toBe(owners.at(-1));
  expect(history.slice(1).map(({ from }) => from)).toEqual(history.slice(0, -1).map(({ to }) => to));
});

function associate(id: number, customer: string, body?: object) {
  return app.rest('POST', `/genesys/1/cs/customers/${customer}/services/${id}`, body ? { body } : {});
}

function undo(id: number, headers: Record<string, string> = {}) {
  return app.rest('POST', `/services/${id}/associations/undo`, { headers });
}

type Entry = { version: number; kind: string; from: string | null; to: string | null };

function historyOf(id: number): Promise<Entry[]> {
  return app.sql<Entry>(
    `select version, kind, from_customer_id as "from", to_customer_id as "to", reason, actor
     from association where service_id = $1 order by version`,
    [id],
  );
}
