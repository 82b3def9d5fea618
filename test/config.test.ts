import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ConfigError, type Environment, readConfig, settings } from '../src/config.js';

test('an empty environment gives the documented defaults', () => {
  const config = readConfig({});

  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    hasDemoData: true,
    corsOrigins: [],
    logLevel: 'info',
    graphql: { hasIntrospection: true, hasGraphiql: true, hasGet: true, hasSuggestions: true },
    timeouts: { requestSeconds: 60, statementSeconds: 30 },
    rateLimit: null,
  });
  expect(config.database).toEqual({ kind: 'embedded', directory: `${process.cwd()}/data` });
});

test('a variable that is set to nothing is as one that is absent', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '', DEMO_DATA: '' })).toEqual(readConfig({}));
});

test('every fault is listed at once, each with its variable, the rule and what was given', () => {
  const faults = faultsOf({
    PORT: '70000',
    LOG_LEVEL: 'loud',
    DEMO_DATA: 'yes',
    CORS_ORIGINS: 'example.com',
  });

  expect(faults).toEqual([
    'PORT must be an integer from 0 to 65535, is "70000"',
    'DEMO_DATA must be on or off, is "yes"',
    'CORS_ORIGINS must be origins like https://desk.example.com, comma separated, is "example.com"',
    'LOG_LEVEL must be fatal or error or warn or info or debug or trace or silent, is "loud"',
  ]);
});

test('in production nothing tells the schema unless that is said', () => {
  const closed = { hasIntrospection: false, hasGraphiql: false, hasGet: false, hasSuggestions: false };

  expect(readConfig({ PROFILE: 'production' }).graphql).toEqual(closed);
  expect(readConfig({ PROFILE: 'production', INTROSPECTION: 'on', GRAPHIQL: 'on' }).graphql).toEqual({
    ...closed,
    hasIntrospection: true,
    hasGraphiql: true,
  });
  expect(readConfig({ INTROSPECTION: 'off', GRAPHIQL: 'off' }).graphql).toEqual({
    hasIntrospection: false,
    hasGraphiql: false,
    hasGet: true,
    hasSuggestions: true,
  });
});

test('a rate is a number for each second, minute or hour', () => {
  expect(readConfig({ RATE_LIMIT: '100/s' }).rateLimit).toEqual({ calls: 100, windowSeconds: 1 });
  expect(readConfig({ RATE_LIMIT: '6000/m' }).rateLimit).toEqual({ calls: 6_000, windowSeconds: 60 });
  expect(readConfig({ RATE_LIMIT: '1/h' }).rateLimit).toEqual({ calls: 1, windowSeconds: 3_600 });
  for (const RATE_LIMIT of ['100', '0/s', '1.5/s', '-1/s', '100/d', '100/constructor']) {
    expect(faultsOf({ RATE_LIMIT })).toEqual([
      `RATE_LIMIT must be a number for each s, m or h, like 100/s, is "${RATE_LIMIT}"`,
    ]);
  }
});

test('webhooks go to internal hosts that are named, and are tried again after the given waits', () => {
  const given = { WEBHOOK_INTERNAL_HOSTS: 'CRM.internal, 10.20.0.0/16,::1', WEBHOOK_RETRIES: '1s, 2m' };

  expect(readConfig({ ...given, WEBHOOK_TIMEOUT: '1m' }).webhooks).toEqual({
    internalHosts: {
      names: ['crm.internal'],
      networks: [
        { address: '10.20.0.0', bits: 16 },
        { address: '::1', bits: 128 },
      ],
    },
    timeoutSeconds: 60,
    retrySeconds: [1, 120],
  });
  expect(readConfig({}).webhooks).toEqual({
    internalHosts: { names: [], networks: [] },
    timeoutSeconds: 15,
    retrySeconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
  });
  expect(faultsOf({ WEBHOOK_INTERNAL_HOSTS: '10.20', WEBHOOK_TIMEOUT: '2m', WEBHOOK_RETRIES: ',' })).toEqual([
    'WEBHOOK_INTERNAL_HOSTS must be host names, addresses and networks, like crm.internal,10.20.0.0/16, is "10.20"',
    'WEBHOOK_TIMEOUT must be at most 1m, is "2m"',
    'WEBHOOK_RETRIES must be 1 to 20 durations, like 5s,5m,2h, is ","',
  ]);
});

test('times that something may take are from a second to an hour', () => {
  const { timeouts } = readConfig({ REQUEST_TIMEOUT: '1h', STATEMENT_TIMEOUT: '1s' });

  expect(timeouts).toEqual({ requestSeconds: 3_600, statementSeconds: 1 });
  expect(faultsOf({ REQUEST_TIMEOUT: '61m', STATEMENT_TIMEOUT: '0s', PROFILE: 'test' })).toEqual([
    'PROFILE must be development or production, is "test"',
    'REQUEST_TIMEOUT must be at most 1h, is "61m"',
    expect.stringMatching(/^STATEMENT_TIMEOUT must be a number and one of s, m, .*, is "0s"$/),
  ]);
});

test('what is due is looked for at least once a day', () => {
  expect(readConfig({ SWEEP_INTERVAL: '1d' }).sweeping.intervalSeconds).toBe(86_400);
  expect(faultsOf({ SWEEP_INTERVAL: '25h' })).toEqual(['SWEEP_INTERVAL must be at most 1d, is "25h"']);
});

test('a statement is slow from milliseconds on, or from whatever time is said', () => {
  expect(readConfig({}).slowStatementMilliseconds).toBe(1_000);
  expect(readConfig({ SLOW_STATEMENT: '250ms' }).slowStatementMilliseconds).toBe(250);
  expect(readConfig({ SLOW_STATEMENT: '2m' }).slowStatementMilliseconds).toBe(120_000);
  for (const SLOW_STATEMENT of ['0ms', '250', '1.5s', 'off']) {
    expect(faultsOf({ SLOW_STATEMENT })).toEqual([
      `SLOW_STATEMENT must be a number and one of ms, s, m, h, d, w, M, y, like 250ms; from 1ms to 100y, is "${SLOW_STATEMENT}"`,
    ]);
  }
});

test('traces are made where it is said who takes them, and all that begin here unless said otherwise', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://localhost:4318';

  expect(readConfig({}).tracing).toBeNull();
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT }).tracing).toEqual({
    endpoint: OTEL_EXPORTER_OTLP_ENDPOINT,
    ratio: 1,
  });
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG: '0.05' }).tracing?.ratio).toBe(
    0.05,
  );
  expect(faultsOf({ OTEL_TRACES_SAMPLER_ARG: '1.1', METRICS: 'yes' })).toEqual([
    'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, like 0.1, is "1.1"',
    'METRICS must be on or open or off, is "yes"',
  ]);
  for (const url of ['collector:4318', 'ftp://collector', 'http://user:secret@collector']) {
    expect(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url })).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL of http or https without a password, is something else',
    ]);
  }
});

test.each([
  '0.0.0.0',
  '::',
  '192.0.2.1',
  'gateway.example.com',
])('listening on %s can be reached by others', (host) => {
  expect(readConfig({ HOST: host }).auth).toEqual({ isOff: false, isReachable: true, jwt: null });
  expect(readConfig({ HOST: host, AUTH: 'none' }).auth).toEqual({
    isOff: true,
    isReachable: true,
    jwt: null,
  });
});

test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is loopback', (host) => {
  expect(readConfig({ HOST: host }).auth.isReachable).toBe(false);
});

const issued = { JWT_ISSUER: 'https://login.example.com', JWT_AUDIENCE: 'gateway' };

test('tokens are checked with the keys of a URL, with a public key or with a secret', () => {
  const url = readConfig({ ...issued, JWT_JWKS_URL: 'https://login.example.com/jwks' }).auth.jwt;
  const pem = readConfig({ ...issued, JWT_PUBLIC_KEY: publicKeyOf('P-256').replaceAll('\n', '\\n') }).auth
    .jwt;
  const secret = readConfig({ ...issued, JWT_SECRET: 'x'.repeat(32), JWT_ROLES_CLAIM: 'groups' }).auth.jwt;

  expect(url).toEqual({
    key: { kind: 'url', url: new URL('https://login.example.com/jwks') },
    issuer: 'https://login.example.com',
    audience: 'gateway',
    tenantClaim: 'tenant',
    rolesClaim: 'roles',
  });
  expect(pem?.key).toMatchObject({ kind: 'public', algorithms: ['ES256'] });
  expect(secret).toMatchObject({ key: { kind: 'secret' }, rolesClaim: 'groups' });
});

test.each([
  ['http://login.example.com/jwks', 1],
  ['ftp://127.0.0.1/jwks', 1],
  ['jwks', 1],
  ['https://user:password@login.example.com/jwks', 1],
  ['http://127.0.0.1:8080/jwks', 0],
  ['http://[::1]:8080/jwks', 0],
])('keys from %s: %i fault', (url, count) => {
  expect(faultsOf({ ...issued, JWT_JWKS_URL: url })).toHaveLength(count);
});

test('a public key that is none, too weak or private is refused', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const { privateKey } = generateKeyPairSync('ed25519');
  const keys = [
    'x',
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    weak.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyOf('secp256k1'),
  ];

  for (const key of keys) {
    expect(faultsOf({ ...issued, JWT_PUBLIC_KEY: key })).toEqual([
      'JWT_PUBLIC_KEY must be a public key in PEM: RSA of 2048 bits or more, EC (P-256, P-384, P-521) or Ed25519, is something else',
    ]);
  }
});

test('half of the settings of tokens is a fault, and so is more than one key; no secret is shown', () => {
  expect(faultsOf({ JWT_SECRET: 'not 32 bytes' })).toEqual([
    'JWT_SECRET must have at least 32 bytes, is something else',
    'JWT_ISSUER must be set where JWT_SECRET is',
    'JWT_AUDIENCE must be set where JWT_SECRET is',
  ]);
  expect(faultsOf(issued)).toEqual([
    'JWT_ISSUER is set and none of JWT_JWKS_URL, JWT_PUBLIC_KEY, JWT_SECRET',
    'JWT_AUDIENCE is set and none of JWT_JWKS_URL, JWT_PUBLIC_KEY, JWT_SECRET',
  ]);
  expect(
    faultsOf({ ...issued, JWT_SECRET: 'x'.repeat(32), JWT_JWKS_URL: 'https://login.example.com/jwks' }),
  ).toEqual(['JWT_JWKS_URL and JWT_SECRET are set: tokens are checked with one of them']);
});

test('a database URL is taken as it is, and never shown when it is at fault', () => {
  const url = 'postgresql://gateway:secret@db.example.com/contexts';

  expect(readConfig({ DATABASE_URL: url }).database).toEqual({ kind: 'url', url });
  expect(faultsOf({ DATABASE_URL: 'mysql://gateway:secret@db/contexts' }).join()).not.toContain('secret');
});

test('the page of settings shows every one with its default and its description', async () => {
  const page = await readFile('docs/settings.md', 'utf8');

  const rows = Object.entries(settings).map(
    ([name, { fallback, description }]) =>
      `| \`${name}\` | ${fallback ? `\`${fallback}\`` : ''} | ${description} |`,
  );
  expect(page).toContain(rows.join('\n'));
});

function publicKeyOf(namedCurve: string): string {
  return generateKeyPairSync('ec', { namedCurve })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
}

function faultsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}
