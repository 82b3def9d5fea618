import { leastRoleOf } from '../../domain/roles.js';
import type { Dialect } from '../call.js';
import { bareDialect, base85, dialects, legacyApi, type Row, rowsOf } from '../routes.js';
import { Components, type Json } from './components.js';
import { type Described, tags } from './operation.js';
import { besideTable, describedAs } from './operations.js';
import * as parameters from './parameters.js';
import { ofBodies, ofEveryCall, type Response, refusal } from './responses.js';

/** As JSON; what is made of it reads it as any other document. */
export type OpenApi = Json & { paths: Record<string, Record<string, Json>> };

const about = `The Context Services API of both generations: under the bare paths that of 8.0 and 8.1, under \`${base85}\` that of 8.5.

| | bare paths | \`${base85}\` |
| --- | --- | --- |
| extensions | need a schema | any other key is attached data |
| \`service_type\`, \`state_type\`, \`task_type\` of starts | required | optional |
| the update of an extension answers | 204 | 200 |
| records by their \`unique\` attributes | yes | no |
| merge, expiry, deletion, composite starts, purge, export | no | yes |

What takes GET takes HEAD. Another method is answered 405 with \`Allow\`, an unknown path 404. Query parameters that are not
known are ignored. In bodies, absent leaves a field as it is and null clears it. No text may hold U+0000 or a lone surrogate, no number may be more than a double
holds exactly, and no key may be given twice. Where the gateway has a \`RATE_LIMIT\`, every answer has \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\`.`;

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, or a token of the login that the gateway trusts.',
  },
  basic: { type: 'http', scheme: 'basic', description: 'Any user name; the password is an API key.' },
};

/**
 * The REST API as OpenAPI 3.1 has it.
 * @param version of the package
 * @throws Error for a route without a description
 */
export function openApiDocument(version: string, rows: readonly Row[] = legacyApi): OpenApi {
  const components = new Components();
  const paths: OpenApi['paths'] = {};
  for (const { method, path, operation } of operationsOf(rows, components)) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
  }
  // Of no operation, but answered where there is none of the method.
  components.response(refusal(405));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Context gateway',
      version,
      description: about,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The gateway that this document is from.' }],
    // The last one: as long as a gateway has no credentials at all.
    security: [{ bearer: [] }, { basic: [] }, {}],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: { ...components.all(), securitySchemes },
  };
}

type Place = { method: string; path: string };

function operationsOf(rows: readonly Row[], components: Components): (Place & { operation: Json })[] {
  const ofTable = dialects.flatMap((dialect) =>
    rowsOf(dialect, rows).map(([method, path, name]) => {
      const described = describedAs({ method, path }, dialect);
      const role = `Takes the role \`${leastRoleOf(name)}\`.`;
      const description = described.description ? `${described.description} ${role}` : role;
      return { dialect, method, path, described: { ...described, description } };
    }),
  );
  const beside = Object.entries(besideTable).map(([key, describe]) => {
    const [method = '', path = ''] = key.split(' ');
    return { dialect: bareDialect, method, path, described: describe(bareDialect) };
  });
  return [...ofTable, ...beside].map(({ dialect: { basePath }, method, path, described }) => ({
    method,
    path: basePath + path.replace(/:(\w+)/g, '{$1}'),
    operation: operationOf({ method, path, basePath }, described, components),
  }));
}

function operationOf(
  { method, path, basePath }: Place & Pick<Dialect, 'basePath'>,
  described: Described,
  components: Components,
): Json {
  const { id, tag, summary, description, body, isOpen } = described;
  const taken = [
    ...parameters.pathParameters(path),
    ...(described.parameters ?? []),
    ...(isOpen ? [] : parameters.ofEveryCall),
  ];
  return {
    operationId: basePath === base85 ? `${id}85` : id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    ...(isOpen ? { security: [] } : {}),
    parameters: taken.map((parameter) => components.parameter(parameter)),
    ...(body ? { requestBody: components.body(body) } : {}),
    responses: Object.fromEntries(
      Object.entries(responsesOf(method, described)).map(([status, response]) => [
        status,
        components.response(response),
      ]),
    ),
  };
}

/** By the status, in its order. */
function responsesOf(
  method: string,
  { answers, refusals = [], isOpen }: Described,
): Record<number, Response> {
  const usual = ofEveryCall.filter((status) => !(isOpen && status === 401));
  const ofBody = method === 'GET' ? [] : ofBodies;
  const refused = [...usual, ...ofBody, ...refusals].map((status) => [status, refusal(status)] as const);
  return { ...Object.fromEntries(refused), ...answers };
}
