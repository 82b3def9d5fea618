import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { project } from '../process.js';

// CI's look at known vulnerabilities, with a registry that knows one, of a severity given by the path.

let registry: Server;
/** npm keeps what it heard of an advisory, and shall not for whoever works here. */
let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'context-gateway-npm-'));
  registry = createServer(({ url = '' }, response) => {
    const [, severity = '', path] = /^\/(\w+)\/(.*)$/.exec(url) ?? [];
    if (severity === 'none') return response.writeHead(405).end();
    const advisory = {
      id: 1,
      url: 'https://example.com/1',
      title: 'Planted',
      severity,
      vulnerable_versions: '*',
    };
    const isAudit = path === '-/npm/v1/security/advisories/bulk';
    const answer = isAudit ? { fastify: [advisory] } : { name: 'fastify', versions: {} };
    return response.end(JSON.stringify(answer));
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
});
afterAll(async () => {
  registry.close();
  await rm(cache, { recursive: true, force: true });
});

async function audit(
  path: string,
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string }> {
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/${path}/`;
  const npm = {
    npm_config_registry: url,
    npm_config_cache: join(cache, path),
    npm_config_fetch_retries: '0',
  };
  const env = { ...process.env, ...npm, ...environment };
  return promisify(execFile)('.ci/audit', { cwd: project, env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }) => ({ code, stdout }),
  );
}

test.concurrent('what is severe fails, and is named', async () => {
  const { code, stdout } = await audit('high');

  expect(code).toBe(1);
  expect(stdout).toMatch(/^audited \d+ packages: /);
  expect(stdout).toMatch(/^high: fastify .*Planted https:\/\/example.com\/1/m);
});

test.concurrent('what is not severe passes', async () => {
  const { code, stdout } = await audit('moderate');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^audited \d+ packages: [1-9]\d* vulnerable, 0 of them severely/);
});

test.concurrent('a registry without audits is told, and fails where one is required', async () => {
  const [told, required] = await Promise.all([audit('none'), audit('none', { AUDIT: 'required' })]);

  expect([told.code, required.code]).toEqual([0, 1]);
  expect(told.stdout).toMatch(/^NOT AUDITED: 405/);
});
