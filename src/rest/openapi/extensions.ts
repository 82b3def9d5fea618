import type { Dialect } from '../call.js';
import { acted } from './answers.js';
import * as bodies from './bodies.js';
import { publishedAssociation } from './examples.js';
import type { Body, Described, Descriptions } from './operation.js';
import * as parameters from './parameters.js';
import * as resources from './resources.js';

type Kind = 'service' | 'state' | 'task';

const names = { service: 'Service', state: 'State', task: 'Task' } as const;

const paths: Readonly<Record<Kind, string>> = {
  service: '/services/:service_id',
  state: '/services/:service_id/states/:state_id',
  task: '/services/:service_id/tasks/:task_id',
};

type Act = { id: string; summary: string; description?: string; body: (dialect: Dialect) => Body };

/** By what the path has behind the extension's name. */
const acts: Readonly<Record<string, Act>> = {
  '': {
    id: 'set#Extension',
    summary: 'Replace an extension of a #',
    description: 'As a whole; null removes it.',
    body: (dialect) => ({ schema: bodies.extensionValue(dialect), example: publishedAssociation.Feedback }),
  },
  '/merge': {
    id: 'merge#Extension',
    summary: 'Add keys to an extension of a #',
    description: 'Creates it where it is not there. A key that is null is taken away.',
    body: () => ({ schema: bodies.mergedKeys, example: { rating: 8 } }),
  },
  '/by/unique': {
    id: 'update#ExtensionRecord',
    summary: 'Update one record of an extension of a #',
    body: () => ({ schema: bodies.changedRecord, example: { place: 'Fancy resort Paris', rating: 9 } }),
  },
  '/delete/by/unique': {
    id: 'delete#ExtensionRecord',
    summary: 'Delete one record of an extension of a #',
    body: () => ({ schema: bodies.namedRecord, example: { place: 'Fancy resort Paris' } }),
  },
};

function describe(kind: Kind, { id, summary, description, body }: Act, dialect: Dialect): Described {
  return {
    id: id.replace('#', names[kind]),
    tag: 'Extensions',
    summary: summary.replace('#', kind),
    ...(description ? { description } : {}),
    parameters: [...parameters.ofActs, parameters.prefer, ...parameters.views[kind]],
    body: body(dialect),
    answers: acted(resources.owners[kind], dialect.updateStatus),
    refusals: [404, 412, 422],
  };
}

export const extensions: Descriptions = Object.fromEntries(
  (['service', 'state', 'task'] as const).flatMap((kind) =>
    Object.entries(acts).map(([rest, act]) => [
      `PUT ${paths[kind]}/extensions/:name${rest}`,
      (dialect: Dialect) => describe(kind, act, dialect),
    ]),
  ),
);
