import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { insertDemoData } from '../../src/domain/demo-data.js';
import { tabs } from '../../src/graphql/graphiql-tabs.js';
import { schema } from '../../src/graphql/schema.js';
import { createTestApp, type TestApp } from '../harness.js';

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8';

function openPage(app: TestApp, headers: Record<string, string> = {}, url = '/graphql') {
  return app.server.inject({ method: 'GET', url, headers: { accept: browser, ...headers } });
}

test('a browser gets GraphiQL, compressed, and once only', async () => {
  await using app = await createTestApp();

  const first = await openPage(app);
  const again = await openPage(app, { 'if-none-match': String(first.headers['etag']) });
  const outdated = await openPage(app, { 'if-none-match': '"another"' });

  expect(first.statusCode).toBe(200);
  expect(first.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-encoding': 'gzip',
    'cache-control': 'no-cache',
  });
  expect(gunzipSync(first.rawPayload).toString()).toContain('<title>Context gateway</title>');
  expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0]);
  expect(again.headers['etag']).toBe(first.headers['etag']);
  expect(outdated.statusCode).toBe(200);
});

test('a page with a query in its address is GraphiQL too, so that it can be reloaded', async () => {
  await using app = await createTestApp();

  const { headers } = await openPage(app, {}, '/graphql?query=mutation{x}');

  expect(headers['content-type']).toBe('text/html; charset=utf-8');
});

test.each([
  '*/*',
  'application/json',
  'application/json, text/html;q=0.9',
  'application/graphql-response+json',
])('a client that accepts %s gets an answer, not a page', async (accept) => {
  await using app = await createTestApp();

  const { headers } = await openPage(app, { accept }, '/graphql?query={__typename}');

  expect(headers['content-type']).toMatch(/json/);
});

test('the page runs what it carries, and loads nothing', async () => {
  await using app = await createTestApp();

  const { headers, rawPayload } = await openPage(app);

  const page = gunzipSync(rawPayload).toString();
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) => script ?? '');
  expect(scripts).toHaveLength(1);
  const hash = createHash('sha256')
    .update(scripts[0] ?? '')
    .digest('base64');
  const policy = String(headers['content-security-policy']).split('; ');
  expect(policy).toEqual([
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    'worker-src blob:',
    'font-src data:',
  ]);
  const markup = page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '');
  const sources = [...markup.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, source]) => source?.slice(0, 5));
  expect(sources).toEqual(['data:']);
  expect(page).not.toMatch(/@import|url\(\s*["']?(https?:)?\/\//);
});

test('every tab fits the schema', () => {
  const faults = tabs.flatMap((tab) => validate(schema, parse(tab)));

  expect(faults).toEqual([]);
});

test('every tab does something with the demo data', async () => {
  await using app = await createTestApp();
  await insertDemoData(app.gateway.database.forTenant('default'), new Date());

  for (const query of tabs) {
    const { json } = await app.rest('POST', '/graphql', { body: { query } });

    expect(json.errors).toBeUndefined();
    expect(JSON.stringify(json.data)).not.toMatch(/"nodes":\[\]|"service":null|"code":/);
  }
});
