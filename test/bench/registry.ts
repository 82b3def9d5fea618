import { gatewayCommand } from './candidates/gateway.js';
import { member } from './exchange.js';
import { startServer } from './processes.js';

/**
 * Defines, through the gateway itself, what it checks inputs against: the schemas of all extensions that
 * are sent, and a closed list for the types of states.
 */
export async function defineRegistry(databaseUrl: string): Promise<void> {
  await using gateway = await startServer(gatewayCommand(databaseUrl), undefined);
  const { url } = gateway;
  for (const [kind, schema] of schemas) await post(`${url}/metadata/${kind}/extensions`, schema);
  await mutate(url, 'defineBusinessAttribute', 'DefineBusinessAttributeInput', {
    name: 'StateType',
    values: stateTypes.map((name, place) => ({ dbid: place + 1, name })),
  });
  await mutate(url, 'mapField', 'MapFieldInput', { field: 'STATE_TYPE', businessAttribute: 'StateType' });
}

const text = (name: string, length: number) => ({ name, type: 'string', length });
const number = (name: string) => ({ name, type: 'integer' });

const schemas = [
  [
    'services',
    {
      name: 'Feedback',
      type: 'single-valued',
      attributes: [text('FeedbackType', 32), number('rating'), text('notes', 256)],
    },
  ],
  [
    'services',
    {
      name: 'Satisfaction',
      type: 'multi-valued',
      attributes: [
        number('rating'),
        number('pertinence'),
        { name: 'useful', type: 'boolean' },
        text('place', 128),
      ],
    },
  ],
  [
    'states',
    {
      name: 'Queue',
      type: 'single-valued',
      attributes: [text('name', 64), number('position'), text('notes', 256)],
    },
  ],
  [
    'tasks',
    {
      name: 'Work',
      type: 'single-valued',
      attributes: [text('agent', 64), number('minutes'), text('notes', 256)],
    },
  ],
] as const;

/** The customary ones (legacy contract, business attributes). */
const stateTypes = [
  'customer identification',
  'service identification',
  'assign agent',
  'waiting for agent',
  'delivering service',
];

async function mutate(url: string, field: string, inputType: string, input: object): Promise<void> {
  const query = `mutation Define($input: ${inputType}!) { ${field}(input: $input) { __typename ... on Error { message } } }`;
  const answer = await post(`${url}/graphql`, { query, variables: { input } });
  const typeName = String(member(answer, 'data', field, '__typename'));
  if (!typeName.endsWith('Payload')) throw new Error(`${field} answered ${JSON.stringify(answer)}`);
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
