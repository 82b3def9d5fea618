import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';
import { bootGateway, type Gateway } from '../process.js';
import { defineExtensions, start } from '../rest/calls.js';
import { openBrowser, visit } from './browser.js';

let app: TestApp;
let gateway: Gateway;
let browser: Browser;
let id: string;

beforeAll(async () => {
  app = await createTestApp();
  await defineExtensions(app);
  gateway = await bootGateway({ environment: { DATABASE_URL: app.connectionString } });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.interrupt();
  await app[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = await start(app, { contact_key: 'caller' });
});

test('GraphiQL runs a mutation that is typed there, without any other host', async () => {
  await using graphiql = await visit(browser, `${gateway.url}/graphql`);
  const { page } = graphiql;
  // In one line: the editor closes what a line opens.
  const mutation = `mutation Typed { associateService(input: { serviceId: "${id}", customerId: "typed" }) { ... on AssociateServicePayload { service { id customerId version } } ... on Error { code message } } }`;

  const line = page.locator('.graphiql-query-editor .view-line');
  await line.filter({ hasText: 'AssociateService' }).first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(mutation);
  // Until the tab says so, it would run what was there before.
  await page.locator('.graphiql-tab-active', { hasText: 'Typed' }).waitFor();
  await page.locator('.graphiql-execute-button').click();
  await page.locator('.result-window .view-line', { hasText: 'associateService' }).waitFor();
  await graphiql.show('graphiql');

  expect(await customerOf(id)).toBe('typed');
  expect([graphiql.foreign, graphiql.complaints]).toEqual([[], []]);
});

test('the page of the REST API sends a call that is filled in there, without any other host', async () => {
  await using docs = await visit(browser, `${gateway.url}/docs`);
  const { page } = docs;
  const operation = page.locator('#operations-Services-associateService');

  await page.locator('#operations-tag-Services').click();
  await operation.waitFor();
  await docs.show('docs');
  await operation.locator('.opblock-summary').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.locator('tr[data-param-name="customer_id"] input').fill('filled-in');
  await operation.locator('tr[data-param-name="service_id"] input').fill(id);
  await operation.locator('tr[data-param-name="Prefer"] input').fill('return=representation');
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.live-responses-table .response');
  await answer.waitFor();
  await answer.scrollIntoViewIfNeeded();
  await docs.show('docs-call');

  expect(await answer.locator('.response-col_status').innerText()).toContain('200');
  expect(await customerOf(id)).toBe('filled-in');
  expect([docs.foreign, docs.complaints]).toEqual([[], []]);
});

async function customerOf(service: string): Promise<unknown> {
  return (await app.rest('GET', `/services/${service}`)).json.customer_id;
}
