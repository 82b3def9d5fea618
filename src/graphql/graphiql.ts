import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Page, sealPage, sendPage } from '../page.js';
import { tabs } from './graphiql-tabs.js';

/** Answers GraphiQL as one page that loads nothing else, or that the browser's copy is still right. */
export async function sendGraphiql(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  page ??= renderPage();
  return sendPage(await page, request, reply.header('vary', 'Accept'));
}

/** Made when first asked for: it takes a while. */
let page: Promise<Page> | undefined;

async function renderPage(): Promise<Page> {
  // Only now: it keeps 38 MB of memory.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    title: 'Context gateway',
    endpoint: '/graphql',
    favicon: `data:image/svg+xml,${encodeURIComponent(logo)}`,
    logo,
    defaultTabs: tabs.map((query) => ({ query })),
  });
  // The editor's workers are made from blobs, and it sets styles as it goes.
  return sealPage(html, { 'worker-src': 'blob:', 'style-src': "'unsafe-inline'", 'font-src': 'data:' });
}

/** Two speech bubbles, one of them filled. */
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24"><path fill="#3b82f6" d="M2 3h13v9H8l-4 4v-4H2z"/><path fill="none" stroke="#3b82f6" stroke-width="1.5" d="M17.5 8.5H22v8h-2v3.5l-3.5-3.5H10v-2"/></svg>`;
