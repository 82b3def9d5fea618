import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Document } from '../openapi/document.js';
import { undeclaredBreaks } from './openapi.js';

test('the REST API breaks nobody who relies on the last release, unless CHANGELOG.md says so', async () => {
  const [before, after, changelog] = await Promise.all([
    readFile('test/gates/released-openapi.json', 'utf8'),
    readFile('src/rest/openapi.json', 'utf8'),
    // What is not there declares nothing.
    readFile('CHANGELOG.md', 'utf8').catch(() => ''),
  ]);

  const breaks = undeclaredBreaks({ released: JSON.parse(before), present: JSON.parse(after), changelog });

  expect(breaks, 'a line "- **Breaking:** `place` …" under Unreleased is missing for each').toEqual([]);
});

const text = (maxLength: number) => ({ type: 'string', maxLength });

const released = {
  paths: {
    '/things': {
      post: {
        operationId: 'startThing',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 500 } }],
        requestBody: {
          required: false,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  kind: { type: ['integer', 'string'], maxLength: 64 },
                  mode: { enum: ['on', 'off'] },
                },
              },
            },
          },
        },
        responses: {
          '200': {
            headers: { ETag: {} },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      Thing: { type: 'object', required: ['id'], properties: { id: { type: 'integer' }, name: text(26) } },
    },
    responses: {},
    headers: {},
  },
};

/** The document as it is after one change of its text. */
function changed(before: string, after: string): Document {
  const text = JSON.stringify(released);
  expect(text).toContain(before);
  return JSON.parse(text.replace(before, after));
}

const breaking: [what: string, before: string, after: string, place: string][] = [
  ['a path that is gone', '"/things"', '"/others"', 'POST /things'],
  ['a method that is gone', '"post"', '"put"', 'POST /things'],
  ['an answer that is gone', '"200"', '"201"', 'POST /things 200'],
  ['a header that is gone', '"ETag"', '"Etag2"', 'POST /things 200 ETag'],
  ['a member of an answer that is gone', '"name":{', '"label":{', 'Thing.name'],
  ['a member of an answer that can be absent', '"required":["id"],', '', 'Thing.id'],
  ['another type of a member of an answer', '"id":{"type":"integer"}', '"id":{"type":"string"}', 'Thing.id'],
  ['a type that is not taken', '["integer","string"]', '"string"', 'POST /things body.kind'],
  ['a value that is not taken', '["on","off"]', '["on"]', 'POST /things body.mode'],
  ['a shorter text', '"maxLength":64', '"maxLength":63', 'POST /things body.kind'],
  [
    'a member that is needed',
    '{"type":"object","properties"',
    '{"type":"object","required":["kind"],"properties"',
    'POST /things body.kind',
  ],
  [
    'a body that is needed',
    '"requestBody":{"required":false',
    '"requestBody":{"required":true',
    'POST /things body',
  ],
  ['a parameter that is gone', '"name":"limit"', '"name":"most"', 'POST /things query limit'],
  ['a parameter that is needed', '"in":"query"', '"in":"query","required":true', 'POST /things query limit'],
  ['a smaller number', '"maximum":500', '"maximum":100', 'POST /things query limit'],
];

test.each(breaking)('%s is found, and passes where it is declared', (_, before, after, place) => {
  const present = changed(before, after);
  const comparison = { released: released as unknown as Document, present };
  const declaring = `## [Unreleased]\n\n- **Breaking:** \`${place}\`\n`;

  const breaks = undeclaredBreaks({ ...comparison, changelog: '' });

  expect(breaks).toEqual([expect.stringContaining(`${place}: `)]);
  expect(undeclaredBreaks({ ...comparison, changelog: declaring })).toEqual([]);
});

test('what is new and nobody has to use breaks nobody', () => {
  const present = changed('"name":{', '"more":{"type":"string"},"name":{');
  const mild = JSON.parse(
    JSON.stringify(present)
      .replace('["on","off"]', '["on","off","auto"]')
      .replace('"maxLength":64', '"maxLength":65')
      .replace('"kind":', '"other":{"type":"string"},"kind":'),
  );

  expect(
    undeclaredBreaks({ released: released as unknown as Document, present: mild, changelog: '' }),
  ).toEqual([]);
});
