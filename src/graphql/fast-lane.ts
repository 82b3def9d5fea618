import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DocumentNode, type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql';
import { type FetchAPI, processRegularResult } from 'graphql-yoga';
import type { DocumentCache } from './document-cache.js';
import { presentResult } from './failures.js';
import { plainJsonTypeOf } from './media-types.js';
import type { GraphqlServer, ServerContext } from './yoga.js';

/** An operation of a document that was found valid before. */
export type KnownOperation = Omit<Params, 'query'> & { document: DocumentNode; mediaType: string };

type Params = {
  query: string;
  variables: Record<string, unknown> | null | undefined;
  operationName: string | null | undefined;
};

/**
 * What a request asks for that needs nothing of what Yoga does for HTTP, which costs more than all the rest.
 * Undefined for whatever may need it: a document that is not known, an answer that is no single piece of JSON.
 */
export function findKnownOperation(
  documents: DocumentCache,
  { method, url, headers, body }: FastifyRequest,
): KnownOperation | undefined {
  if (method !== 'POST' || url !== '/graphql' || !isPlain(body)) return undefined;
  const mediaType = plainJsonTypeOf(headers.accept);
  const document = documents.find(body.query);
  if (!mediaType || !document) return undefined;
  const operation = getOperationAST(document, body.operationName)?.operation;
  if (!operation || operation === OperationTypeNode.SUBSCRIPTION) return undefined;
  return { document, variables: body.variables, operationName: body.operationName, mediaType };
}

/**
 * Executes it as Yoga would, and answers what Yoga would. All plugins' hooks on contexts and execution
 * have their say; those on requests, parameters and results are not asked, and the context has no `request`.
 */
export async function answerKnownOperation(
  yoga: GraphqlServer['yoga'],
  { document, variables, operationName, mediaType }: KnownOperation,
  context: ServerContext,
  reply: FastifyReply,
): Promise<string> {
  const { schema, contextFactory, execute } = yoga.getEnveloped(context);
  const contextValue = await contextFactory();
  const result = await execute({
    schema,
    document,
    contextValue,
    variableValues: variables,
    operationName,
  });
  const { status, headers, text } = toResponse(presentResult(result, context), mediaType);
  reply.code(status).headers(headers);
  return text;
}

const types: Readonly<Record<string, string>> = {
  query: 'string',
  variables: 'object',
  operationName: 'string',
};

/** Without any further member, like `extensions`. */
function isPlain(body: unknown): body is Params {
  if (typeof body !== 'object' || body === null || !('query' in body) || body.query === null) return false;
  return Object.entries(body).every(
    ([name, value]) => value === null || (typeof value === types[name] && !Array.isArray(value)),
  );
}

/** All of a response that Yoga's way from a result to an answer makes use of. */
class PlainResponse {
  readonly text: string;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(text: string, { status, headers }: Pick<PlainResponse, 'status' | 'headers'>) {
    this.text = text;
    this.status = status;
    this.headers = headers;
  }
}

function toResponse(result: ExecutionResult, mediaType: string): PlainResponse {
  // It takes nothing else of it, and answers what that makes.
  const fetchAPI = { Response: PlainResponse } as unknown as FetchAPI;
  return processRegularResult(result, fetchAPI, mediaType) as unknown as PlainResponse;
}
