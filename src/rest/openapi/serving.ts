import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Page, sendPage } from '../../page.js';
import { answerError } from '../problem.js';
import { takeAlone } from '../routes.js';
import { openApiDocument } from './document.js';
import { renderPage } from './page.js';

/** As there is to read of the GraphQL API. */
export type DocumentOptions = {
  /** Whether the document can be asked for. */
  hasIntrospection: boolean;
  /** Whether browsers get a page to read it and to try calls. */
  hasGraphiql: boolean;
};

/** Serves what there is to read of the REST API, to everybody; what is off is a path that there is not. */
export function registerDocument(
  server: FastifyInstance,
  version: string,
  { hasIntrospection, hasGraphiql }: DocumentOptions,
): void {
  server.register(async (scope) => {
    scope.setErrorHandler(answerError);
    if (hasIntrospection) registerAt(scope, '/openapi.json', documentSender(version));
    if (hasGraphiql) registerAt(scope, '/docs', answerPage);
  });
}

type Send = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

function registerAt(scope: FastifyInstance, url: string, send: Send): void {
  scope.get(url, send);
  takeAlone(scope, url, ['GET', 'HEAD']);
}

/** The document is made when it is first asked for. */
function documentSender(version: string): Send {
  let document: { text: string; etag: string } | undefined;
  return ({ headers }, reply) => {
    document ??= tagged(JSON.stringify(openApiDocument(version)));
    const { text, etag } = document;
    reply.headers({ etag, 'cache-control': 'no-cache' });
    if (headers['if-none-match']?.includes(etag)) return reply.code(304).send();
    return reply.type('application/json').send(text);
  };
}

function tagged(text: string): { text: string; etag: string } {
  return { text, etag: `"${createHash('sha256').update(text).digest('base64')}"` };
}

/** Made when first asked for, by whichever gateway of the process. */
let page: Promise<Page> | undefined;

async function answerPage(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  page ??= renderPage();
  return sendPage(await page, request, reply);
}
