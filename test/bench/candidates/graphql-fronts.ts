import { elements, type Front, graphqlExchange, member, numeric } from '../exchange.js';
import { feedback, mediaType, satisfaction } from '../works/associate.js';
import { screenPopMark } from '../works/screen-pop.js';

/** The input of a move, under the gateway's names. */
const associateInput = {
  serviceId: '{{service}}',
  customerId: '{{customer}}',
  interactionId: '{{interaction}}',
  mediaType,
  resourceId: numeric('resource'),
  extensions: [
    { schemaName: 'Feedback', value: feedback },
    { schemaName: 'Satisfaction', value: satisfaction },
  ],
};

export const associateMark = { text: '"customerId":"customer-', times: 1 };

const payload = `
  service { id version customerId serviceType started { timestamp interactionId mediaType resourceId } }
  association { fromCustomerId toCustomerId }`;

/** A move, under the gateway's names: its own, with failures as members of a union, or a peer's without. */
export function associateFront(kind: 'union' | 'payload'): Front {
  const selection =
    kind === 'payload'
      ? payload
      : `... on AssociateServicePayload { ${payload} } ... on Error { code message }`;
  const query = `mutation Associate($input: AssociateServiceInput!) {
    associateService(input: $input) { ${selection} }
  }`;
  return {
    exchange: graphqlExchange(query, { input: associateInput }, associateMark),
    read: ({ body }) => {
      const answer = member(body, 'data', 'associateService');
      return readAssociated(member(answer, 'service'), member(answer, 'association'));
    },
  };
}

const listed = 'id serviceType started { timestamp interactionId mediaType } extensions { schemaName value }';

/** The gateway's own list, which has pages. */
export const pagedScreenPop: Front = {
  exchange: graphqlExchange(
    `query ScreenPop($customer: ID!) {
      customer(id: $customer) { services(status: ACTIVE, first: 20) { nodes { ${listed} } } }
    }`,
    { customer: '{{reader}}' },
    screenPopMark,
  ),
  read: ({ body }) => elements(member(body, 'data', 'customer', 'services', 'nodes')).map(readListed),
};

/** A peer's, which has none. */
export const plainScreenPop: Front = {
  exchange: graphqlExchange(
    `query ScreenPop($customer: ID!) { activeServices(customerId: $customer) { ${listed} } }`,
    { customer: '{{reader}}' },
    screenPopMark,
  ),
  read: ({ body }) => elements(member(body, 'data', 'activeServices')).map(readListed),
};

function readAssociated(service: unknown, association: unknown): object {
  return {
    ...readFields(service),
    version: member(service, 'version'),
    customerId: member(service, 'customerId'),
    resourceId: member(service, 'started', 'resourceId'),
    fromCustomerId: member(association, 'fromCustomerId'),
    toCustomerId: member(association, 'toCustomerId'),
  };
}

function readListed(service: unknown): object {
  return { ...readFields(service), extensions: readByName(member(service, 'extensions'), 'schemaName') };
}

function readFields(service: unknown): object {
  return {
    id: member(service, 'id'),
    serviceType: member(service, 'serviceType'),
    startedAt: member(service, 'started', 'timestamp'),
    interactionId: member(service, 'started', 'interactionId'),
    mediaType: member(service, 'started', 'mediaType'),
  };
}

/** Extensions in whichever order they were answered. */
export function readByName(extensions: unknown, nameMember: string): object {
  return Object.fromEntries(
    elements(extensions).map((extension) => [member(extension, nameMember), member(extension, 'value')]),
  );
}
