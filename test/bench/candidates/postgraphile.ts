import { elements, graphqlExchange, member, numeric } from '../exchange.js';
import { script } from '../processes.js';
import { feedback, mediaType, satisfaction } from '../works/associate.js';
import { screenPopMark } from '../works/screen-pop.js';
import type { Candidate } from './candidate.js';
import { associateMark, readByName } from './graphql-fronts.js';

/** PostGraphile 5 needs Node 22: where this one is older, the one that comes with the peers. */
const node =
  Number(process.versions.node.split('.')[0]) >= 22
    ? process.execPath
    : 'test/bench/node_modules/node/bin/node';

const associate = graphqlExchange(
  `mutation Associate($input: AssociateServiceInput!) {
    associateService(input: $input) {
      result {
        rowId version customerId prevCustomerId serviceType startedAt interactionId mediaType resourceId
      }
    }
  }`,
  {
    input: {
      serviceId: '{{service}}',
      customerId: '{{customer}}',
      interactionId: '{{interaction}}',
      mediaType,
      resourceId: numeric('resource'),
      extensions: { Feedback: feedback, Satisfaction: satisfaction },
    },
  },
  associateMark,
);

const screenPop = graphqlExchange(
  `query ScreenPop($customer: String!) {
    allServices(
      condition: { tenant: "default", customerId: $customer, completedAt: null }
      orderBy: [STARTED_AT_ASC, PRIMARY_KEY_ASC]
    ) {
      nodes {
        rowId serviceType startedAt interactionId mediaType
        extensionsByTenantAndServiceId { nodes { name value } }
      }
    }
  }`,
  { customer: '{{reader}}' },
  screenPopMark,
);

export const postgraphile: Candidate = {
  title: 'PostGraphile 5',
  command: (databaseUrl) => ({
    ...script('peers/postgraphile.ts', [], node),
    environment: { DATABASE_URL: databaseUrl, GRAPHILE_ENV: 'production' },
  }),
  sql: 'postgraphile.sql',
  associate: {
    exchange: associate,
    read: ({ body }) => {
      const service = member(body, 'data', 'associateService', 'result');
      return {
        ...readFields(service),
        version: member(service, 'version'),
        customerId: member(service, 'customerId'),
        resourceId: Number(member(service, 'resourceId')),
        fromCustomerId: member(service, 'prevCustomerId'),
        toCustomerId: member(service, 'customerId'),
      };
    },
  },
  screenPop: {
    exchange: screenPop,
    read: ({ body }) =>
      elements(member(body, 'data', 'allServices', 'nodes')).map((service) => ({
        ...readFields(service),
        extensions: readByName(member(service, 'extensionsByTenantAndServiceId', 'nodes'), 'name'),
      })),
  },
};

function readFields(service: unknown): object {
  return {
    id: member(service, 'rowId'),
    serviceType: member(service, 'serviceType'),
    startedAt: new Date(String(member(service, 'startedAt'))).toISOString(),
    interactionId: member(service, 'interactionId'),
    mediaType: member(service, 'mediaType'),
  };
}
