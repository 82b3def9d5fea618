import { expect } from 'vitest';
import type { TestApp } from '../harness.js';
import type { Look } from './plans.js';
import { basePaths } from './rest-front.js';
import {
  type PartFilter,
  restService,
  restStates,
  restTasks,
  type ServiceFilter,
  servicesOf,
} from './shapes.js';
import { askUniverse, universeOf } from './universe.js';
import { contactKeys, customers } from './values.js';
import type { Service, World } from './world.js';

/**
 * Reads everything that there is in the world over both fronts and expects what the model says.
 * @param touched the service that the newest act was on; its states and tasks are read one by one too
 */
export async function compare(
  app: TestApp,
  world: World,
  look: Look,
  touched: Service | undefined,
): Promise<void> {
  const base = basePaths[world.now % 2 === 0 ? 'bare' : '8.5'];
  const looks = [...listsOf(world, look), ...(touched ? ownLooks(touched, look) : [])];
  const [universe, ...answers] = await Promise.all([
    askUniverse(app, look),
    ...looks.map(({ path }) => app.rest('GET', base + path)),
  ]);

  for (const [index, { path, body, etag, status = 200 }] of looks.entries()) {
    const answer = answers[index];
    const json = status === 200 ? answer?.json : undefined;
    const seen = { status: answer?.status, json, etag: etag && answer?.headers['etag'] };
    expect(seen, base + path).toEqual({ status, json: body, etag });
  }
  expect(universe, 'GraphQL').toEqual(universeOf(world, look));
}

type RestLook = { path: string; body?: unknown; etag?: string; status?: number };

const everything =
  'extensions=*,State.*,Task.*&active_states=true&completed_states=true&active_tasks=true&completed_tasks=true';

function listsOf({ services }: World, look: Look): RestLook[] {
  const { types, from, to } = look;
  const owners: [string, ServiceFilter][] = [
    ...customers.map((customerId): [string, ServiceFilter] => [
      `/customers/${encodeURIComponent(customerId)}/services`,
      { customerId },
    ]),
    ...contactKeys.map((contactKey): [string, ServiceFilter] => [
      `/services/anonymous/${encodeURIComponent(contactKey)}`,
      { contactKey },
    ]),
  ];
  const query = `?service_types=${types.map(encodeURIComponent)}&started_from=${from}&started_to=${to}`;
  const filter = { types, startedFrom: Date.parse(from), startedTo: Date.parse(to) };
  const plain = (owned: ServiceFilter) =>
    servicesOf(services, owned).map((service) => restService(service, false));
  return owners.flatMap(([path, owner], index) => {
    const isCompleted = Boolean(look.isCompleted);
    if (index !== look.owner) {
      // GraphQL is asked for all of these too.
      return [
        { path, body: plain(owner) },
        { path: path + statusPath(isCompleted), body: plain({ ...owner, isCompleted }) },
      ];
    }
    const full = servicesOf(services, owner).map((service) => restService(service, true));
    return [
      { path: `${path}?${everything}`, body: full },
      { path: `${path}/active`, body: plain({ ...owner, isCompleted: false }) },
      { path: `${path}/completed`, body: plain({ ...owner, isCompleted: true }) },
      { path: path + query, body: plain({ ...owner, ...filter }) },
    ];
  });
}

function statusPath(isCompleted: boolean | undefined): string {
  if (isCompleted === undefined) return '';
  return isCompleted ? '/completed' : '/active';
}

function ownLooks(service: Service, look: Look): RestLook[] {
  const path = `/services/${service.id}`;
  return service.isGone
    ? ['', '/states', '/tasks'].map((part) => ({ path: path + part, status: 404 }))
    : [byId(service), ...partLooks(service, look)];
}

function byId(service: Service): RestLook {
  return {
    path: `/services/${service.id}?${everything}`,
    body: restService(service, true),
    etag: `"${service.version}"`,
  };
}

function partLooks(service: Service, look: Look): RestLook[] {
  const path = `/services/${service.id}`;
  const states = (filter: PartFilter, isFull = false) => owned(service, restStates(service, filter, isFull));
  const tasks = (filter: PartFilter, isFull = false) => owned(service, restTasks(service, filter, isFull));
  const stateQuery = 'extensions=*,Task.*&active_tasks=true&completed_tasks=true';
  const taskQuery = 'extensions=*';
  const { types, stateId, isCompleted } = look;
  const status = statusPath(isCompleted);
  const filter = types.map(encodeURIComponent);
  const last = { state: service.states.length - 1, task: service.tasks.length - 1 };
  return [
    { path: `${path}/states?${stateQuery}`, body: states({}, true) },
    { path: `${path}/tasks?${taskQuery}`, body: tasks({}, true) },
    { path: `${path}/states${status}?state_types=${filter}`, body: states({ types, isCompleted }) },
    { path: `${path}/tasks${status}?task_types=${filter}`, body: tasks({ types, isCompleted }) },
    { path: `${path}/tasks${status}?state_id=${stateId}`, body: tasks({ stateId, isCompleted }) },
    look.owner % 2 === 0
      ? { path: `${path}/states/${last.state}?${stateQuery}`, body: states({ number: last.state }, true)[0] }
      : { path: `${path}/tasks/${last.task}?${taskQuery}`, body: tasks({ number: last.task }, true)[0] },
  ].filter(({ body }) => body !== undefined);
}

/** On their own, states and tasks say whose they are. */
function owned({ id }: Service, parts: readonly object[]): object[] {
  return parts.map((part) => ({ service_id: Number(id), ...part }));
}
