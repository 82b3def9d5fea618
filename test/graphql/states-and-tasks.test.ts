import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { startService } from '../seeds.js';

const now = new Date('2026-03-01T10:00:00.000Z');
let app: TestApp;

beforeAll(async () => {
  app = await createTestApp({ now: () => now });
  for (const scope of ['states', 'tasks']) {
    const attributes = [{ name: 'text', type: 'string' }];
    await app.rest('POST', `/metadata/${scope}/extensions`, {
      body: { name: 'Note', type: 'single-valued', attributes },
    });
  }
});
afterAll(() => app[Symbol.asyncDispose]());

const event = `sessionId: "s", interactionId: "i", applicationType: 1, applicationId: 2, resourceType: "r", resourceId: 3, mediaType: "m"`;
const eventFields =
  '{ timestamp sessionId interactionId applicationType applicationId resourceType resourceId mediaType }';
const shownEvent = {
  sessionId: 's',
  interactionId: 'i',
  applicationType: 1,
  applicationId: 2,
  resourceType: 'r',
  resourceId: 3,
  mediaType: 'm',
};

test('a state has all that its start and its end say', async () => {
  const id = await startService(app);
  const started = await mutate(`startState(input: { serviceId: ${id}, stateType: 4, estDuration: 60, ${event},
    timestamp: "2026-03-01T09:00:00Z", extensions: [{ schemaName: "Note", value: { text: "a" } }] })
    { ... on StartStatePayload { state { id } service { version } replayed } }`);
  const completed =
    await mutate(`completeState(input: { stateId: "${id}:0", disposition: 10, dispositionDesc: "ok",
    ${event}, timestamp: "2026-03-01T09:30:00Z", extensions: [{ schemaName: "Note", value: { text: "b" } }] })
    { ... on CompleteStatePayload { state { id number serviceId stateType status previousStateId estDuration duration
      disposition dispositionDesc started ${eventFields} completed ${eventFields} extensions { value } tasks { id } } } }`);

  expect(started).toEqual({ state: { id: `${id}:0` }, service: { version: 2 }, replayed: false });
  expect(completed.state).toEqual({
    id: `${id}:0`,
    number: 0,
    serviceId: String(id),
    stateType: 4,
    status: 'COMPLETED',
    previousStateId: null,
    estDuration: 60,
    duration: 1_800_000,
    disposition: 10,
    dispositionDesc: 'ok',
    started: { ...shownEvent, timestamp: '2026-03-01T09:00:00.000Z' },
    completed: { ...shownEvent, timestamp: '2026-03-01T09:30:00.000Z' },
    extensions: [{ value: { text: 'b' } }],
    tasks: [],
  });
  const rest = await app.rest('GET', `/services/${id}/states/0?extensions=*`);
  expect(rest.json).toMatchObject({ state_type: 4, duration: 1_800_000, Note: { text: 'b' } });
});

test('a task has all that its start and its end say', async () => {
  const id = await startService(app);
  await mutate(`startState(input: { serviceId: ${id} }) { __typename }`);
  await mutate(`startTask(input: { serviceId: ${id}, stateId: "${id}:0", taskType: "call", estDuration: 60, ${event},
    timestamp: "2026-03-01T09:00:00Z" }) { ... on StartTaskPayload { task { id } } }`);
  const { task } = await mutate(`completeTask(input: { taskId: "${id}:0", disposition: "d", ${event},
    extensions: [{ schemaName: "Note", value: { text: "t" } }] })
    { ... on CompleteTaskPayload { task { id number serviceId stateId taskType status estDuration duration disposition
      started ${eventFields} completed ${eventFields} extensions(names: "note") { value } } } }`);

  expect(task).toEqual({
    id: `${id}:0`,
    number: 0,
    serviceId: String(id),
    stateId: `${id}:0`,
    taskType: 'call',
    status: 'COMPLETED',
    estDuration: 60,
    duration: 3_600_000,
    disposition: 'd',
    started: { ...shownEvent, timestamp: '2026-03-01T09:00:00.000Z' },
    completed: { ...shownEvent, timestamp: now.toISOString() },
    extensions: [{ value: { text: 't' } }],
  });
});

test('a transition answers both states, each with what was said of it', async () => {
  const id = await startService(app);
  await mutate(`startState(input: { serviceId: ${id} }) { __typename }`);

  const answer =
    await mutate(`transitionState(input: { serviceId: "0${id}", from: { stateId: "${id}:0", disposition: 5 },
    to: { stateType: "next", estDuration: 9 }, sessionId: "s", extensions: [{ schemaName: "Note", value: { text: "n" } }] })
    { ... on TransitionStatePayload {
      completedState { id disposition status completed { sessionId } extensions { value } }
      state { id previousStateId stateType estDuration started { sessionId } extensions { value } }
      service { version } } ... on Error { message } }`);

  expect(answer).toEqual({
    completedState: {
      id: `${id}:0`,
      disposition: 5,
      status: 'COMPLETED',
      completed: { sessionId: 's' },
      extensions: [],
    },
    state: {
      id: `${id}:1`,
      previousStateId: `${id}:0`,
      stateType: 'next',
      estDuration: 9,
      started: { sessionId: 's' },
      extensions: [{ value: { text: 'n' } }],
    },
    service: { version: 3 },
  });
});

test('lists filter by status, by type and by state', async () => {
  const id = await startService(app);
  for (const type of ['1', '"1"', '"b"'])
    await mutate(
      `startState(input: { serviceId: ${id}, stateType: ${type}, previousStateId: ${type === '1' ? 'null' : `"${id}:0"`} }) { __typename }`,
    );
  await mutate(`completeState(input: { stateId: "${id}:2" }) { __typename }`);
  for (const state of ['null', `"${id}:0"`, `"${id}:1"`]) {
    await mutate(`startTask(input: { serviceId: ${id}, stateId: ${state}, taskType: 7 }) { __typename }`);
  }
  await mutate(`completeTask(input: { taskId: "${id}:2" }) { __typename }`);

  const { json } = await app.rest('POST', '/graphql', {
    body: {
      query: `{ service(id: ${id}) {
        active: states(status: ACTIVE) { number previousStateId } completed: states(status: COMPLETED) { number }
        ones: states(types: [1]) { number } none: states(types: ["x"]) { number }
        tasks { number } ofState: tasks(stateId: "${id}:1") { number } foreign: tasks(stateId: "1:0") { number }
        open: tasks(status: ACTIVE, types: ["7"]) { number }
        states { number tasks { number } }
      } state(id: "${id}:0") { number tasks(status: ACTIVE) { number } } task(id: "${id}:1") { stateId }
      nothing: state(id: "${id}:9") { number } }`,
    },
  });

  const numbers = (...list: number[]) => list.map((number) => ({ number }));
  expect(json.data.service).toEqual({
    active: [
      { number: 0, previousStateId: null },
      { number: 1, previousStateId: `${id}:0` },
    ],
    completed: numbers(2),
    ones: numbers(0, 1),
    none: [],
    tasks: numbers(0, 1, 2),
    ofState: numbers(2),
    foreign: [],
    open: numbers(0, 1),
    states: [
      { number: 0, tasks: numbers(1) },
      { number: 1, tasks: numbers(2) },
      { number: 2, tasks: [] },
    ],
  });
  expect(json.data.state).toEqual({ number: 0, tasks: numbers(1) });
  expect([json.data.task, json.data.nothing]).toEqual([{ stateId: `${id}:0` }, null]);
});

test('every refusal says what is wrong and where, and changes nothing', async () => {
  const id = await startService(app);
  await mutate(`startState(input: { serviceId: ${id}, timestamp: "2026-03-01T09:00:00Z" }) { __typename }`);
  await mutate(`startTask(input: { serviceId: ${id}, timestamp: "2026-03-01T09:00:00Z" }) { __typename }`);
  const ended = await startService(app);
  await app.rest('POST', `/services/${ended}/end`);
  const before = await app.hash();
  const refusal = async (field: string) => {
    const { code, faults } = await mutate(
      `${field} { ... on Error { code } ... on Invalid { faults { path } } }`,
    );
    return [code, ...(faults ?? []).map(({ path }: { path: string }) => path)];
  };

  expect(await refusal('startState(input: { serviceId: 404404 })')).toEqual(['NOT_FOUND']);
  expect(await refusal(`startState(input: { serviceId: ${ended} })`)).toEqual(['CONFLICT']);
  expect(await refusal(`startTask(input: { serviceId: ${ended} })`)).toEqual(['CONFLICT']);
  expect(await refusal(`startState(input: { serviceId: ${id}, previousStateId: "${id}:1" })`)).toEqual([
    'NOT_FOUND',
  ]);
  expect(await refusal(`startTask(input: { serviceId: ${id}, stateId: "${id}:1" })`)).toEqual(['NOT_FOUND']);
  expect(await refusal(`startTask(input: { serviceId: ${id}, stateId: "${ended}:0" })`)).toEqual([
    'INVALID',
    'stateId',
  ]);
  expect(await refusal('completeTask(input: { taskId: "1" })')).toEqual(['INVALID', 'taskId']);
  expect(
    await refusal(`completeState(input: { stateId: "${id}:0", timestamp: "2026-03-01T08:59:59.999Z" })`),
  ).toEqual(['INVALID', 'timestamp']);
  expect(
    await refusal(`completeTask(input: { taskId: "${id}:0", timestamp: "2026-03-01T08:59:59.999Z" })`),
  ).toEqual(['INVALID', 'timestamp']);
  expect(
    await refusal(`transitionState(input: { serviceId: ${id}, from: { stateId: "x", dispositionDesc: "${'d'.repeat(65)}" },
      to: { estDuration: -1 }, sessionId: "${'s'.repeat(33)}" })`),
  ).toEqual(['INVALID', 'from.stateId', 'sessionId', 'from.dispositionDesc', 'to.estDuration']);
  expect(await refusal(`completeState(input: { stateId: "${id}:0", expectedVersion: 2 })`)).toEqual([
    'STALE_VERSION',
  ]);
  expect(await app.hash()).toBe(before);
});

// biome-ignore lint/suspicious/noExplicitAny: the answer of the one mutation asked for
async function mutate(selection: string): Promise<any> {
  const { json } = await app.rest('POST', '/graphql', { body: { query: `mutation { act: ${selection} }` } });
  if (json.errors) throw new Error(JSON.stringify(json.errors));
  return json.data.act;
}
