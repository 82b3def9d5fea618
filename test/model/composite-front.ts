import type { CompositeEntry, CompositeStart, Given, Refusal } from './acts.js';
import type { Line } from './fronts.js';
import { basePaths, refusalOf, textOf } from './rest-front.js';
import { businessUnit } from './values.js';

/** What is answered of one entry. */
export type Answered = {
  service_id: number;
  service_created: boolean;
  state_id: number;
  state_created: boolean;
  task_id?: number;
  task_created?: boolean;
};

/** Makes the call, and checks that it tells the place of the first entry's task or state. */
export async function sendComposite(
  { app, said }: Line,
  start: CompositeStart,
): Promise<{ starts: Answered[]; replayed: boolean } | { refusal: Refusal }> {
  const url = `${basePaths[start.front]}/services_composite/start`;
  const body = `{"services":[${start.entries.map(textOfEntry)}]}`;
  const { idempotencyKey } = start;
  const headers = {
    groupid: businessUnit,
    ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
  };
  const answer = await app.rest('POST', url, { rawBody: body, headers });
  const { status, text, json } = answer;
  said.push(`POST ${url} ${JSON.stringify(headers)} ${body} → ${status} ${text.slice(0, 300)}`);
  if (status >= 400) return { refusal: refusalOf(answer, start) };
  if (status !== 200) throw new Error(`answered ${status}, not 200: ${text}`);
  const [{ service_id, state_id, task_id }] = json;
  const part = task_id === undefined ? `states/${state_id}` : `tasks/${task_id}`;
  const location = `${basePaths[start.front]}/services/${service_id}/${part}`;
  if (answer.headers['location'] !== location) throw new Error(`Location is ${answer.headers['location']}`);
  return { starts: json, replayed: answer.headers['idempotency-replayed'] === 'true' };
}

function textOfEntry({ service, state, task, isTaskOfState, isNewService }: CompositeEntry): string {
  const members = [
    ['service', textOfGiven(service)],
    ['state', textOfGiven(state)],
    ...(task ? [['task', textOfGiven(task)]] : []),
    ...(isTaskOfState ? [['associate_state_task', 'true']] : []),
    ...(isNewService ? [['create_new_services', 'true']] : []),
  ];
  return `{${members.map(([name, text]) => `"${name}":${text}`)}}`;
}

function textOfGiven({ fields, extensions }: Given): string {
  return textOf(fields, extensions);
}
