import { rowBytes } from '../domain/answer-budget.js';
import { type Status, taskQuery } from '../domain/parts.js';
import { Faults, serviceId } from '../domain/rules.js';
import { partId } from '../domain/service-fields.js';
import type { WrittenService } from '../domain/service-writes.js';
import { getService } from '../domain/services.js';
import { completeTask, startTask } from '../domain/tasks.js';
import { NotFound } from '../errors.js';
import { answerAct, answerStart, hasCurrent, tagOf } from './acts.js';
import { readServiceInput } from './bodies.js';
import type { Answer, Call, Operation, Tagged } from './call.js';
import { answerList, oneMore, registryOf } from './lists.js';
import { endEvent, startTaskEvent } from './names.js';
import { extensionQuery, numberOf, readTaskList, readView, type View } from './query.js';
import { showingOf, taskJson } from './wire.js';

export async function start(call: Call): Promise<Answer> {
  const written = await startTask(call.db, call.origin, readServiceInput(call, startTaskEvent, 'refused'));
  const id = written.taskId;
  return answerStart(call, written, { path: `/tasks/${id}`, json: `{"task_id":${id}}` });
}

export async function complete(call: Call): Promise<Answer> {
  const input = readServiceInput(call, endEvent, 'allowed');
  return answerAct(call, { perform: completeTask, scope: 'TASK', show: showWritten }, input);
}

export function showWritten(call: Call, { service, taskId }: WrittenService, view: View): Promise<Answer> {
  return show(call, { id: service.id, number: taskId ?? 0 }, view);
}

export async function queryById(call: Call): Promise<Answer> {
  const faults = new Faults();
  const { params } = call.request;
  const id = faults.require(serviceId, ['serviceId'], params['service_id'], 0n);
  const number = faults.require(partId, ['taskId'], numberOf(params['task_id']), 0);
  const view = readView(call, 'TASK', faults);
  faults.throwIfAny();
  const answer = await show(call, { id, number }, view);
  const { etag } = answer.headers;
  return hasCurrent(call, etag) ? { status: 304, headers: { etag } } : answer;
}

async function show(call: Call, { id, number }: { id: bigint; number: number }, view: View): Promise<Tagged> {
  const include = { ...extensionQuery(view, { TASK: true }), tasks: { where: { id: number } } };
  const service = await getService(call.db, id, { include });
  const [task] = service.tasks;
  if (!task) throw new NotFound(`Service ${id} has no task ${number}.`);
  const registry = await registryOf(call, [service]);
  return { status: 200, headers: tagOf(service), json: taskJson(task, showingOf(view, service, registry)) };
}

export function queryOfService(status?: Status): Operation {
  return async (call) => {
    const faults = new Faults();
    const id = faults.require(serviceId, ['serviceId'], call.request.params['service_id'], 0n);
    const { filter, limit, after, view } = readTaskList(call, faults);
    faults.throwIfAny();
    const tasks = { ...taskQuery({ ...filter, status, after }), take: call.budget.take(oneMore(limit)) };
    const include = { ...extensionQuery(view, { TASK: true }), tasks };
    const service = await getService(call.db, id, { include });
    call.budget.read(service.tasks.length * rowBytes);
    const showing = showingOf(view, service, await registryOf(call, [service]));
    return answerList(call, { found: service.tasks, limit }, (task) => taskJson(task, showing));
  };
}
