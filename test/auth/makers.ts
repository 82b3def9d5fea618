import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { AuthConfig } from '../../src/auth/authenticator.js';
import { readPublicKey } from '../../src/auth/jwt.js';
import { createApiKey, type NewApiKey } from '../../src/domain/api-keys.js';
import { createTenant } from '../../src/domain/tenants.js';
import type { TestApp } from '../harness.js';

type Admitted = Pick<TestApp, 'gateway'>;

/** Makes a key and answers it, with its id. */
export async function makeKey(
  { gateway }: Admitted,
  { role = 'OPERATOR', tenants = ['default'], name = 'test' }: Partial<NewApiKey> = {},
): Promise<{ key: string; id: string }> {
  const made = await createApiKey(gateway.database.admin, { role, tenants, name }, gateway.clock());
  return { key: made.key, id: made.apiKey.id };
}

export async function makeTenants({ gateway }: Admitted, ...ids: string[]): Promise<void> {
  for (const id of ids) await createTenant(gateway.database.admin, id, gateway.clock());
}

export function bearer(credentials: string): Record<string, string> {
  return { authorization: `Bearer ${credentials}` };
}

export function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

export const issuer = 'https://login.example.com';
export const audience = 'gateway';

/** Signs tokens, and the settings of a gateway that takes them. */
export type Issuer = {
  auth: Partial<AuthConfig>;
  publicPem: string;
  privateKey: KeyObject;
  issue(claims: Record<string, unknown>, options?: IssueOptions): Promise<string>;
};

export type IssueOptions = {
  iss?: string;
  aud?: string;
  expiresInSeconds?: number;
  kid?: string;
  privateKey?: KeyObject;
};

export function createIssuer(claimNames: { tenantClaim?: string; rolesClaim?: string } = {}): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = readPublicKey(publicPem);
  if (!key) throw new Error('the key is none that is taken');
  return {
    auth: { jwt: { key, issuer, audience, tenantClaim: 'tenant', rolesClaim: 'roles', ...claimNames } },
    publicPem,
    privateKey,
    issue: (claims, options) => issueToken(privateKey, 'ES256', claims, options),
  };
}

export function issueToken(
  key: KeyObject,
  alg: string,
  claims: Record<string, unknown>,
  { iss = issuer, aud = audience, expiresInSeconds = 3_600, kid, privateKey }: IssueOptions = {},
): Promise<string> {
  return new SignJWT({ sub: 'anna', ...claims })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .setIssuer(iss)
    .setAudience(aud)
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
    .sign(privateKey ?? key);
}

/** A token as nobody who means well signs one. */
export function forgeToken(header: object, claims: object, secret: string | null): string {
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  const payload = { iss: issuer, aud: audience, sub: 'eve', exp, ...claims };
  const signed = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = secret === null ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

/** Of every row of one tenant, in every table. */
export async function hashOfTenant(app: TestApp, tenant: string): Promise<string> {
  const tables = await app.sql<{ name: string }>(
    "select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'tenant' order by 1",
  );
  const hashes = tables.map(
    ({ name }) =>
      `select '${name}:' || count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) as hash
       from "${name}" t where tenant = $1`,
  );
  hashes.push('select registry_version::text from tenant where id = $1');
  const rows = await app.sql<{ hash: string }>(hashes.join(' union all '), [tenant]);
  return rows.map(({ hash }) => hash).join(' ');
}
