import type { Answer } from '../harness.js';
import { type Act, type Extension, type Fields, present, type Refusal } from './acts.js';
import type { Line, Observed } from './fronts.js';
import { businessUnit } from './values.js';

/** Does the act by the mutation of its name. */
export async function mutate(line: Line, act: Act): Promise<Observed> {
  const type = act.kind.charAt(0).toUpperCase() + act.kind.slice(1);
  const part = /State$/.test(act.kind)
    ? 'part: state { number }'
    : /Task$/.test(act.kind)
      ? 'part: task { number }'
      : '';
  const answered = act.kind === 'deleteService' ? 'serviceId' : `service { id version } ${part}`;
  const answer = await request(
    line,
    act.kind,
    inputOf(act),
    `... on ${type}Payload { replayed ${answered} }`,
  );
  if ('refusal' in answer) return answer;
  const { replayed, service, serviceId = service.id, part: one } = answer;
  return { serviceId, version: service?.version ?? null, part: one?.number ?? null, replayed };
}

/** What a mutation answers. */
export async function request(
  { app, said }: Line,
  mutation: string,
  input: object,
  payload: string,
): Promise<{ refusal: Refusal } | Answer['json']> {
  const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
  const query = `mutation ($input: ${type}Input!) { act: ${mutation}(input: $input) {
    ... on Error { code } ${payload} } }`;
  const { json, text } = await app.rest('POST', '/graphql', { body: { query, variables: { input } } });
  said.push(`${mutation} ${JSON.stringify(input)} → ${text.slice(0, 300)}`);
  const code = json.data?.act?.code ?? json.errors?.[0]?.extensions?.code;
  if (json.errors && code !== 'INVALID') throw new Error(`answered ${text}`);
  return code ? { refusal: code } : json.data.act;
}

function inputOf(act: Act): object {
  const { kind, extensions, expectedVersion, idempotencyKey } = act;
  const { previousStateId, stateId, ...fields } = kind === 'transitionState' ? {} : act.fields;
  const isOnExtension = /Extension/.test(kind);
  const { name, value } = extensions[0] ?? { name: '', value: null };
  const ownValue = /Record$/.test(kind) ? { record: value } : { value };
  return {
    ...fields,
    ...partIds(act, { previousStateId, stateId }),
    ...(kind === 'transitionState' ? transitionOf(act) : targetOf(act)),
    ...(kind === 'startService' ? { businessUnit } : {}),
    ...(isOnExtension ? { schemaName: name, ...ownValue } : {}),
    ...(isOnExtension || extensions.length === 0 ? {} : { extensions: extensions.map(asInput) }),
    ...(expectedVersion === null ? {} : { expectedVersion }),
    ...(idempotencyKey === null ? {} : { idempotencyKey }),
  };
}

function asInput({ name, value }: Extension): object {
  return { schemaName: name, value };
}

/** What the act is on: a service, a state or a task, or an extension of one of them. */
function targetOf({ kind, serviceId, part, scope }: Act): object {
  if (kind === 'startService') return {};
  const id = `${serviceId}:${part}`;
  if (/Extension/.test(kind)) {
    return { owner: { SERVICE: { serviceId }, STATE: { stateId: id }, TASK: { taskId: id } }[scope] };
  }
  if (kind === 'completeTask') return { taskId: id };
  return kind === 'completeState' ? { stateId: id } : { serviceId };
}

function transitionOf({ serviceId, part, fields }: Act): object {
  const { stateType, estDuration, disposition, dispositionDesc, ...event } = fields;
  const from = { stateId: `${serviceId}:${part}`, ...present({ disposition, dispositionDesc }) };
  return { serviceId, from, to: present({ stateType, estDuration }), ...event };
}

/** `1` → `"1500:1"` */
function partIds({ serviceId }: Act, numbers: { [name: string]: Fields[string] | undefined }): object {
  const given = Object.entries(present(numbers));
  return Object.fromEntries(
    given.map(([name, number]) => [name, number === null ? null : `${serviceId}:${number}`]),
  );
}
