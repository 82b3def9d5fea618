import { schema } from '../../src/graphql/schema.js';
import { rowsOf } from '../../src/rest/routes.js';
import type { Answer, TestApp } from '../harness.js';
import { bearer } from './makers.js';

/** What a tenant has for the operations to act on. Every one of its answers has its secret somewhere. */
export type Estate = {
  tenant: string;
  /** Of an operator. */
  key: string;
  serviceId: string;
  customerId: string;
  contactKey: string;
  schemaName: string;
  /** Of an extension of many records, of which the service, its state and its task have one. */
  recordsName: string;
  /** Of nothing that is there yet. */
  newName: string;
  /** Of a business attribute that no field is mapped to. */
  unmappedName: string;
  /** Of a purge that is running. */
  purgeId: string;
  /** Of a webhook that is disabled. */
  webhookId: string;
};

export type Request = { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; url: string; body?: object };

export type Example = {
  least: 'READER' | 'WRITER' | 'SCHEMA_ADMIN' | 'OPERATOR';
  request: (estate: Estate) => Request;
  /** Reads answer what their own tenant has. */
  isRead: boolean;
  /** What is asked for is a service by its id. */
  isById?: true;
  /** Credentials of single tenants may not, whatever their role. */
  isForAllTenants?: true;
};

/**
 * All that can be asked for, as the two fronts themselves list it; but for subscriptions, whose answers have no end:
 * those have tests of their own.
 */
export const operationNames: readonly string[] = [
  ...[schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    Object.keys(root?.getFields() ?? {}).map((field) => `${root?.name}.${field}`),
  ),
  ...(['', '/genesys/1/cs'] as const).flatMap((basePath) =>
    rowsOf({ basePath }).map(([method, path]) => `${method} ${basePath}${path}`),
  ),
];

export function exampleOf(name: string): Example | undefined {
  return graphqlExamples[name] ?? restExampleOf(name);
}

const shown = 'id started { interactionId }';
const nodes = `{ nodes { ${shown} } }`;
const written = `{ __typename ... on Error { code } }`;

const graphqlExamples: Readonly<Record<string, Example>> = {
  'Query.service': read(({ serviceId }) => `{ service(id: ${serviceId}) { ${shown} } }`, 'by id'),
  'Query.services': read(() => `{ services(first: 20) ${nodes} }`),
  'Query.customer': read(({ customerId }) => `{ customer(id: "${customerId}") { services ${nodes} } }`),
  'Query.anonymousServices': read(
    ({ contactKey }) => `{ anonymousServices(contactKey: "${contactKey}") ${nodes} }`,
  ),
  'Query.extensionSchema': read(
    ({ schemaName }) => `{ extensionSchema(name: "${schemaName}") { attributes { name } } }`,
  ),
  'Query.extensionSchemas': read(() => '{ extensionSchemas { attributes { name } } }'),
  'Query.businessAttribute': read(
    ({ schemaName }) => `{ businessAttribute(name: "${schemaName}") { values { name } } }`,
  ),
  'Query.businessAttributes': read(() => '{ businessAttributes { values { name } } }'),
  'Query.fieldMappings': read(() => '{ fieldMappings { businessAttribute { values { name } } } }'),
  // By themselves they tell nothing of whose they are.
  'Query.mapNames': read(() => '{ mapNames businessAttributes { values { name } } }'),
  'Query.events': read(() => '{ events { nodes { customerId } } businessAttributes { values { name } } }'),
  'Query.server': read(() => '{ server { mode } businessAttributes { values { name } } }'),
  'Mutation.startService': write('WRITER', 'startService(input: { customerId: "new" })'),
  'Mutation.associateService': write(
    'WRITER',
    ({ serviceId }) => `associateService(input: { serviceId: ${serviceId}, customerId: "new" })`,
  ),
  'Mutation.undoAssociation': write(
    'WRITER',
    ({ serviceId }) => `undoAssociation(input: { serviceId: ${serviceId} })`,
  ),
  'Mutation.updateService': write(
    'WRITER',
    ({ serviceId }) => `updateService(input: { serviceId: ${serviceId}, estDuration: 1 })`,
  ),
  'Mutation.completeService': write(
    'WRITER',
    ({ serviceId }) => `completeService(input: { serviceId: ${serviceId} })`,
  ),
  'Query.state': read(({ serviceId }) => `{ state(id: "${serviceId}:0") { ${shown} } }`, 'by id'),
  'Query.task': read(({ serviceId }) => `{ task(id: "${serviceId}:0") { ${shown} } }`, 'by id'),
  'Mutation.setServiceExpiry': write(
    'WRITER',
    ({ serviceId }) => `setServiceExpiry(input: { serviceId: ${serviceId}, ttl: 60 })`,
  ),
  'Mutation.deleteService': write(
    'OPERATOR',
    ({ serviceId }) => `deleteService(input: { serviceId: ${serviceId} })`,
  ),
  'Mutation.startState': write('WRITER', ({ serviceId }) => `startState(input: { serviceId: ${serviceId} })`),
  'Mutation.completeState': write(
    'WRITER',
    ({ serviceId }) => `completeState(input: { stateId: "${serviceId}:0" })`,
  ),
  'Mutation.transitionState': write(
    'WRITER',
    ({ serviceId }) =>
      `transitionState(input: { serviceId: ${serviceId}, from: { stateId: "${serviceId}:0" }, to: {} })`,
  ),
  'Mutation.startTask': write('WRITER', ({ serviceId }) => `startTask(input: { serviceId: ${serviceId} })`),
  'Mutation.completeTask': write(
    'WRITER',
    ({ serviceId }) => `completeTask(input: { taskId: "${serviceId}:0" })`,
  ),
  'Mutation.setExtension': write(
    'WRITER',
    ({ serviceId, schemaName }) =>
      `setExtension(input: { owner: { serviceId: ${serviceId} }, schemaName: "${schemaName}", value: {} })`,
  ),
  'Mutation.mergeExtension': write(
    'WRITER',
    ({ serviceId, schemaName }) =>
      `mergeExtension(input: { owner: { stateId: "${serviceId}:0" }, schemaName: "${schemaName}", value: {} })`,
  ),
  'Mutation.updateExtensionRecord': write(
    'WRITER',
    ({ serviceId, recordsName }) =>
      `updateExtensionRecord(input: { owner: { taskId: "${serviceId}:0" }, schemaName: "${recordsName}", record: { no: 1 } })`,
  ),
  'Mutation.deleteExtensionRecord': write(
    'WRITER',
    ({ serviceId, recordsName }) =>
      `deleteExtensionRecord(input: { owner: { serviceId: ${serviceId} }, schemaName: "${recordsName}", record: { no: 1 } })`,
  ),
  'Mutation.createExtensionSchema': write(
    'SCHEMA_ADMIN',
    ({ newName }) =>
      `createExtensionSchema(input: { name: "${newName}", type: SINGLE_VALUED, attributes: [{ name: "a", type: STRING }] })`,
  ),
  'Mutation.defineBusinessAttribute': write('SCHEMA_ADMIN', ({ newName }) => define(newName, 'a')),
  'Mutation.deleteBusinessAttribute': write(
    'SCHEMA_ADMIN',
    ({ unmappedName }) => `deleteBusinessAttribute(input: { name: "${unmappedName}" })`,
  ),
  'Mutation.mapField': write(
    'SCHEMA_ADMIN',
    'mapField(input: { field: TASK_MEDIA_TYPE, businessAttribute: null })',
  ),
  'Mutation.setMapNames': write('SCHEMA_ADMIN', 'setMapNames(input: { mapNames: true })'),
  'Query.purge': {
    ...read(({ purgeId }) => `{ purge(id: ${purgeId}) { status } businessAttributes { values { name } } }`),
    least: 'OPERATOR',
  },
  'Query.purges': {
    ...read(() => '{ purges { status } businessAttributes { values { name } } }'),
    least: 'OPERATOR',
  },
  'Mutation.purgeServices': write(
    'OPERATOR',
    'purgeServices(input: { operation: ALL, startedTo: "2001-01-01T00:00:00Z" })',
  ),
  'Mutation.cancelPurge': write('OPERATOR', ({ purgeId }) => `cancelPurge(input: { id: ${purgeId} })`),
  'Query.webhooks': { ...read(() => '{ webhooks { url } }'), least: 'OPERATOR' },
  'Query.webhook': {
    ...read(({ webhookId }) => `{ webhook(id: ${webhookId}) { url } }`),
    least: 'OPERATOR',
  },
  'Query.deadDeliveries': {
    ...read(
      ({ webhookId }) =>
        `{ deadDeliveries(webhookId: ${webhookId}) { nodes { version } } businessAttributes { values { name } } }`,
    ),
    least: 'OPERATOR',
  },
  'Mutation.createWebhook': write(
    'OPERATOR',
    'createWebhook(input: { url: "https://receiver.example.com", enabled: false })',
  ),
  'Mutation.updateWebhook': write(
    'OPERATOR',
    ({ webhookId }) => `updateWebhook(input: { id: ${webhookId}, eventTypes: [SERVICE_STARTED] })`,
  ),
  'Mutation.rotateWebhookSecret': write(
    'OPERATOR',
    ({ webhookId }) => `rotateWebhookSecret(input: { id: ${webhookId} })`,
  ),
  'Mutation.deleteWebhook': write(
    'OPERATOR',
    ({ webhookId }) => `deleteWebhook(input: { id: ${webhookId} })`,
  ),
  // Its host is internal: nothing is sent.
  'Mutation.testWebhook': write('OPERATOR', ({ webhookId }) => `testWebhook(input: { id: ${webhookId} })`),
  'Mutation.replayDeliveries': write(
    'OPERATOR',
    ({ webhookId }) => `replayDeliveries(input: { webhookId: ${webhookId} })`,
  ),
  'Mutation.discardDeliveries': write(
    'OPERATOR',
    ({ webhookId }) => `discardDeliveries(input: { webhookId: ${webhookId} })`,
  ),
  'Mutation.setServerMode': {
    ...write('OPERATOR', 'setServerMode(input: { mode: MAINTENANCE })'),
    isForAllTenants: true,
  },
};

function define(name: string, valueName: string): string {
  return `defineBusinessAttribute(input: { name: "${name}", values: [{ dbid: 1, name: "${valueName}" }] })`;
}

function read(query: (estate: Estate) => string, isById?: 'by id'): Example {
  const request = (estate: Estate): Request => ({
    method: 'POST',
    url: '/graphql',
    body: { query: query(estate) },
  });
  return { least: 'READER', request, isRead: true, ...(isById ? { isById: true } : {}) };
}

function write(least: Example['least'], field: string | ((estate: Estate) => string)): Example {
  const request = (estate: Estate): Request => {
    const query = `mutation { ${typeof field === 'string' ? field : field(estate)} ${written} }`;
    return { method: 'POST', url: '/graphql', body: { query } };
  };
  return { least, request, isRead: false, ...(String(field).includes('serviceId') ? { isById: true } : {}) };
}

type RestExample = Omit<Example, 'request'> & { body?: (estate: Estate) => object; query?: string };

/** By what the path asks for, under whichever base path. */
const restExamples: readonly [pattern: RegExp, RestExample][] = [
  [/^POST \/services\/start$/, { least: 'WRITER', isRead: false, body: () => start }],
  [
    /^POST \/customers\/:customer_id\/services\/:service_id$/,
    { least: 'WRITER', isRead: false, isById: true },
  ],
  [
    /^POST \/services\/:service_id\/(end|associations\/undo)$/,
    { least: 'WRITER', isRead: false, isById: true },
  ],
  [
    /^POST \/services\/:service_id\/states\/start$/,
    { least: 'WRITER', isRead: false, isById: true, body: () => ({ state_type: 1 }) },
  ],
  [
    /^POST \/services\/:service_id\/tasks\/start$/,
    { least: 'WRITER', isRead: false, isById: true, body: () => ({ task_type: 1 }) },
  ],
  [
    /^POST \/services\/:service_id\/(states|tasks)\/:\w+\/end$/,
    { least: 'WRITER', isRead: false, isById: true },
  ],
  [
    /^POST \/services\/:service_id\/states\/transition$/,
    {
      least: 'WRITER',
      isRead: false,
      isById: true,
      body: () => ({ from: { state_id: 0 }, to: { state_type: 1 } }),
    },
  ],
  [
    /^PUT \/services\/:service_id\/((states|tasks)\/:\w+\/)?extensions\/:name\/(delete\/)?by\/unique$/,
    { least: 'WRITER', isRead: false, isById: true, body: () => ({ no: 1 }) },
  ],
  [
    /^PUT \/services\/:service_id\/((states|tasks)\/:\w+\/)?extensions\/:name(\/merge)?$/,
    { least: 'WRITER', isRead: false, isById: true, body: () => ({}) },
  ],
  [
    /^GET \/services\/:service_id\/(states|tasks)(\/\w+|\/:\w+)?$/,
    { least: 'READER', isRead: true, isById: true },
  ],
  [
    /^POST \/services_composite\/start$/,
    { least: 'WRITER', isRead: false, body: () => ({ services: [{ service: start, state: {} }] }) },
  ],
  [
    /^PUT \/services\/:service_id$/,
    { least: 'WRITER', isRead: false, isById: true, body: () => ({ ttl: 60 }) },
  ],
  [/^DELETE \/services\/:service_id$/, { least: 'OPERATOR', isRead: false, isById: true }],
  [/^GET \/services\/:service_id$/, { least: 'READER', isRead: true, isById: true }],
  [/^GET \/customers\/:customer_id\/services(\/\w+)?$/, { least: 'READER', isRead: true }],
  [/^GET \/services\/anonymous\/:contact_key(\/\w+)?$/, { least: 'READER', isRead: true }],
  [
    /^POST \/metadata\/(services|states|tasks)\/extensions$/,
    { least: 'SCHEMA_ADMIN', isRead: false, body: ({ newName }) => ({ name: newName, ...schemaBody }) },
  ],
  [/^GET \/metadata\/(services|states|tasks)\/extensions(\/:name)?$/, { least: 'READER', isRead: true }],
  [/^GET \/metadata\/business-attributes(\/:name)?$/, { least: 'READER', isRead: true }],
  [
    /^GET \/maintenance\/services\/stream$/,
    { least: 'OPERATOR', isRead: true, query: '?time_from=2000-01-01T00:00Z&export_content=true' },
  ],
  [/^POST \/maintenance\/purge$/, { least: 'OPERATOR', isRead: false, body: () => purge }],
  // Tells nothing of whose it is.
  [/^GET \/maintenance\/purge\/:purge_id$/, { least: 'OPERATOR', isRead: false }],
  [/^POST \/maintenance\/purge\/:purge_id\/cancel$/, { least: 'OPERATOR', isRead: false }],
  // Nor do these.
  [/^GET \/events$/, { least: 'READER', isRead: false }],
  [/^GET \/server\/status$/, { least: 'READER', isRead: false }],
  [
    /^POST \/server\/mode$/,
    { least: 'OPERATOR', isRead: false, isForAllTenants: true, body: () => ({ mode: 'maintenance' }) },
  ],
];

const start = { customer_id: 'new', service_type: 1 };
const purge = { operation: 'purge.service.all', limit: '2001-01-01T00:00:00Z' };
const recordsBody = { type: 'multi-valued', attributes: [{ name: 'no', type: 'integer', unique: true }] };
const schemaBody = { type: 'single-valued', attributes: [{ name: 'a', type: 'string' }] };

function restExampleOf(name: string): Example | undefined {
  const [method, path = ''] = name.split(' ');
  const bare = `${method} ${path.replace('/genesys/1/cs', '')}`;
  const example = restExamples.find(([pattern]) => pattern.test(bare))?.[1];
  if (!example) return undefined;
  return {
    ...example,
    request: (estate) => ({
      method: method as Request['method'],
      url: fill(path, estate) + (example.query ?? ''),
      ...(example.body ? { body: example.body(estate) } : {}),
    }),
  };
}

function fill(path: string, estate: Estate): string {
  const { serviceId, customerId, contactKey, schemaName, recordsName, purgeId } = estate;
  return path
    .replace(':purge_id', purgeId)
    .replace(/:(state|task)_id/, '0')
    .replace(/:name(?=.*\/by\/unique)/, recordsName)
    .replace(':service_id', serviceId)
    .replace(':customer_id', customerId)
    .replace(':contact_key', contactKey)
    .replace(':name', schemaName);
}

/** Makes services, active and completed, of a customer and anonymous, schemas of every scope and business attributes. */
export async function makeEstate(app: TestApp, key: string, tenant: string, name = tenant): Promise<Estate> {
  const estate = {
    tenant,
    key,
    serviceId: '',
    customerId: `customer-${name}`,
    contactKey: `caller-${name}`,
    schemaName: `Schema_${name}`,
    recordsName: `Records_${name}`,
    newName: '',
    unmappedName: '',
    purgeId: '',
    webhookId: '',
  };
  const schema = { name: estate.schemaName, type: 'single-valued' };
  const attributes = [{ name: secretOf(tenant), type: 'string' }];
  for (const scope of ['services', 'states', 'tasks']) {
    await post(app, estate, `/metadata/${scope}/extensions`, { ...schema, attributes });
    await post(app, estate, `/metadata/${scope}/extensions`, { name: estate.recordsName, ...recordsBody });
  }
  await mutate(app, estate, define(estate.schemaName, secretOf(tenant)));
  const mapped = `{ field: STATE_RESOURCE_TYPE, businessAttribute: "${estate.schemaName}" }`;
  await mutate(app, estate, `mapField(input: ${mapped})`);
  for (const owner of [{ contact_key: estate.contactKey }, { customer_id: estate.customerId }]) {
    await startService(app, estate, owner);
    await post(app, estate, `/services/${await startService(app, estate, owner)}/end`, {});
  }
  return renew(app, estate);
}

/** The estate with another service and another name, that nobody has done anything to. */
export async function renew(app: TestApp, estate: Estate): Promise<Estate> {
  const serviceId = await startService(app, estate, { contact_key: 'new' });
  const fields = { interaction_id: secretOf(estate.tenant), [estate.recordsName]: [{ no: 1 }] };
  await post(app, estate, `/customers/${estate.customerId}/services/${serviceId}`, fields);
  for (const parts of ['states', 'tasks']) {
    // One that is open, one that has ended: the lists of both have something to tell.
    await post(app, estate, `/services/${serviceId}/${parts}/start`, fields);
    await post(app, estate, `/services/${serviceId}/${parts}/start`, fields);
    await post(app, estate, `/services/${serviceId}/${parts}/1/end`, {});
  }
  const { purge_id: purgeId } = await post(app, estate, '/maintenance/purge', purge);
  const unmappedName = `Unmapped_${estate.tenant}_${serviceId}`;
  await mutate(app, estate, define(unmappedName, secretOf(estate.tenant)));
  return {
    ...estate,
    serviceId,
    newName: `New_${estate.tenant}_${serviceId}`,
    unmappedName,
    purgeId: String(purgeId),
    webhookId: await makeWebhook(app, estate),
  };
}

/** A tenant has few: those of former renewals go, but for the first one. Nothing is sent to its host. */
async function makeWebhook(app: TestApp, { tenant }: Estate): Promise<string> {
  await app.sql(
    `delete from webhook w where tenant = $1 and id < (select max(id) from webhook) - 8
     and id > (select min(id) from webhook where tenant = $1)`,
    [tenant],
  );
  const [webhook] = await app.sql<{ id: string }>(
    `insert into webhook (tenant, url, event_types, secret, status, feed_xid, feed_service_id, feed_version, created_at)
     values ($1, $2, '{}', 'whsec_', 'DISABLED', '3', 0, 0, now()) returning id`,
    [tenant, `https://127.0.0.1/${secretOf(tenant)}`],
  );
  return webhook?.id ?? '';
}

async function startService(app: TestApp, estate: Estate, owner: object): Promise<string> {
  const fields = { ...owner, interaction_id: secretOf(estate.tenant) };
  return String((await post(app, estate, '/services/start', fields)).service_id);
}

async function post(app: TestApp, { key }: Estate, path: string, body: object): Promise<Answer['json']> {
  const answer = await app.rest('POST', `/genesys/1/cs${path}`, { body, headers: bearer(key) });
  if (answer.status >= 300) throw new Error(answer.text);
  return answer.json;
}

async function mutate(app: TestApp, { key }: Estate, field: string): Promise<void> {
  const body = { query: `mutation { ${field} ${written} }` };
  const answer = await app.rest('POST', '/graphql', { body, headers: bearer(key) });
  if (outcomeOf(answer) !== 'OK') throw new Error(answer.text);
}

/** What stands in every service and every schema of the tenant. */
export function secretOf(tenant: string): string {
  return `secret_of_${tenant}`;
}

export function send(
  app: TestApp,
  { method, url, body }: Request,
  headers: Record<string, string>,
): Promise<Answer> {
  return app.rest(method, url, { headers, ...(body ? { body } : {}) });
}

/** What came of a call, whichever front answered it: OK or the code of the failure. */
export function outcomeOf({ status, json }: Answer): string {
  if (json?.code) return json.code;
  if (json?.errors) return json.errors[0].extensions.code;
  const [result] = Object.values(json?.data ?? {}) as { code?: string }[];
  return result?.code ?? (status < 300 ? 'OK' : String(status));
}
