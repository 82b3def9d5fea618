import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuthConfig } from '../../src/auth/authenticator.js';
import { readPublicKey } from '../../src/auth/jwt.js';
import { createTestApp, type TestApp } from '../harness.js';
import {
  audience,
  bearer,
  createIssuer,
  forgeToken,
  type Issuer,
  issuer,
  issueToken,
  makeTenants,
} from './makers.js';

const claims = { tenant: 'default', roles: ['writer'] };

let app: TestApp;
let login: Issuer;

beforeAll(async () => {
  login = createIssuer();
  app = await createTestApp({ auth: login.auth });
  await makeTenants(app, 'a', 'b');
});
afterAll(() => app[Symbol.asyncDispose]());

async function ask(token: string, headers: Record<string, string> = {}, at = app): Promise<number> {
  return (await at.rest('GET', '/services/404', { headers: { ...bearer(token), ...headers } })).status;
}

test('a token that holds lets in, and history tells whose it is', async () => {
  const token = await login.issue({ ...claims, sub: 'agent 7' });
  const body = { customer_id: 'c', service_type: 1 };

  const { status } = await app.rest('POST', '/services/start', { body, headers: bearer(token) });

  expect(status).toBe(201);
  expect(await app.sql('select principal from association')).toEqual([{ principal: 'jwt:agent 7' }]);
});

test('with tokens configured nothing is allowed without credentials', async () => {
  expect((await app.rest('GET', '/services/404')).status).toBe(401);
});

test('a token does not hold when it is expired, of another issuer, for somebody else or signed by another key', async () => {
  expect(await ask(await login.issue(claims))).toBe(404);
  expect(await ask(await login.issue(claims, { expiresInSeconds: -10 }))).toBe(401);
  expect(await ask(await login.issue(claims, { iss: 'https://evil.example.com' }))).toBe(401);
  expect(await ask(await login.issue(claims, { aud: 'another' }))).toBe(401);
  expect(await ask(await login.issue(claims, { privateKey: createIssuer().privateKey }))).toBe(401);
});

test('a token without exp, without sub or with one that cannot be kept does not hold', async () => {
  const { issue } = login;

  expect(await ask(await issue({ ...claims, sub: undefined }))).toBe(401);
  expect(await ask(await issue({ ...claims, sub: 'x'.repeat(124) }))).toBe(404);
  for (const sub of ['', 'x'.repeat(125), 'nul \u0000', 7])
    expect(await ask(await issue({ ...claims, sub }))).toBe(401);
  const token = await issue(claims);
  const [header, , signature] = token.split('.');
  expect(await ask(`${header}.${Buffer.from('{}').toString('base64url')}.${signature}`)).toBe(401);
});

test('a token that is not signed, or signed with the public key as if it were a secret, does not hold', async () => {
  for (const alg of ['none', 'None', 'NONE', '']) {
    expect(await ask(forgeToken({ alg }, claims, null)), alg).toBe(401);
  }
  for (const alg of ['HS256', 'ES256', 'RS256']) {
    expect(await ask(forgeToken({ alg }, claims, login.publicPem)), alg).toBe(401);
  }
});

test('keys of RSA and Ed25519 are taken, each with its own algorithms alone', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const edwards = generateKeyPairSync('ed25519');
  await using withRsa = await createTestApp({ auth: withPublicKey(rsa.publicKey), database: app });
  await using withEdwards = await createTestApp({ auth: withPublicKey(edwards.publicKey), database: app });

  expect(await ask(await issueToken(rsa.privateKey, 'RS256', claims), {}, withRsa)).toBe(404);
  expect(await ask(await issueToken(rsa.privateKey, 'PS512', claims), {}, withRsa)).toBe(404);
  expect(await ask(await issueToken(edwards.privateKey, 'EdDSA', claims), {}, withEdwards)).toBe(404);
  expect(await ask(await issueToken(rsa.privateKey, 'RS256', claims), {}, withEdwards)).toBe(401);
  expect(await ask(await login.issue(claims), {}, withRsa)).toBe(401);
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  expect(await ask(forgeToken({ alg: 'HS256' }, claims, pem), {}, withRsa)).toBe(401);
});

test('with a secret HS256 is taken and nothing else', async () => {
  const secret = 'a secret of more than thirty-two bytes';
  const key = { kind: 'secret', key: Buffer.from(secret) } as const;
  await using own = await createTestApp({ auth: withKey(key), database: app });

  expect(await ask(forgeToken({ alg: 'HS256' }, claims, secret), {}, own)).toBe(404);
  expect(await ask(forgeToken({ alg: 'HS256' }, claims, `${secret}.`), {}, own)).toBe(401);
  expect(await ask(forgeToken({ alg: 'HS512' }, claims, secret), {}, own)).toBe(401);
  expect(await ask(forgeToken({ alg: 'none' }, claims, null), {}, own)).toBe(401);
  expect(await ask(await login.issue(claims), {}, own)).toBe(401);
});

test('the greatest role that is known counts; without one, or without a tenant, it answers 403', async () => {
  const body = { name: 'Greatest', type: 'single-valued', attributes: [{ name: 'a', type: 'string' }] };
  const create = async (roles: unknown) => {
    const headers = bearer(await login.issue({ ...claims, roles }));
    return (await app.rest('POST', '/metadata/tasks/extensions', { body, headers })).status;
  };

  expect(await create(['reader', 'writer', 'admin'])).toBe(403);
  expect(await create('reader schema-admin openid')).toBe(201);
  for (const roles of [undefined, [], ['OPERATOR'], { operator: true }, 7, [['operator']]]) {
    expect(await ask(await login.issue({ ...claims, roles }))).toBe(403);
  }
  for (const tenant of [undefined, [], '', 7]) {
    expect(await ask(await login.issue({ ...claims, tenant }))).toBe(403);
  }
});

test('a token for several tenants needs ContactCenterId, one for an unknown tenant lets into none', async () => {
  const two = await login.issue({ ...claims, tenant: ['a', 'b'] });

  expect(await ask(two)).toBe(400);
  expect(await ask(two, { contactcenterid: 'b' })).toBe(404);
  expect(await ask(two, { contactcenterid: 'default' })).toBe(400);
  for (const tenant of ['nowhere', '*', 'all', "a' or 1=1", '__proto__']) {
    expect(await ask(await login.issue({ ...claims, tenant })), tenant).toBe(400);
    expect(await ask(await login.issue({ ...claims, tenant }), { contactcenterid: 'a' }), tenant).toBe(400);
  }
});

test('the claims may be called otherwise, also by a path', async () => {
  const named = createIssuer({ tenantClaim: 'https://example.com/centre', rolesClaim: 'realm_access.roles' });
  await using own = await createTestApp({ auth: named.auth, database: app });
  const tenant = { 'https://example.com/centre': 'a' };
  const roles = { realm_access: { roles: ['reader'] } };

  expect(await ask(await named.issue({ ...tenant, ...roles }), {}, own)).toBe(404);
  expect(await ask(await named.issue({ ...tenant, 'realm_access.roles': 'reader' }), {}, own)).toBe(404);
  expect(await ask(await named.issue({ ...claims }), {}, own)).toBe(403);
});

test('the keys of a URL are fetched once, by their ids; while they cannot be had it answers 503', async () => {
  await using keys = await serveKeys({ first: login, second: createIssuer() });
  await using own = await createTestApp({ auth: withKey({ kind: 'url', url: keys.url }), database: app });
  await using down = await createTestApp({ auth: withKey({ kind: 'url', url: keys.url }), database: app });

  for (const kid of ['first', 'first', 'second']) {
    expect(await ask((await keys.issuers[kid]?.issue(claims, { kid })) ?? '', {}, own), kid).toBe(404);
  }
  expect(await ask(await login.issue(claims, { kid: 'second' }), {}, own)).toBe(401);
  expect(await ask(await login.issue(claims, { kid: 'third' }), {}, own)).toBe(401);
  expect(await ask(forgeToken({ alg: 'HS256', kid: 'first' }, claims, login.publicPem), {}, own)).toBe(401);
  expect(keys.requests()).toBe(1);
  await keys[Symbol.asyncDispose]();
  expect(await ask(await login.issue(claims, { kid: 'first' }), {}, own)).toBe(404);
  expect(await ask(await login.issue(claims, { kid: 'first' }), {}, down)).toBe(503);
});

function withKey(key: NonNullable<AuthConfig['jwt']>['key']): Partial<AuthConfig> {
  return { jwt: { key, issuer, audience, tenantClaim: 'tenant', rolesClaim: 'roles' } };
}

function withPublicKey(publicKey: KeyObject): Partial<AuthConfig> {
  const key = readPublicKey(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  if (!key) throw new Error('the key is none that is taken');
  return withKey(key);
}

/** An issuer's key set at an address of this machine. */
async function serveKeys(issuers: Readonly<Record<string, Issuer>>) {
  let requests = 0;
  const keys = Object.entries(issuers).map(([kid, { publicPem }]) => ({
    ...jwkOf(publicPem),
    kid,
    alg: 'ES256',
  }));
  const server = createServer((_, response) => {
    requests++;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/jwks.json`),
    issuers,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function jwkOf(pem: string): object {
  const key = readPublicKey(pem);
  if (key?.kind !== 'public') throw new Error('the key is none that is taken');
  return key.key.export({ format: 'jwk' });
}
