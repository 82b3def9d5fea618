import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { declaredBreaks } from './changelog.js';
import { undeclaredBreaks } from './graphql.js';

test('the schema breaks nobody who relies on the last release, unless CHANGELOG.md says so', async () => {
  const [released, present, changelog] = await Promise.all([
    readFile('test/gates/released.graphql', 'utf8'),
    readFile('src/graphql/schema.graphql', 'utf8'),
    readFile('CHANGELOG.md', 'utf8'),
  ]);

  const breaks = await undeclaredBreaks({ released, present, changelog });

  expect(breaks, 'a line "- **Breaking:** `path` …" under Unreleased is missing for each').toEqual([]);
});

const released = `
  type Query { service(id: ID!, scope: Scope = SERVICE): Service  services: [Service!]! }
  type Service { id: ID!  version: Int!  owner: String! }
  enum Scope { SERVICE STATE }
  input Move { service: ID  state: ID  reason: String }
  type Mutation { move(input: Move!): Moved! }
  union Moved = Service | Refused
  type Refused { code: Scope }
`;

test.each([
  ['a removed field', '  owner: String!', '', 'Service.owner'],
  ['a removed root field', '  services: [Service!]!', '', 'Query.services'],
  ['an answer that can be null', 'version: Int!', 'version: Int', 'Service.version'],
  ['a removed enum value', 'SERVICE STATE', 'SERVICE', 'Scope.STATE'],
  ['a removed member of a union', 'Service | Refused', 'Service', 'Moved'],
  ['a new input field that is required', 'reason: String', 'reason: String!', 'Move.reason'],
  ['a new argument that is required', 'id: ID!', 'id: ID!, tenant: ID!', 'Query.service.tenant'],
  ['another default', 'Scope = SERVICE', 'Scope = STATE', 'Query.service.scope'],
  ['an input that takes one field alone', 'input Move', 'input Move @oneOf', 'Move.@oneOf'],
])('%s is found', async (_, before, after, path) => {
  const present = released.replace(before, after);

  const breaks = await undeclaredBreaks({ released, present, changelog: '' });

  expect(breaks).toEqual([expect.stringMatching(`^${path}: `)]);
});

test('what is new and nobody has to use breaks nobody', async () => {
  const present = released
    .replace('version: Int!', 'version: Int!  status: String')
    .replace('SERVICE STATE', 'SERVICE STATE TASK')
    .replace('reason: String', 'reason: String  actor: String');

  expect(await undeclaredBreaks({ released, present, changelog: '' })).toEqual([]);
});

const changelog = `# Changelog

## [Unreleased]

### Changed

- Something \`Service.version\` else.
- **Breaking:** \`Service.owner\` is gone, and so is all of
  \`Query.service\`.

### Removed

- **Breaking:** \`Scope.STATE\`.

## [0.1.0] - 2026-12-01

- **Breaking:** \`Query.services\` was declared for another release.
`;

test('what is declared as breaking since the last release passes, with what is below it, and nothing else', async () => {
  const present = released
    .replace('  owner: String!', '')
    .replace('SERVICE STATE', 'SERVICE')
    .replace('scope: Scope = SERVICE', 'scope: Scope')
    .replace('version: Int!', 'version: Int')
    .replace('  services: [Service!]!', '');

  const breaks = await undeclaredBreaks({ released, present, changelog });

  expect(declaredBreaks(changelog)).toEqual(['Service.owner', 'Query.service', 'Scope.STATE']);
  expect(breaks.map((line) => line.split(':')[0])).toEqual(['Query.services', 'Service.version']);
});

test('a name that only begins alike is not declared', async () => {
  const present = released.replace('  services: [Service!]!', '');
  const declaring = '## Unreleased\n\n- **Breaking:** `Query.service`\n';

  expect(await undeclaredBreaks({ released, present, changelog: declaring })).toHaveLength(1);
});
