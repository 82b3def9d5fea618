import type { TestApp } from '../harness.js';
import type { Look } from './plans.js';
import { graphqlPurge, graphqlService, type ServiceFilter, servicesOf } from './shapes.js';
import { businessUnit, contactKeys, customers } from './values.js';
import type { World } from './world.js';

const event =
  '{ sessionId interactionId applicationType applicationId resourceType resourceId mediaType timestamp }';
const item = `estDuration disposition dispositionDesc status duration started ${event} completed ${event}
  extensions { schemaName value }`;

const serviceFields = `
  id version updatedAt expiresAt autoCompleteAfter autoCompleteAt customerId contactKey serviceType ${item}
  associations(first: 100) {
    nodes { version kind fromCustomerId toCustomerId reason front occurredAt recordedAt }
  }
  states { id number serviceId stateType previousStateId ${item} tasks { number } }
  tasks { id number serviceId taskType stateId ${item} }
  someStates: states(status: $status, types: $types) { number }
  someTasks: tasks(status: $status, types: $types) { number }`;

const listsOf = (lists: string) => `
  all: ${lists} first: 100) { nodes { id } }
  active: ${lists} first: 100, status: ACTIVE) { nodes { id } }
  completed: ${lists} first: 100, status: COMPLETED) { nodes { id } }`;

const everything = `
query ($unit: String!, $anna: ID!, $berta: ID!, $key: String!, $types: [TypeCode!], $status: Status, $from: DateTime, $to: DateTime) {
  services(businessUnit: $unit, first: 100) { nodes { ${serviceFields} } }
  some: services(businessUnit: $unit, first: 100, types: $types, status: $status, startedFrom: $from, startedTo: $to) {
    nodes { id }
  }
  anna: customer(id: $anna) { ${listsOf('services(')} }
  berta: customer(id: $berta) { ${listsOf('services(')} }
  ${listsOf('anonymousServices(contactKey: $key,')}
  purges { id operation startedTo dryRun status matched deleted createdAt finishedAt }
}`;

/** All services of the world, and the lists of everybody in it, but those of one contact key alone. */
export async function askUniverse(app: TestApp, look: Look): Promise<unknown> {
  const { types, isCompleted, from, to } = look;
  const [anna, berta] = customers;
  const status = isCompleted === undefined ? null : isCompleted ? 'COMPLETED' : 'ACTIVE';
  const variables = { unit: businessUnit, anna, berta, key: keyOf(look), types, status, from, to };
  const { json } = await app.rest('POST', '/graphql', { body: { query: everything, variables } });
  return json.errors ?? json.data;
}

export function universeOf({ services, purges }: World, look: Look): unknown {
  const { types, isCompleted, from, to } = look;
  const filter = { types, isCompleted };
  const list = (filter: ServiceFilter) => ({ nodes: servicesOf(services, filter).map(({ id }) => ({ id })) });
  const listsOf = (owner: ServiceFilter) => ({
    all: list(owner),
    active: list({ ...owner, isCompleted: false }),
    completed: list({ ...owner, isCompleted: true }),
  });
  const [anna, berta] = customers.map((customerId) => listsOf({ customerId }));
  return {
    services: { nodes: servicesOf(services, {}).map((service) => graphqlService(service, filter)) },
    some: list({ ...filter, startedFrom: Date.parse(from), startedTo: Date.parse(to) }),
    anna,
    berta,
    ...listsOf({ contactKey: keyOf(look) }),
    purges: purges.slice(-20).reverse().map(graphqlPurge),
  };
}

function keyOf({ owner }: Look): string {
  return contactKeys[owner % contactKeys.length] ?? '';
}
