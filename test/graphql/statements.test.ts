import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AssociateServiceDocument,
  CustomerDocument,
  ExtensionSchemasDocument,
  ServiceDocument,
  ServicesInFullDocument,
  ServicesWithAliasedHistoryDocument,
  ServicesWithAliasesDocument,
} from '../generated/graphql.js';
import { createTestApp, type TestApp } from '../harness.js';
import { defineFeedbackAndSatisfaction, startService } from './makers.js';

let app: TestApp;
let serviceId: string;

/** Twenty services with two extensions and two history entries each. */
beforeAll(async () => {
  app = await createTestApp();
  await defineFeedbackAndSatisfaction(app);
  for (let count = 0; count < 20; count++) {
    serviceId = await startService(app, {
      customerId: 'anna',
      extensions: [
        { schemaName: 'Feedback', value: { rating: count } },
        { schemaName: 'Satisfaction', value: [{ rating: count }] },
      ],
    });
    await app.graphql(AssociateServiceDocument, { input: { serviceId, customerId: 'bert' } });
  }
});
afterAll(() => app[Symbol.asyncDispose]());

test('20 services with extensions and history cost what 1 costs: one statement', async () => {
  const one = await app.countStatements(() => app.graphql(ServicesInFullDocument, { first: 1 }));
  const twenty = await app.countStatements(async () => {
    const { data } = await app.graphql(ServicesInFullDocument, { first: 20 });
    expect(data?.services.nodes).toHaveLength(20);
    for (const { extensions, associations } of data?.services.nodes ?? []) {
      expect(extensions).toHaveLength(2);
      expect(associations.nodes).toHaveLength(2);
    }
  });

  expect([one, twenty]).toEqual([1, 1]);
});

test('extensions under two names cost no second statement', async () => {
  const one = await app.countStatements(() => app.graphql(ServicesWithAliasesDocument, { first: 1 }));
  const twenty = await app.countStatements(async () => {
    const { data } = await app.graphql(ServicesWithAliasesDocument, { first: 20 });
    expect(data?.services.nodes[19]).toEqual({
      id: serviceId,
      feedback: [{ value: { rating: 19 } }],
      satisfaction: [{ value: [{ rating: 19 }] }],
    });
  });

  expect([one, twenty]).toEqual([1, 1]);
});

test('two pages of each service’s history cost one statement more, for any number of services', async () => {
  const one = await app.countStatements(() => app.graphql(ServicesWithAliasedHistoryDocument, { first: 1 }));
  const twenty = await app.countStatements(async () => {
    const { data } = await app.graphql(ServicesWithAliasedHistoryDocument, { first: 20 });
    for (const { oldest, newest } of data?.services.nodes ?? []) {
      expect([oldest.nodes, newest.nodes]).toEqual([[{ version: 1 }], [{ version: 2 }]]);
    }
  });

  expect([one, twenty]).toEqual([2, 2]);
});

test('states, tasks and their extensions cost one statement for each place of the query, for any number of services', async () => {
  await startParts();
  const query = (first: number) => `{ services(first: ${first}) { nodes {
    extensions { value }
    active: states(status: ACTIVE) { number extensions { value } tasks { number extensions(names: "Note") { value } } }
    completed: states(status: COMPLETED) { number }
    tasks(types: [1]) { number }
  } } }`;
  const ask = async (first: number) => {
    const { json } = await app.rest('POST', '/graphql', { body: { query: query(first) } });
    expect(json.data.services.nodes).toHaveLength(first);
    for (const { active, completed, tasks } of json.data.services.nodes) {
      expect(active).toEqual([
        {
          number: 1,
          extensions: [{ value: { no: 1 } }],
          tasks: [{ number: 0, extensions: [{ value: { no: 2 } }] }],
        },
      ]);
      expect([completed, tasks]).toEqual([[{ number: 0 }], [{ number: 0 }]]);
    }
  };

  const one = await app.countStatements(() => ask(1));
  const twenty = await app.countStatements(() => ask(20));

  // The services, two lists of states, their extensions, their tasks and the extensions of those, all tasks.
  expect([one, twenty]).toEqual([7, 7]);
});

/** Of every service: a state that has ended, an open one with an extension, and a task in that. */
async function startParts(): Promise<void> {
  for (const scope of ['states', 'tasks']) {
    const body = { name: 'Note', type: 'single-valued', attributes: [{ name: 'no', type: 'integer' }] };
    await app.rest('POST', `/metadata/${scope}/extensions`, { body });
  }
  const { json } = await app.rest('GET', '/customers/bert/services');
  for (const { service_id: id } of json) {
    const post = (path: string, body: object) =>
      app.rest('POST', `/genesys/1/cs/services/${id}/${path}`, { body });
    await post('states/start', {});
    await post('states/transition', { from: { state_id: 0 }, to: {}, Note: { no: 1 } });
    await post('tasks/start', { task_type: 1, state_id: 1, Note: { no: 2 } });
  }
}

test('what a state has, a REST list shows in one statement', async () => {
  const query = 'active_states=true&completed_states=true&active_tasks=true&extensions=*,State.*,Task.*';

  const lists = [
    `/customers/bert/services?${query}`,
    `/services/${serviceId}/states?${query}`,
    `/services/${serviceId}/tasks?${query}`,
    `/services/${serviceId}/states/1?${query}`,
    `/services/${serviceId}?${query}`,
  ];
  for (const url of lists) {
    expect(await app.countStatements(() => app.rest('GET', url)), url).toBe(1);
  }
});

test('a service, a customer’s services and the extension schemas cost one statement each', async () => {
  expect(await app.countStatements(() => app.graphql(ServiceDocument, { id: serviceId }))).toBe(1);
  expect(await app.countStatements(() => app.graphql(CustomerDocument, { id: 'bert' }))).toBe(1);
  expect(await app.countStatements(() => app.graphql(ExtensionSchemasDocument, {}))).toBe(1);
});

test('an association costs its one write', async () => {
  const input = {
    serviceId,
    customerId: 'carl',
    extensions: [{ schemaName: 'Feedback', value: { rating: 1 } }],
  };

  expect(await app.countStatements(() => app.graphql(AssociateServiceDocument, { input }))).toBe(1);
});

test('an association that asks for what was not written costs one read more', async () => {
  const query = `mutation {
    associateService(input: { serviceId: ${serviceId}, customerId: "dora" }) {
      ... on AssociateServicePayload {
        service {
          customerId
          extensions { value }
          feedback: extensions(names: "Feedback") { schema { name } }
          associations { nodes { version } }
        }
      }
    }
  }`;

  const statements = await app.countStatements(async () => {
    const { json } = await app.rest('POST', '/graphql', { body: { query } });
    const { service } = json.data.associateService;
    expect(service.customerId).toBe('dora');
    expect(service.extensions).toHaveLength(2);
    expect(service.feedback).toEqual([{ schema: { name: 'Feedback' } }]);
  });

  expect(statements).toBe(2);
});
