import type { AddressInfo } from 'node:net';
import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../harness.js';

/** What the audits of GraphQL over HTTP say of a gateway that listens, and which of them are not content. */
async function audit({
  server,
}: TestApp): Promise<{ count: number; failed: [status: string, name: string][] }> {
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const audits = serverAudits({ url: `http://127.0.0.1:${port}/graphql` });
  const results = await Promise.all(audits.map(({ fn }) => fn()));
  const failed = results.filter(({ status }) => status !== 'ok');
  return { count: results.length, failed: failed.map(({ status, name }) => [status, name]) };
}

test('in development all 61 audits of GraphQL over HTTP are content', async () => {
  await using app = await createTestApp();

  expect(await audit(app)).toEqual({ count: 61, failed: [] });
});

test('in production 58 are, and three that are optional notice that there is no GET', async () => {
  await using app = await createTestApp({ settings: { PROFILE: 'production' } });

  const { count, failed } = await audit(app);

  expect(count).toBe(61);
  expect(failed).toEqual([
    ['notice', expect.stringMatching(/^MAY .*GET/)],
    ['notice', expect.stringMatching(/^MAY .*GET/)],
    ['notice', expect.stringMatching(/^MAY .*GET/)],
  ]);
});
