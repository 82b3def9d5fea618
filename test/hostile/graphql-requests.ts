import fc, { type Arbitrary } from 'fast-check';
import { Kind, parse, valueFromASTUntyped } from 'graphql';
import { schema } from '../../src/graphql/schema.js';
import { type Estate, exampleOf, operationNames } from '../auth/operations.js';
import { failures, schemaDocument, tokenChange } from './documents.js';
import { specialDocument } from './special-documents.js';
import { mutate, mutations, textOf, treeOf } from './trees.js';
import { hostileText, seldom } from './values.js';
import { anyHeaders, anyMethod, byteAct, fillIn, type Plan } from './wire.js';

/** The members of a call over HTTP. */
type Params = { query: string; variables?: unknown };
type ParamsOf = (estate: Estate) => Params;

const names = operationNames.filter((name) => name.includes('.'));

const inputFields = Object.values(schema.getTypeMap()).flatMap((type) =>
  'getFields' in type && type.name.endsWith('Input') ? Object.keys(type.getFields()) : [],
);
const keys = [
  ...new Set([...inputFields, 'ESTATE_SCHEMA', 'no', 'input']),
  ...[
    'query',
    'variables',
    'operationName',
    'extensions',
    'id',
    'documentId',
    'persistedQuery',
    'operations',
    'map',
  ],
];

const example: Arbitrary<ParamsOf> = fc
  .constantFrom(...names)
  .map((name) => (estate) => ({ query: queryOf(name, estate) }));

function queryOf(name: string, estate: Estate): string {
  const body = exampleOf(name)?.request(estate).body;
  if (!body || !('query' in body)) throw new Error(`${name} has no example`);
  return String(body.query).replace('{ __typename ... on Error { code } }', `{ ${failures} }`);
}

/** The input of a mutation as a variable. */
const withVariables: Arbitrary<ParamsOf> = fc
  .constantFrom(...names.filter((name) => name.startsWith('Mutation.')))
  .map((name) => (estate) => {
    const [definition] = parse(queryOf(name, estate)).definitions;
    const field =
      definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections[0] : undefined;
    if (field?.kind !== Kind.FIELD || !field.arguments?.[0]) throw new Error(`${name} has no input`);
    const type = schema.getMutationType()?.getFields()[field.name.value]?.args[0]?.type;
    return {
      query: `mutation ($input: ${type}) { ${field.name.value}(input: $input) { ${failures} } }`,
      variables: { input: valueFromASTUntyped(field.arguments[0].value) },
    };
  });

const named: Arbitrary<ParamsOf> = fc.oneof(
  { weight: 4, arbitrary: withVariables },
  { weight: 2, arbitrary: example },
  { weight: 4, arbitrary: schemaDocument.map((query) => () => ({ query })) },
);

/** Documents that are changed, and calls whose members are. */
const call: Arbitrary<ParamsOf> = fc.oneof(
  { weight: 6, arbitrary: named },
  { weight: 1, arbitrary: specialDocument.map((query) => () => ({ query })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(named, fc.array(tokenChange, { minLength: 1, maxLength: 2 }))
      .map(([params, changes]) => (estate: Estate) => {
        const { query, ...rest } = params(estate);
        return { ...rest, query: changes.reduce((text, change) => change(text), query) };
      }),
  },
);

const extra = fc.constantFrom<object>(
  { extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } },
  { extensions: { persistedQuery: 5 } },
  { extensions: [] },
  { id: 'a', query: undefined },
  { documentId: 'sha256:a', query: undefined },
  { operationName: 'Nope' },
  { operationName: '' },
  { operationName: 5 },
  { operationName: '__proto__' },
  { variables: { a: 1, __typename: 1 } },
  { variables: 'a' },
  { variables: null, operationName: null, extensions: null },
);

const isBatch = fc.constantFrom(false, false, false, false, false, false, false, false, false, true);

/** By POST, with whatever the body is by then. */
const posted: Arbitrary<Plan> = fc
  .record({
    params: call,
    method: seldom(4, anyMethod),
    headers: anyHeaders,
    extra: seldom(10, extra),
    isBatch,
    changes: seldom(50, mutations(keys)),
    bytes: seldom(8, byteAct),
  })
  .map(
    ({ params, method = 'POST', headers, extra: added, isBatch: isTwice, changes = [], bytes }) =>
      (estate) => {
        const given = { ...params(estate), ...added };
        const tree = treeOf(JSON.parse(JSON.stringify(isTwice ? [given, given] : given)));
        const text = fillIn(textOf(changes.reduce(mutate, tree)), estate);
        const sent = bytes?.(text) ?? { body: Buffer.from(text) };
        return {
          name: 'POST /graphql',
          method,
          url: '/graphql',
          headers: { ...sent.headers, ...headers },
          body: sent.body,
        };
      },
  );

const asked: Arbitrary<Plan> = fc
  .record({
    params: call,
    headers: anyHeaders,
    method: seldom(10, anyMethod),
    path: seldom(10, fc.constantFrom('/graphql/', '/graphql/x', '//graphql', '/GRAPHQL', '/graphql%00')),
    added: seldom(20, addedQuery()),
  })
  .map(({ params, headers, method = 'GET', path = '/graphql', added = '' }) => (estate) => {
    const { query, variables } = params(estate);
    const search = new URLSearchParams({ query: fillIn(query, estate) });
    if (variables !== undefined) search.set('variables', JSON.stringify(variables));
    return { name: 'GET /graphql', method, url: `${path}?${search}${added}`, headers, body: undefined };
  });

function addedQuery(): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(
      '&query=a',
      '&query[]=a',
      '&variables={',
      '&variables=1',
      '&variables=%00',
      '&variables=%ff',
      '&extensions=[]',
      '&operationName=a',
      '&%',
      '&__proto__=1',
    ),
    hostileText.map((text) => `&variables=${encodeURIComponent(text.toWellFormed())}`),
  );
}

export const graphqlRequest: Arbitrary<Plan> = fc.oneof(
  { weight: 5, arbitrary: posted },
  { weight: 1, arbitrary: asked },
);
