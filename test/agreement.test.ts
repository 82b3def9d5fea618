import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from './harness.js';
import { createExampleSchemas } from './seeds.js';

let app: TestApp;
const now = new Date('2026-03-01T09:30:00.000Z');

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  await createExampleSchemas(app);
});
afterAll(() => app[Symbol.asyncDispose]());

test('the same acts through both fronts leave the same rows', async () => {
  const overRest = await actOverRest();
  const overGraphql = await actOverGraphql();

  const rows = await rowsOf(overRest);
  expect(rows.service).toHaveLength(1);
  expect(rows.extension).toHaveLength(2);
  expect(rows.association).toHaveLength(2);
  expect(rows.event).toHaveLength(3);
  expect(await rowsOf(overGraphql)).toEqual(rows);
});

test('both fronts refuse the same input for the same reasons', async () => {
  const id = await actOverRest();
  const before = await app.hash();

  const rest = await app.rest('POST', `/customers/${'x'.repeat(65)}/services/${id}`, {
    body: {
      session_id: 's'.repeat(33),
      est_duration: -1,
      Feedback: { rating: 'x', colour: 'red' },
      Unheard: 1,
    },
  });
  const graphql = await mutate(
    `associateService(input: { serviceId: "${id}", customerId: "${'x'.repeat(65)}", sessionId: "${'s'.repeat(33)}",
      estDuration: -1, extensions: [{ schemaName: "Feedback", value: { rating: "x", colour: "red" } },
      { schemaName: "Unheard", value: 1 }] }) { ... on Invalid { faults { path message } } }`,
  );

  const restFaults = rest.json.errors.map(({ path, message }: Fault) => `${path} ${message}`);
  const names: Record<string, string> = {
    customerId: 'customer_id',
    sessionId: 'session_id',
    estDuration: 'est_duration',
    'extensions.Feedback.rating': 'Feedback.rating',
    'extensions.Feedback.colour': 'Feedback.colour',
    'extensions.Unheard': 'Unheard',
  };
  const graphqlFaults = graphql.associateService.faults.map(
    ({ path, message }: Fault) => `${names[path]} ${message}`,
  );
  expect(restFaults).toHaveLength(6);
  expect(graphqlFaults.sort()).toEqual(restFaults.sort());
  expect(await app.hash()).toBe(before);
});

type Fault = { path: string; message: string };

async function actOverRest(): Promise<string> {
  const { json } = await app.rest('POST', '/services/start', {
    body: { contact_key: 'both', service_type: 100, timestamp: '2026-03-01T08:00:00Z', media_type: 'voice' },
  });
  const id = json.service_id;
  await app.rest('POST', `/customers/c-1/services/${id}`, {
    body: {
      timestamp: '2026-03-01T08:05:00Z',
      interaction_id: 'i-1',
      resource_id: 5005,
      disposition: 10,
      Feedback: { rating: 7, notes: 'fine' },
      Satisfaction: [{ rating: 2, useful: true }],
    },
  });
  await app.rest('POST', `/services/${id}/end`, { body: { disposition: 'done', application_id: 4 } });
  return String(id);
}

async function actOverGraphql(): Promise<string> {
  const { startService } = await mutate(
    `startService(input: { contactKey: "both", serviceType: 100, timestamp: "2026-03-01T08:00:00Z", mediaType: "voice" })
      { ... on StartServicePayload { service { id } } }`,
  );
  const { id } = startService.service;
  await mutate(
    `associateService(input: { serviceId: "${id}", customerId: "c-1", timestamp: "2026-03-01T08:05:00Z",
      interactionId: "i-1", resourceId: 5005, disposition: 10, extensions: [
        { schemaName: "Feedback", value: { rating: 7, notes: "fine" } },
        { schemaName: "Satisfaction", value: [{ rating: 2, useful: true }] }] }) { __typename }`,
  );
  await mutate(
    `completeService(input: { serviceId: "${id}", disposition: "done", applicationId: 4 }) { __typename }`,
  );
  return id;
}

// biome-ignore lint/suspicious/noExplicitAny: the answer of the one mutation asked for
async function mutate(selection: string): Promise<any> {
  const { json } = await app.rest('POST', '/graphql', { body: { query: `mutation { ${selection} }` } });
  if (json.errors) throw new Error(JSON.stringify(json.errors));
  return json.data;
}

/** Without what has to differ: ids, request ids, the front, the transaction. */
async function rowsOf(id: string): Promise<Record<string, unknown[]>> {
  const tables = { service: 'id', extension: 'service_id', association: 'service_id', event: 'service_id' };
  const kept = "to_jsonb(t) - '{id,service_id,request_id,front,xid}'::text[]";
  const rows: Record<string, unknown[]> = {};
  for (const [table, key] of Object.entries(tables)) {
    const found = await app.sql(
      `select ${kept} as row from ${table} t where ${key} = $1 order by (${kept})::text collate "C"`,
      [id],
    );
    rows[table] = found.map(({ row }) => row);
  }
  return rows;
}
