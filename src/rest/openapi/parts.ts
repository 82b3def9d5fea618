import type { Status } from '../../domain/parts.js';
import { acted, created, listed, tagged } from './answers.js';
import * as bodies from './bodies.js';
import type { Described, Descriptions } from './operation.js';
import type { Parameter } from './parameters.js';
import * as parameters from './parameters.js';
import * as resources from './resources.js';

function acting(kind: 'state' | 'task'): readonly Parameter[] {
  return [...parameters.ofActs, parameters.prefer, ...parameters.views[kind]];
}

/** What states and tasks have alike. */
function queriesOf(kind: 'state' | 'task'): Descriptions {
  const name = kind === 'state' ? 'State' : 'Task';
  const tag = `${name}s` as const;
  const path = `/services/:service_id/${kind}s`;
  const listOf = (status?: Status) => (): Described => ({
    id: `list${status === undefined ? '' : status === 'ACTIVE' ? 'Active' : 'Completed'}${name}s`,
    tag,
    summary: `List the ${status ? `${status.toLowerCase()} ` : ''}${kind}s of a service`,
    parameters: parameters.lists[kind],
    answers: listed(resources.owners[kind]),
    refusals: [404],
  });
  return {
    [`GET ${path}`]: listOf(),
    [`GET ${path}/active`]: listOf('ACTIVE'),
    [`GET ${path}/completed`]: listOf('COMPLETED'),
    [`GET ${path}/:${kind}_id`]: () => ({
      id: `get${name}`,
      tag,
      summary: `Get a ${kind} of a service`,
      parameters: [parameters.ifNoneMatch, ...parameters.views[kind]],
      answers: tagged(resources.owners[kind]),
      refusals: [404],
    }),
    [`POST ${path}/:${kind}_id/end`]: (dialect) => ({
      id: `complete${name}`,
      tag,
      summary: `Complete a ${kind}`,
      parameters: acting(kind),
      body: { schema: bodies.partEnd(dialect, kind), isOptional: true, example: { disposition: 'done' } },
      answers: acted(resources.owners[kind]),
      refusals: [404, 409, 412, 422],
    }),
  };
}

export const states: Descriptions = {
  'POST /services/:service_id/states/start': (dialect) => ({
    id: 'startState',
    tag: 'States',
    summary: 'Start a state',
    description: 'Whatever else the body has is an extension of the state, under its name.',
    parameters: parameters.ofActs,
    body: { schema: bodies.stateStart(dialect), example: { state_type: 1, est_duration: 60 } },
    answers: created(resources.started('state_id')),
    refusals: [404, 409, 412, 422],
  }),
  'POST /services/:service_id/states/transition': (dialect) => ({
    id: 'transitionState',
    tag: 'States',
    summary: 'Complete one state and start the next, in one act',
    parameters: parameters.ofActs,
    body: {
      schema: bodies.transition(dialect),
      example: { from: { state_id: 0, disposition: 'identified' }, to: { state_type: 4 }, media_type: 1 },
    },
    answers: created(resources.started('state_id')),
    refusals: [404, 409, 412, 422],
  }),
  ...queriesOf('state'),
};

export const tasks: Descriptions = {
  'POST /services/:service_id/tasks/start': (dialect) => ({
    id: 'startTask',
    tag: 'Tasks',
    summary: 'Start a task',
    description:
      'Of the service, or of one of its states. Whatever else the body has is an extension of the task.',
    parameters: parameters.ofActs,
    body: { schema: bodies.taskStart(dialect), example: { task_type: 'call', state_id: 0 } },
    answers: created(resources.started('task_id')),
    refusals: [404, 409, 412, 422],
  }),
  ...queriesOf('task'),
};
