import { bad, type Example, type Row, refused } from './row.js';
import { type Scope, schemasOf, scopes } from './scene.js';

const orderAttributes = [
  { name: 'number', type: 'string', length: 10, mandatory: true, unique: true },
  { name: 'amount', type: 'currency', default: '0.00' },
  { name: 'card', type: 'string', length: 19, encrypt: true },
  { name: 'gift', type: 'boolean', default: false, mandatory: false },
  { name: 'due', type: 'date' },
  { name: 'paid', type: 'datetime' },
  { name: 'weight', type: 'double' },
  { name: 'count', type: 'integer' },
  { name: 'serial', type: 'long' },
];

const order = {
  type: 'multi-valued',
  attributes: orderAttributes,
  unique: ['number', ['amount', 'card']],
};

/** As old clients give it: flags and lengths as text. */
const orderAsText = {
  ...order,
  attributes: [
    { name: 'number', type: 'string', length: '10', mandatory: 'true', unique: 'true' },
    ...orderAttributes.slice(1),
  ],
};

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);

const attributes = (...given: unknown[]) => ({ attributes: given, unique: [] });

function createSchema(scope: Scope): Row {
  const created = (name: string, body: object): Example => ({
    body: { name, ...body },
    answers: {
      status: 201,
      location: `/metadata/${scope}/extensions/${name}`,
      body: { name },
    },
    shows: () => [[`/metadata/${scope}/extensions/${name.toLowerCase()}`, { name, ...order }]],
  });
  return {
    operation: 'Create Extension Schema',
    method: 'POST',
    path: '/metadata/{scope}/extensions',
    values: { scope },
    body: 'object',
    examples: {
      'answers its name, and it is as it was given': ({ values }) =>
        created(`Order${values['number']}`, order),
      'takes flags and lengths as text': ({ values }) => created(`Order${values['number']}`, orderAsText),
    },
    refusals: [
      refused('a name that is taken', 409, { with: { name: scopes[scope].single.toUpperCase() } }),
      bad({ name: '1x' }, 'name'),
      bad({ name: 'n'.repeat(27) }, 'name'),
      bad({ name: 'completed_tasks' }, 'name'),
      bad({ type: 'many' }, { path: 'type', allowed: ['single-valued', 'multi-valued'] }),
      bad({ attributes: [], unique: [] }, 'attributes'),
      bad(attributes({ name: 'a b', type: 'long' }), 'attributes[0].name'),
      bad(attributes({ name: 'a', type: 'text' }), {
        path: 'attributes[0].type',
        allowed: ['string', 'integer', 'long', 'double', 'date', 'datetime', 'currency', 'boolean'],
      }),
      bad(attributes({ name: 'a', type: 'long' }, { name: 'A', type: 'long' }), 'attributes[1].name'),
      bad(attributes({ name: 'a', type: 'integer', default: '1' }), 'attributes[0].default'),
      bad(
        attributes({ name: 'a', type: 'string', length: 0, mandatory: 'yes' }),
        'attributes[0].length',
        'attributes[0].mandatory',
      ),
      bad(
        attributes(...Array.from({ length: 101 }, (_, n) => ({ name: `a${n}`, type: 'long' }))),
        'attributes',
      ),
      bad({ unique: ['colour'] }, { path: 'unique[0]', allowed: orderAttributes.map(({ name }) => name) }),
    ],
  };
}

function querySchemas(scope: Scope): Row {
  return {
    operation: 'Query Extension Schema',
    method: 'GET',
    path: '/metadata/{scope}/extensions',
    values: { scope },
    examples: {
      'answers all there are': () => ({
        answers: { status: 200, body: schemasOf(scope).toSorted(byName) },
      }),
    },
    refusals: [
      { ...refused('a deletion', 405, { method: 'DELETE' }), allow: ['POST', 'GET', 'HEAD'] },
      { ...refused('a replacement', 405, { method: 'PUT', body: [] }), allow: ['POST', 'GET', 'HEAD'] },
    ],
  };
}

function querySchema(scope: Scope): Row {
  return {
    operation: 'Query Extension Schema',
    method: 'GET',
    path: '/metadata/{scope}/extensions/{name}',
    values: { scope, name: scopes[scope].multi.toLowerCase() },
    examples: {
      'answers the one of that name': () => ({ answers: { status: 200, body: schemasOf(scope).at(-1) } }),
    },
    refusals: [
      refused('a name that none has', 404, { values: { name: 'Unheard' } }),
      refused('a name that none can have', 400, { values: { name: '1x' } }, 'name'),
      { ...refused('a deletion', 405, { method: 'DELETE' }), allow: ['GET', 'HEAD'] },
    ],
  };
}

const all = ['services', 'states', 'tasks'] as const;

export const newExtensionSchemas: readonly Row[] = all.map(createSchema);

export const extensionSchemas: readonly Row[] = all.flatMap((scope) => [
  querySchemas(scope),
  querySchema(scope),
]);
