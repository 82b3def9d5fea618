import { elements, type Front, jsonTemplate, member, numeric } from '../exchange.js';
import type { ServerCommand } from '../processes.js';
import { feedback, mediaType, satisfaction } from '../works/associate.js';
import { screenPopMark } from '../works/screen-pop.js';
import type { Candidate } from './candidate.js';
import { associateFront, pagedScreenPop } from './graphql-fronts.js';

/** As the README runs it. */
export function gatewayCommand(databaseUrl: string): ServerCommand {
  const environment = { DATABASE_URL: databaseUrl, PORT: '0', LOG_LEVEL: 'warn' };
  return { file: process.execPath, args: ['dist/main.js'], environment };
}

/** What the REST front takes, and peers that speak it. */
export const restAssociate: Front = {
  exchange: {
    method: 'POST',
    path: '/customers/{{customer}}/services/{{service}}',
    headers: { 'content-type': 'application/json', prefer: 'return=representation' },
    body: jsonTemplate({
      interaction_id: '{{interaction}}',
      media_type: mediaType,
      resource_id: numeric('resource'),
      Feedback: feedback,
      Satisfaction: satisfaction,
    }),
    mark: { text: '"customer_id":"customer-', times: 1 },
  },
  read: ({ headers, body }) => ({
    ...readRestService(body),
    version: Number(headers.get('etag')?.replaceAll('"', '')),
    customerId: member(body, 'customer_id'),
    resourceId: member(body, 'started', 'resource_id'),
  }),
};

export const restScreenPop: Front = {
  exchange: {
    method: 'GET',
    path: '/customers/{{reader}}/services/active?extensions=*',
    headers: {},
    body: '',
    mark: screenPopMark,
  },
  read: ({ body }) =>
    elements(body).map((service) => ({
      ...readRestService(service),
      extensions: {
        Feedback: member(service, 'Feedback'),
        Satisfaction: member(service, 'Satisfaction'),
      },
    })),
};

function readRestService(service: unknown): object {
  return {
    id: String(member(service, 'service_id')),
    serviceType: member(service, 'service_type'),
    startedAt: member(service, 'started', 'timestamp'),
    interactionId: member(service, 'started', 'interaction_id'),
    mediaType: member(service, 'started', 'media_type'),
  };
}

export const gatewayRest: Candidate = {
  title: 'gateway, REST',
  command: gatewayCommand,
  associate: restAssociate,
  screenPop: restScreenPop,
};

export const gatewayGraphql: Candidate = {
  title: 'gateway, GraphQL',
  command: gatewayCommand,
  associate: associateFront('union'),
  screenPop: pagedScreenPop,
};
