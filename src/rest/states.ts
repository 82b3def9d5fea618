import { rowBytes } from '../domain/answer-budget.js';
import { type Status, stateQuery, taskQuery } from '../domain/parts.js';
import { Faults, serviceId } from '../domain/rules.js';
import { partId } from '../domain/service-fields.js';
import type { WrittenService } from '../domain/service-writes.js';
import { getService } from '../domain/services.js';
import { completeState, startState, transitionState } from '../domain/states.js';
import { NotFound } from '../errors.js';
import { answerAct, answerStart, hasCurrent, tagOf } from './acts.js';
import { readServiceInput, readTransition } from './bodies.js';
import type { Answer, Call, Operation, Tagged } from './call.js';
import { answerList, oneMore, registryOf } from './lists.js';
import { endEvent, startStateEvent } from './names.js';
import { extensionQuery, numberOf, readStateList, readView, statusOf, type View } from './query.js';
import { showingOf, stateJson } from './wire.js';

export async function start(call: Call): Promise<Answer> {
  const input = readServiceInput(call, startStateEvent, 'refused');
  return answerNewState(call, await startState(call.db, call.origin, input));
}

export async function transition(call: Call): Promise<Answer> {
  return answerNewState(call, await transitionState(call.db, call.origin, readTransition(call)));
}

function answerNewState(call: Call, written: WrittenService): Answer {
  const id = written.stateId;
  return answerStart(call, written, { path: `/states/${id}`, json: `{"state_id":${id}}` });
}

export async function complete(call: Call): Promise<Answer> {
  const input = readServiceInput(call, endEvent, 'allowed');
  return answerAct(call, { perform: completeState, scope: 'STATE', show: showWritten }, input);
}

export function showWritten(call: Call, { service, stateId }: WrittenService, view: View): Promise<Answer> {
  return show(call, { id: service.id, number: stateId ?? 0 }, view);
}

export async function queryById(call: Call): Promise<Answer> {
  const faults = new Faults();
  const { params } = call.request;
  const id = faults.require(serviceId, ['serviceId'], params['service_id'], 0n);
  const number = faults.require(partId, ['stateId'], numberOf(params['state_id']), 0);
  const view = readView(call, 'STATE', faults);
  faults.throwIfAny();
  const answer = await show(call, { id, number }, view);
  const { etag } = answer.headers;
  return hasCurrent(call, etag) ? { status: 304, headers: { etag } } : answer;
}

async function show(call: Call, { id, number }: { id: bigint; number: number }, view: View): Promise<Tagged> {
  const include = { ...includeOf(view), states: { where: { id: number } } };
  const service = await getService(call.db, id, { include });
  const [state] = service.states;
  if (!state) throw new NotFound(`Service ${id} has no state ${number}.`);
  const registry = await registryOf(call, [service]);
  return { status: 200, headers: tagOf(service), json: stateJson(state, showingOf(view, service, registry)) };
}

export function queryOfService(status?: Status): Operation {
  return async (call) => {
    const faults = new Faults();
    const id = faults.require(serviceId, ['serviceId'], call.request.params['service_id'], 0n);
    const { filter, limit, after, view } = readStateList(call, faults);
    faults.throwIfAny();
    const { tasks, ...others } = includeOf(view);
    const include = {
      ...others,
      states: { ...stateQuery({ ...filter, status, after }), take: call.budget.take(oneMore(limit)) },
      ...(tasks ? { tasks: { ...tasks, take: call.budget.take() } } : {}),
    };
    const service = await getService(call.db, id, { include });
    call.budget.read((service.states.length + (service.tasks?.length ?? 0)) * rowBytes);
    const showing = showingOf(view, service, await registryOf(call, [service]));
    return answerList(call, { found: service.states, limit }, (state) => stateJson(state, showing));
  };
}

function includeOf(view: View) {
  const hasTasks = view.tasks.length > 0;
  return {
    ...(hasTasks ? { tasks: taskQuery(statusOf(view.tasks)) } : {}),
    ...extensionQuery(view, { STATE: true, TASK: hasTasks }),
  };
}
