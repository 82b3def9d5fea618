import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineAttribute, mapField } from '../graphql/makers.js';
import { createTestApp, type TestApp } from '../harness.js';
import { basePaths, expectProblem } from './calls.js';

let app: TestApp;

beforeAll(async () => {
  app = await createTestApp();
  await defineAttribute(app, {
    name: 'MediaType',
    dbid: 7,
    displayName: 'Media type',
    description: 'What it came by.',
    values: [
      { dbid: 1001, name: 'voice', displayName: 'Voice', description: 'By telephone.' },
      { dbid: 1003, name: 'email' },
    ],
  });
  await defineAttribute(app, { name: 'Case type', values: [{ dbid: 1, name: 'claim' }] });
  await mapField(app, 'TASK_MEDIA_TYPE', 'MediaType');
  await mapField(app, 'SERVICE_MEDIA_TYPE', 'MediaType');
  await mapField(app, 'SERVICE_TYPE', 'Case type');
});
afterAll(() => app[Symbol.asyncDispose]());

const mediaType = {
  name: 'MediaType',
  dbid: 7,
  display_name: 'Media type',
  description: 'What it came by.',
  map_name: false,
  cv_attributes: ['Service.media_type', 'Task.media_type'],
  values: [
    { name: 'voice', dbid: 1001, display_name: 'Voice', description: 'By telephone.' },
    { name: 'email', dbid: 1003, display_name: 'email' },
  ],
};
const caseType = {
  name: 'Case type',
  display_name: 'Case type',
  map_name: false,
  cv_attributes: ['Service.type'],
  values: [{ name: 'claim', dbid: 1, display_name: 'claim' }],
};

describe.each(basePaths)('under "%s"', (base) => {
  const url = `${base}/metadata/business-attributes`;

  test('all business attributes are answered by their names, without what they do not have', async () => {
    const { status, text } = await app.rest('GET', url);

    expect([status, text]).toEqual([200, JSON.stringify([caseType, mediaType])]);
  });

  test('one is answered whatever the case of its name', async () => {
    const { status, text } = await app.rest('GET', `${url}/mediatype`);
    const spaced = await app.rest('GET', `${url}/case%20TYPE`);

    expect([status, text]).toEqual([200, JSON.stringify(mediaType)]);
    expect(spaced.json).toEqual(caseType);
  });

  test('the one of a field is answered by either of the field’s keys', async () => {
    const media = await app.rest('GET', `${url}?cv-attribute=Task.media_type`);
    const type = await app.rest('GET', `${url}?cv-attribute=Service.type`);
    const longer = await app.rest('GET', `${url}?cv-attribute=Service.service_type`);

    expect([media.json, type.json, longer.json]).toEqual([mediaType, caseType, caseType]);
  });

  test('one that is not there and one of a field that is not mapped answer 404', async () => {
    const missing = await app.rest('GET', `${url}/Nothing`);
    const unmapped = await app.rest('GET', `${url}?cv-attribute=State.type`);

    expectProblem(missing, { status: 404, code: 'NOT_FOUND' });
    expectProblem(unmapped, { status: 404, code: 'NOT_FOUND' });
  });

  test.each([
    '?cv-attribute=Service.colour',
    '?cv-attribute=',
    '?cv-attribute=a&cv-attribute=b',
  ])('a field that is none (%s) answers 400 and which there are', async (query) => {
    const answer = await app.rest('GET', `${url}${query}`);

    expect(answer.status).toBe(400);
    expect(answer.json.errors).toMatchObject([{ path: 'cv-attribute' }]);
    expect(answer.json.errors[0].allowed).toHaveLength(15);
    expect(answer.json.errors[0].allowed).toContain('State.application_type');
  });

  test('a name that can be none answers 400', async () => {
    const answer = await app.rest('GET', `${url}/1st`);

    expect(answer.status).toBe(400);
    expect(answer.json.errors).toMatchObject([{ path: 'name' }]);
  });

  test('it costs one statement', async () => {
    expect(await app.countStatements(() => app.rest('GET', url))).toBe(1);
    expect(await app.countStatements(() => app.rest('GET', `${url}/MediaType`))).toBe(1);
  });
});

test('whether names are answered is told of every attribute', async () => {
  const { json } = await app.rest('POST', '/graphql', {
    body: { query: 'mutation { setMapNames(input: { mapNames: true }) { __typename } }' },
  });
  expect(json.data.setMapNames).toEqual({ __typename: 'SetMapNamesPayload' });

  const answer = await app.rest('GET', '/metadata/business-attributes');

  expect(answer.json).toEqual([
    { ...caseType, map_name: true },
    { ...mediaType, map_name: true },
  ]);
});
