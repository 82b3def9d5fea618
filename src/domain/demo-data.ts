import type { Db } from '../db/database.js';
import { associateService } from './associations.js';
import { defineBusinessAttribute } from './business-attributes.js';
import { createExtensionSchema } from './extension-schemas.js';
import type { GivenExtension } from './extensions.js';
import type { ServiceInput } from './service-fields.js';
import type { Origin } from './service-writes.js';
import { completeService, startService } from './services.js';
import { startState, transitionState } from './states.js';
import { startTask } from './tasks.js';

/** The service of the published example; ids go on above it. */
const firstServiceId = 1500;

/** Whether nobody has used the tenant yet: no service was ever started, nothing defined. */
export async function isUnused(db: Db): Promise<boolean> {
  const [row] = await db.prisma.$queryRaw<{ isUnused: boolean }[]>`
    select not is_called
      and not exists (select from extension_schema where tenant = ${db.tenant})
      and not exists (select from business_attribute where tenant = ${db.tenant}) as "isUnused"
    from service_id_seq`;
  return row?.isUnused ?? false;
}

/** Whether the tenant has no service now, and nothing is defined. */
export async function isEmpty(db: Db): Promise<boolean> {
  const [row] = await db.prisma.$queryRaw<{ isEmpty: boolean }[]>`
    select not exists (select from service where tenant = ${db.tenant})
      and not exists (select from extension_schema where tenant = ${db.tenant})
      and not exists (select from business_attribute where tenant = ${db.tenant}) as "isEmpty"`;
  return row?.isEmpty ?? false;
}

/**
 * Something to look at on a first start: the two extensions that the legacy API's examples take for
 * granted, the media of a contact centre, a few customers and anonymous callers of the last days, and
 * service 1500 where no id was given away yet.
 */
export async function insertDemoData(db: Db, now: Date): Promise<void> {
  await db.prisma.$queryRaw`
    select setval('service_id_seq', ${firstServiceId}, false) from service_id_seq where not is_called`;
  for (const fields of extensionSchemas) {
    await createExtensionSchema(db, originAt(now), { scope: 'SERVICE', fields });
  }
  await defineBusinessAttribute(db, originAt(now), { fields: mediaType });
  for (const story of stories) await insert(db, story, now);
}

type Story = {
  /** When it started, in hours before now. */
  hoursAgo: number;
  start: Record<string, unknown>;
  extensions?: readonly GivenExtension[];
  /** Whom the caller turned out to be. */
  associate?: Record<string, unknown>;
  complete?: Record<string, unknown>;
  /** Goes from the caller's identification to waiting for an agent, who is to do something. */
  task?: Record<string, unknown>;
};

const extensionSchemas = [
  {
    name: 'Feedback',
    type: 'single-valued',
    attributes: [
      { name: 'FeedbackType', type: 'string', length: 32 },
      { name: 'rating', type: 'integer' },
      { name: 'notes', type: 'string', length: 256 },
    ],
  },
  {
    name: 'Satisfaction',
    type: 'multi-valued',
    attributes: [
      { name: 'rating', type: 'integer' },
      { name: 'pertinence', type: 'integer' },
      { name: 'useful', type: 'boolean' },
      { name: 'place', type: 'string', length: 128 },
    ],
  },
];

const [voice, email, chat, fax] = [1001, 1003, 1006, 1014];

/** The published example's; no field is mapped to it, so that any value is taken. */
const mediaType = {
  name: 'MediaType',
  displayName: 'Media type',
  values: [
    { dbid: voice, name: 'voice' },
    { dbid: email, name: 'email' },
    { dbid: chat, name: 'chat' },
    { dbid: fax, name: 'fax' },
  ],
};

/** Of the customary types of states (legacy contract, business attributes). */
const [identification, waiting] = [1, 4];

const stories: Story[] = [
  {
    hoursAgo: 2,
    start: {
      customerId: '0004Va58A92T0017',
      serviceType: 'claim',
      mediaType: voice,
      interactionId: '123ABCAADFJ1259AC0',
    },
  },
  {
    hoursAgo: 70,
    start: { customerId: '0004Va58A92T0001', serviceType: 'order', mediaType: email, estDuration: 86_400 },
    complete: { disposition: 'delivered', dispositionDesc: 'Left with the neighbour' },
    extensions: [
      { name: 'Feedback', value: { FeedbackType: 'e-mail', rating: 9, notes: 'fast and friendly' } },
    ],
  },
  {
    hoursAgo: 26,
    start: { customerId: '0004Va58A92T0001', serviceType: 'claim', mediaType: voice, resourceId: 5005 },
    task: { taskType: 'call back', estDuration: 600 },
    extensions: [
      {
        name: 'Satisfaction',
        value: [
          { rating: 2, pertinence: 8, useful: true, place: 'waiting line' },
          { rating: 8, pertinence: 4, useful: false, place: 'call-back' },
        ],
      },
    ],
  },
  {
    hoursAgo: 3,
    start: { customerId: '0004Va58A92T0002', serviceType: 'call-back', mediaType: chat, estDuration: 900 },
  },
  {
    hoursAgo: 49,
    start: { contactKey: '+14155550123', serviceType: 'claim', mediaType: voice },
    associate: { customerId: '0004Va58A92T0003', reason: 'identified by policy number', actor: 'agent 5005' },
  },
  {
    hoursAgo: 30,
    start: { customerId: '0004Va58A92T0004', serviceType: 100, mediaType: email },
    complete: { disposition: 10 },
  },
  { hoursAgo: 5, start: { customerId: '0004Va58A92T0005', serviceType: 100, mediaType: chat } },
  { hoursAgo: 20, start: { contactKey: '+33145678900', serviceType: 'order', mediaType: voice } },
  {
    hoursAgo: 19,
    start: { contactKey: '+33145678900', serviceType: 'order', mediaType: voice },
    complete: { disposition: 'abandoned' },
  },
  { hoursAgo: 1, start: { contactKey: '+33145678900', serviceType: 'call-back', mediaType: voice } },
];

async function insert(
  db: Db,
  { hoursAgo, start, extensions = [], associate, complete, task }: Story,
  now: Date,
): Promise<void> {
  const at = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
  const origin = originAt(now);
  const input = (fields: Record<string, unknown>, timestamp: Date, given = extensions): ServiceInput => ({
    fields: { ...fields, timestamp },
    extensions: given,
    takesAttachedData: false,
    requiresType: true,
    faults: [],
  });
  const { service } = await startService(db, origin, input(start, at(hoursAgo)));
  const serviceId = service.id;
  if (task) {
    const [from, to] = [{ stateId: 0 }, { stateType: waiting }];
    const acts = [at(hoursAgo), at(hoursAgo - 0.05), at(hoursAgo - 0.06)] as const;
    await startState(db, origin, input({ serviceId, stateType: identification }, acts[0], []));
    await transitionState(db, origin, input({ serviceId, from, to }, acts[1], []));
    await startTask(db, origin, input({ serviceId, stateId: 1, ...task }, acts[2], []));
  }
  if (associate) await associateService(db, origin, input({ ...associate, serviceId }, at(hoursAgo - 0.1)));
  if (complete) await completeService(db, origin, input({ ...complete, serviceId }, at(hoursAgo - 0.5)));
}

function originAt(receivedAt: Date): Origin {
  return { front: 'GRAPHQL', requestId: 'demo-data', principal: null, receivedAt };
}
