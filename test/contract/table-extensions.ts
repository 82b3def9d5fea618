import { bare, base85 } from '../rest/calls.js';
import type { OperationName } from './operations.js';
import { bad, type Example, type Refusal, type Row, refused, under, type Values } from './row.js';
import { alone, record, records, type Scene, type Scope, scopes } from './scene.js';

type Owner = { scope: Scope; operation: OperationName; path: string };

/** What extensions hang on, and what the operation that replaces them is called there. */
const owners: readonly Owner[] = [
  { scope: 'services', operation: 'Update Service Extension', path: '/services/{service_id}' },
  {
    scope: 'states',
    operation: 'Update State Extension',
    path: '/services/{service_id}/states/{state_id}',
  },
  { scope: 'tasks', operation: 'Update Task Extension', path: '/services/{service_id}/tasks/{task_id}' },
];

const fields = ['place', 'rating', 'useful'];

/** 204 under the bare paths, 200 under 8.5, and no body either way. */
function done({ base, version }: Scene): Example['answers'] {
  return { status: base === bare ? 204 : 200, etag: version + 1 };
}

/** The owner's extensions are then these. */
function shows({ scope, path }: Owner, the: Scene, extensions: object): Pick<Example, 'shows'> {
  const { shown } = the;
  const part = { services: shown.service, states: shown.state, tasks: shown.task }[scope];
  return { shows: () => [[`${path}?extensions=*`, { ...alone(the, part), ...extensions }]] };
}

function updateExtension(owner: Owner): Row {
  const { single, multi } = scopes[owner.scope];
  const call = { FeedbackType: 'call', notes: 'n' };
  return {
    operation: owner.operation,
    method: 'PUT',
    path: `${owner.path}/extensions/{name}`,
    values: { name: single },
    body: 'any value',
    scene: 'states and tasks',
    examples: {
      'replaces it as a whole': (the) => ({
        body: call,
        answers: done(the),
        ...shows(owner, the, { [single]: call, [multi]: records }),
      }),
      'replaces all records of one that has many, whatever the case of its name': (the) => ({
        values: { name: multi.toUpperCase() },
        body: [{ place: 'Oslo', useful: true }],
        answers: done(the),
        ...shows(owner, the, { [single]: record, [multi]: [{ place: 'Oslo', useful: true }] }),
      }),
      'removes it where it is null': (the) => ({
        rawBody: 'null',
        answers: done(the),
        ...shows(owner, the, { [multi]: records }),
      }),
    },
    in85: {
      'takes attached data': (the) => ({
        values: { name: 'any%20key' },
        body: [1, { a: null }],
        answers: done(the),
        ...shows(owner, the, { [single]: record, [multi]: records, 'any key': [1, { a: null }] }),
      }),
    },
    refusals: [
      bad({ rating: 'x' }, `${single}.rating`),
      bad({ FeedbackType: undefined }, `${single}.FeedbackType`),
      bad({ FeedbackType: 'x'.repeat(33) }, `${single}.FeedbackType`),
      bad({ stars: 5 }, { path: `${single}.stars`, allowed: ['FeedbackType', 'rating', 'notes'] }),
      refused('many records of one that has one', 400, { body: [record] }, single),
      refused('one record of one that has many', 400, { values: { name: multi }, body: records[0] }, multi),
      refused(
        'a value twice that is unique',
        400,
        { values: { name: multi }, body: [records[0], records[1], records[0]] },
        `${multi}[2].place`,
      ),
      refused('an extension over 32 KiB', 413, { with: { notes: 'n'.repeat(32 * 1024) } }, single),
      ...under(bare, withoutSchema(single, multi)),
      ...under(
        base85,
        refused('a reserved name', 400, { values: { name: 'started' } }, 'started'),
        refused('another reserved name', 400, { values: { name: 'Active_states' } }, 'Active_states'),
      ),
    ],
  };
}

function withoutSchema(...allowed: string[]): Refusal {
  const fault = { path: 'Unheard', allowed: allowed.sort() };
  return refused('one without a schema', 400, { values: { name: 'Unheard' } }, fault);
}

function mergeExtension(owner: Owner): Row {
  const { single, multi } = scopes[owner.scope];
  return {
    operation: 'Merge Extension',
    method: 'PUT',
    path: `${owner.path}/extensions/{name}/merge`,
    values: { name: single },
    only: base85,
    body: 'any value',
    scene: 'states and tasks',
    examples: {
      'adds keys to the stored ones and replaces others': (the) => ({
        body: { rating: 8, notes: 'n' },
        answers: done(the),
        ...shows(owner, the, { [single]: { ...record, rating: 8, notes: 'n' }, [multi]: records }),
      }),
      'takes a key away that is null': (the) => ({
        body: { rating: null },
        answers: done(the),
        ...shows(owner, the, { [single]: { FeedbackType: 'survey' }, [multi]: records }),
      }),
      'makes it where there is none': (the) => ({
        values: { name: 'Unheard' },
        body: { a: { b: [1] } },
        answers: done(the),
        ...shows(owner, the, { [single]: record, [multi]: records, Unheard: { a: { b: [1] } } }),
      }),
    },
    refusals: [
      bad({ rating: 'x' }, `${single}.rating`),
      bad({ FeedbackType: null }, `${single}.FeedbackType`),
      bad({ stars: 5 }, { path: `${single}.stars`, allowed: ['FeedbackType', 'rating', 'notes'] }),
      refused('a list', 400, { values: { name: multi }, body: { place: 'Oslo' } }, multi),
      refused(
        'what would be a list',
        400,
        { values: { ...elsewhere[owner.scope], name: multi }, body: { place: 'Oslo' } },
        multi,
      ),
      refused('a list that is given', 400, { body: [record] }, single),
      refused('a text', 400, { rawBody: '"text"' }, single),
      refused('a reserved name', 400, { values: { name: 'duration' } }, 'duration'),
      refused('an extension over 32 KiB', 413, { with: { notes: 'n'.repeat(32 * 1024) } }, single),
    ],
  };
}

/** What one finds no record by. */
function recordRefusals({ scope }: Owner): Row['refusals'] {
  const { single, multi } = scopes[scope];
  return [
    refused('a record that is not there', 404, { with: { place: 'Oslo' } }),
    refused('what has no such extension', 404, { values: elsewhere[scope] }),
    bad({ place: undefined }, { path: multi, allowed: ['place'] }),
    bad({ place: null }, { path: multi, allowed: ['place'] }),
    bad({ stars: 5 }, { path: `${multi}.stars`, allowed: fields }),
    refused('an extension without unique attributes', 400, { values: { name: single } }, single),
    withoutSchema(single, multi),
    { ...refused('a list', 400, { rawBody: '[]' }, multi), hasMore: true },
  ];
}

/** An owner that has no extensions. */
const elsewhere: Record<Scope, Values> = {
  services: { service_id: '{caller_id}' },
  states: { state_id: '1' },
  tasks: { task_id: '1' },
};

function updateRecord(owner: Owner): Row {
  const { single, multi } = scopes[owner.scope];
  const [paris, rome] = records;
  return {
    ...ofRecords(owner, 'by/unique'),
    operation: 'Update record',
    examples: {
      'changes the other attributes of the one record': (the) => ({
        body: { place: 'Rome', rating: 3, useful: true },
        answers: done(the),
        ...shows(owner, the, {
          [single]: record,
          [multi]: [paris, { place: 'Rome', rating: 3, useful: true }],
        }),
      }),
      'leaves what it does not name, and clears what is null': (the) => ({
        body: { PLACE: 'Paris', useful: null },
        answers: done(the),
        ...shows(owner, the, { [single]: record, [multi]: [{ place: 'Paris', rating: 8 }, rome] }),
      }),
    },
    refusals: [...recordRefusals(owner), bad({ rating: 'x' }, `${multi}.rating`)],
  };
}

function deleteRecord(owner: Owner): Row {
  const { single, multi } = scopes[owner.scope];
  return {
    ...ofRecords(owner, 'delete/by/unique'),
    operation: 'Delete record',
    examples: {
      'takes the one record away': (the) => ({
        body: { place: 'Paris' },
        answers: done(the),
        ...shows(owner, the, { [single]: record, [multi]: records.slice(1) }),
      }),
    },
    refusals: recordRefusals(owner),
  };
}

function ofRecords({ scope, path }: Owner, act: string): Omit<Row, 'operation' | 'examples' | 'refusals'> {
  return {
    method: 'PUT',
    path: `${path}/extensions/{name}/${act}`,
    values: { name: scopes[scope].multi },
    only: bare,
    body: 'any value',
    scene: 'states and tasks',
  };
}

export const extensions: readonly Row[] = owners.flatMap((owner) => [
  updateExtension(owner),
  mergeExtension(owner),
]);

export const extensionRecords: readonly Row[] = owners.flatMap((owner) => [
  updateRecord(owner),
  deleteRecord(owner),
]);
