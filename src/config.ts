import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { AuthConfig } from './auth/authenticator.js';
import { type JwtConfig, type JwtKey, readPublicKey } from './auth/jwt.js';
import type { WebhookOptions } from './courier.js';
import type { Retention } from './db/database.js';
import { duration } from './domain/durations.js';
import type { Checked } from './domain/rules.js';
import { OperatorError } from './errors.js';
import type { GraphqlOptions } from './graphql/yoga.js';
import type { MetricsAccess } from './metrics/metrics.js';
import { type InternalHosts, readInternalHosts } from './outbound/internal-hosts.js';
import type { RateLimit } from './rate-limit.js';
import type { Sweeping } from './sweeper.js';
import type { Timeouts } from './timeouts.js';
import type { TracingConfig } from './tracing/export.js';

export type Config = ObservationConfig & {
  host: string;
  port: number;
  database: DatabaseConfig;
  poolSize: number;
  auth: AuthConfig;
  graphql: GraphqlOptions;
  timeouts: Timeouts;
  rateLimit: RateLimit | null;
  hasDemoData: boolean;
  retention: Retention;
  sweeping: Sweeping;
  webhooks: WebhookOptions;
  corsOrigins: readonly string[];
  logLevel: LogLevel;
};

/** How the gateway lets itself be watched. */
type ObservationConfig = {
  slowStatementMilliseconds: number;
  metricsAccess: MetricsAccess;
  tracing: TracingConfig | null;
};

export type DatabaseConfig = { kind: 'embedded'; directory: string } | { kind: 'url'; url: string };

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What ends the process with exit code 78 (EX_CONFIG): every fault of the settings at once. */
export class ConfigError extends OperatorError {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

type Setting<T> = {
  /** What is read where the variable is absent or empty; null where there is no such text. */
  fallback: string | null;
  description: string;
  parse: (text: string) => T | Fault;
  /** Never shown, also when it is at fault. */
  isSecret?: true;
};

class Fault {
  readonly rule: string;

  constructor(rule: string) {
    this.rule = rule;
  }
}

/** Every setting there is, as docs/settings.md shows them. */
export const settings = {
  HOST: {
    fallback: '127.0.0.1',
    description: 'Address to listen on. Others than loopback need credentials, or `AUTH=none`.',
    parse: (text) => text,
  },
  PORT: {
    fallback: '4000',
    description: 'Port to listen on, 0 for any free one.',
    parse: integer(0, 65_535),
  },
  PROFILE: {
    fallback: 'development',
    description:
      'In `production` nobody can ask for the schema: no introspection, which tells only whether there is a type of some name, no `/openapi.json`, no GraphiQL and `/docs`, no “Did you mean”, and no GraphQL by GET.',
    parse: oneOf(['development', 'production']),
  },
  INTROSPECTION: {
    fallback: null,
    description:
      '`on` or `off`, whether the GraphQL schema and `/openapi.json` can be asked for; else as the profile has it.',
    parse: oneOf(['on', 'off']),
  },
  GRAPHIQL: {
    fallback: null,
    description: '`on` or `off`, whether browsers get GraphiQL and `/docs`; else as the profile has it.',
    parse: oneOf(['on', 'off']),
  },
  AUTH: {
    fallback: null,
    description:
      '`none` says that everybody who reaches the port may do everything, with credentials or without.',
    parse: oneOf(['none']),
  },
  JWT_JWKS_URL: {
    fallback: null,
    description:
      'Where the keys are that bearer tokens are signed with, as `https://login.example.com/jwks.json`; `http` on this machine alone.',
    parse: jwksUrl,
    isSecret: true,
  },
  JWT_PUBLIC_KEY: {
    fallback: null,
    description: 'Instead: the public key itself in PEM, RSA, EC or Ed25519; its line breaks may be `\\n`.',
    parse: publicKey,
    isSecret: true,
  },
  JWT_SECRET: {
    fallback: null,
    description: 'Instead: the secret of tokens that are signed with HS256, at least 32 bytes.',
    parse: secret,
    isSecret: true,
  },
  JWT_ISSUER: {
    fallback: null,
    description: 'The `iss` that tokens must have; needed with any of the three.',
    parse: (text) => text,
  },
  JWT_AUDIENCE: {
    fallback: null,
    description: 'The `aud` that tokens must have; needed with any of the three.',
    parse: (text) => text,
  },
  JWT_TENANT_CLAIM: {
    fallback: 'tenant',
    description: 'The claim with the tenants that a token lets into, one or a list.',
    parse: (text) => text,
  },
  JWT_ROLES_CLAIM: {
    fallback: 'roles',
    description:
      'The claim with the roles, of which the greatest counts; a path like `realm_access.roles` goes inside.',
    parse: (text) => text,
  },
  DATABASE_URL: {
    fallback: null,
    description:
      'A PostgreSQL ≥ 15, as `postgresql://user:password@host:5432/database`. Without one the gateway runs its own. A pooler in between has to pool sessions, not transactions.',
    parse: databaseUrl,
    isSecret: true,
  },
  DATABASE_POOL_SIZE: {
    fallback: '10',
    description: 'The most connections to PostgreSQL, beside two by which gateways wake each other up.',
    parse: integer(1, 1_000),
  },
  DATA_DIR: {
    fallback: './data',
    description: 'Folder of the embedded PostgreSQL.',
    parse: (text) => resolve(text),
  },
  DEMO_DATA: {
    fallback: 'on',
    description: '`off` leaves an embedded PostgreSQL that nobody has used yet without the demo data.',
    parse: oneOf(['on', 'off']),
  },
  EXPIRY: {
    fallback: '5y',
    description:
      'How long a service is kept that does not say so itself, from its start: a number and one of s, m, h, d, w, M (30 days), y (365 days).',
    parse: seconds,
  },
  EXPIRY_BY_TYPE: {
    fallback: '',
    description: 'The same by the service type, comma separated, like `claim=10y,100=30d`.',
    parse: secondsByType,
  },
  AUTO_COMPLETE_AFTER: {
    fallback: null,
    description:
      'How long a service may stay without a change before it is completed, like `30d`, unless it says so itself.',
    parse: seconds,
  },
  EVENT_RETENTION: {
    fallback: '72h',
    description: 'How long events are kept for those who follow them.',
    parse: seconds,
  },
  SWEEP_INTERVAL: {
    fallback: '30s',
    description:
      'How often each gateway looks for services that have expired or are to be completed, and for what else is due; at least once in `1d`.',
    parse: secondsUpTo(86_400, '1d'),
  },
  REQUEST_TIMEOUT: {
    fallback: '60s',
    description:
      'How long a request may take, from its headers to its answer, up to `1h`; an export takes as long as its reader goes on reading.',
    parse: secondsUpTo(3_600, '1h'),
  },
  STATEMENT_TIMEOUT: {
    fallback: '30s',
    description: 'How long PostgreSQL may take for one statement, up to `1h`.',
    parse: secondsUpTo(3_600, '1h'),
  },
  SLOW_STATEMENT: {
    fallback: '1s',
    description:
      'Statements that take PostgreSQL longer are logged, without their parameters: as `250ms`, or as the times above.',
    parse: milliseconds,
  },
  RATE_LIMIT: {
    fallback: null,
    description:
      'How many calls this gateway takes of each key or token, without one of each address: a number for each s, m or h, like `100/s`. Without it as many as come.',
    parse: rateLimit,
  },
  METRICS: {
    fallback: 'on',
    description:
      'Who gets `/metrics`: `on` those with credentials for all tenants, everybody where calls need no credentials; `open` everybody in any case; `off` nobody.',
    parse: oneOf(['on', 'open', 'off']),
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    fallback: null,
    description:
      'Where traces are sent by OTLP over HTTP, like `http://localhost:4318`. Without it none are made.',
    parse: otlpEndpoint,
    isSecret: true,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    fallback: '1',
    description:
      'Which share of the traces that begin at this gateway is recorded, from 0 to 1; else their beginning decides.',
    parse: share,
  },
  WEBHOOK_INTERNAL_HOSTS: {
    fallback: '',
    description:
      'Hosts and networks that webhooks may go to although they are internal, and by `http`, comma separated, like `crm.internal,10.20.0.0/16`. None by default.',
    parse: internalHosts,
  },
  WEBHOOK_TIMEOUT: {
    fallback: '15s',
    description: 'How long the receiver of a webhook may take to answer, up to `1m`.',
    parse: secondsUpTo(60, '1m'),
  },
  WEBHOOK_RETRIES: {
    fallback: '5s,5m,30m,2h,5h,10h,14h,20h,24h',
    description:
      'The waits before a webhook is tried again, comma separated; what fails once more is kept as dead.',
    parse: waits,
  },
  CORS_ORIGINS: {
    fallback: '',
    description:
      'Origins whose pages may call, comma separated, like `https://desk.example.com`. None by default.',
    parse: origins,
  },
  LOG_LEVEL: {
    fallback: 'info',
    description: `One of ${logLevels.map((level) => `\`${level}\``).join(', ')}; \`trace\` logs every SQL statement.`,
    parse: oneOf(logLevels),
  },
} as const satisfies Record<string, Setting<unknown>>;

/**
 * Reads the environment into a configuration that cannot be wrong.
 * @throws ConfigError, listing every fault
 */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const read = <T>(name: string, { fallback, parse, isSecret }: Setting<T>): T | null => {
    const text = environment[name] || fallback;
    const value = text === null ? null : parse(text);
    if (!(value instanceof Fault)) return value;
    faults.push(`${name} ${value.rule}, is ${isSecret ? 'something else' : `"${text}"`}`);
    return null;
  };
  const host = read('HOST', settings.HOST) ?? '';
  const port = read('PORT', settings.PORT) ?? 0;
  const graphql = readGraphql(read);
  const isOff = read('AUTH', settings.AUTH) === 'none';
  const jwt = readJwt(environment, read, faults);
  const url = read('DATABASE_URL', settings.DATABASE_URL);
  const poolSize = read('DATABASE_POOL_SIZE', settings.DATABASE_POOL_SIZE) ?? 1;
  const directory = read('DATA_DIR', settings.DATA_DIR) ?? '';
  const hasDemoData = read('DEMO_DATA', settings.DEMO_DATA) === 'on';
  const retention: Retention = {
    seconds: read('EXPIRY', settings.EXPIRY) ?? 0,
    secondsByType: read('EXPIRY_BY_TYPE', settings.EXPIRY_BY_TYPE) ?? new Map(),
    autoCompleteSeconds: read('AUTO_COMPLETE_AFTER', settings.AUTO_COMPLETE_AFTER),
  };
  const sweeping: Sweeping = {
    eventSeconds: read('EVENT_RETENTION', settings.EVENT_RETENTION) ?? 0,
    intervalSeconds: read('SWEEP_INTERVAL', settings.SWEEP_INTERVAL) ?? 0,
  };
  const timeouts: Timeouts = {
    requestSeconds: read('REQUEST_TIMEOUT', settings.REQUEST_TIMEOUT) ?? 0,
    statementSeconds: read('STATEMENT_TIMEOUT', settings.STATEMENT_TIMEOUT) ?? 0,
  };
  const observation = readObservation(read);
  const rateLimit = read('RATE_LIMIT', settings.RATE_LIMIT);
  const webhooks = readWebhooks(read);
  const corsOrigins = read('CORS_ORIGINS', settings.CORS_ORIGINS) ?? [];
  const logLevel = read('LOG_LEVEL', settings.LOG_LEVEL) ?? 'info';
  if (faults.length > 0) throw new ConfigError(faults);
  const database: DatabaseConfig = url === null ? { kind: 'embedded', directory } : { kind: 'url', url };
  const auth = { isOff, isReachable: !isLoopback(host), jwt };
  return {
    ...{ host, port, database, poolSize, auth, graphql, timeouts, rateLimit },
    ...observation,
    ...{ hasDemoData, retention, sweeping, webhooks, corsOrigins, logLevel },
  };
}

type Read = <T>(name: string, setting: Setting<T>) => T | null;

function readGraphql(read: Read): GraphqlOptions {
  const isOpen = read('PROFILE', settings.PROFILE) === 'development';
  const usual = isOpen ? 'on' : 'off';
  return {
    hasIntrospection: (read('INTROSPECTION', settings.INTROSPECTION) ?? usual) === 'on',
    hasGraphiql: (read('GRAPHIQL', settings.GRAPHIQL) ?? usual) === 'on',
    hasGet: isOpen,
    hasSuggestions: isOpen,
  };
}

function readObservation(read: Read): ObservationConfig {
  const endpoint = read('OTEL_EXPORTER_OTLP_ENDPOINT', settings.OTEL_EXPORTER_OTLP_ENDPOINT);
  const ratio = read('OTEL_TRACES_SAMPLER_ARG', settings.OTEL_TRACES_SAMPLER_ARG) ?? 1;
  return {
    slowStatementMilliseconds: read('SLOW_STATEMENT', settings.SLOW_STATEMENT) ?? 0,
    metricsAccess: read('METRICS', settings.METRICS) ?? 'off',
    tracing: endpoint === null ? null : { endpoint, ratio },
  };
}

function readWebhooks(read: Read): WebhookOptions {
  return {
    internalHosts: read('WEBHOOK_INTERNAL_HOSTS', settings.WEBHOOK_INTERNAL_HOSTS) ?? {
      names: [],
      networks: [],
    },
    timeoutSeconds: read('WEBHOOK_TIMEOUT', settings.WEBHOOK_TIMEOUT) ?? 0,
    retrySeconds: read('WEBHOOK_RETRIES', settings.WEBHOOK_RETRIES) ?? [],
  };
}

const jwtKeys = ['JWT_JWKS_URL', 'JWT_PUBLIC_KEY', 'JWT_SECRET'] as const;
const jwtChecks = ['JWT_ISSUER', 'JWT_AUDIENCE'] as const;

/** Tokens are checked whole or not taken at all: half of the settings is a fault. */
function readJwt(environment: Environment, read: Read, faults: string[]): JwtConfig | null {
  const keys = jwtKeys.map((name) => read<JwtKey>(name, settings[name]));
  const [issuer, audience] = jwtChecks.map((name) => read(name, settings[name]));
  const tenantClaim = read('JWT_TENANT_CLAIM', settings.JWT_TENANT_CLAIM) ?? '';
  const rolesClaim = read('JWT_ROLES_CLAIM', settings.JWT_ROLES_CLAIM) ?? '';
  const isSet = (name: string) => Boolean(environment[name]);
  const given = jwtKeys.filter(isSet);
  if (given.length > 1) faults.push(`${given.join(' and ')} are set: tokens are checked with one of them`);
  for (const name of jwtChecks) {
    if (given.length > 0 && !isSet(name)) faults.push(`${name} must be set where ${given[0]} is`);
    if (given.length === 0 && isSet(name)) faults.push(`${name} is set and none of ${jwtKeys.join(', ')}`);
  }
  const key = keys.find((candidate) => candidate !== null);
  return key && issuer && audience ? { key, issuer, audience, tenantClaim, rolesClaim } : null;
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

function integer(min: number, max: number): (text: string) => number | Fault {
  return (text) => {
    const isInRange = /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max;
    return isInRange ? Number(text) : new Fault(`must be an integer from ${min} to ${max}`);
  };
}

function seconds(text: string): number | Fault {
  const checked: Checked<number> = duration(text);
  return checked.ok ? checked.value : new Fault(checked.fault.message);
}

/** Timers overflow at some weeks, and nobody waits as long. */
function secondsUpTo(most: number, name: string): (text: string) => number | Fault {
  return (text) => {
    const checked = seconds(text);
    return typeof checked === 'number' && checked > most ? new Fault(`must be at most ${name}`) : checked;
  };
}

function milliseconds(text: string): number | Fault {
  const [, count] = /^([1-9]\d{0,8})ms$/.exec(text) ?? [];
  if (count !== undefined) return Number(count);
  const checked = seconds(text);
  return typeof checked === 'number'
    ? checked * 1_000
    : new Fault('must be a number and one of ms, s, m, h, d, w, M, y, like 250ms; from 1ms to 100y');
}

const windows: Readonly<Record<string, number>> = { s: 1, m: 60, h: 60 * 60 };

function rateLimit(text: string): RateLimit | Fault {
  const [, calls, unit = ''] = /^([1-9]\d{0,8})\/([smh])$/.exec(text) ?? [];
  const windowSeconds = windows[unit];
  return windowSeconds
    ? { calls: Number(calls), windowSeconds }
    : new Fault('must be a number for each s, m or h, like 100/s');
}

function secondsByType(text: string): ReadonlyMap<string, number> | Fault {
  const entries = entriesOf(text).map(
    (entry) =>
      [entry.slice(0, entry.lastIndexOf('=')), seconds(entry.slice(entry.lastIndexOf('=') + 1))] as const,
  );
  const areDurations = entries.every(([type, length]) => type !== '' && !(length instanceof Fault));
  // Each of them is one by now.
  return areDurations
    ? new Map(entries as [string, number][])
    : new Fault('must be types with a duration each, like claim=10y,100=30d');
}

function oneOf<const T extends string>(values: readonly T[]): (text: string) => T | Fault {
  return (text) => values.find((value) => value === text) ?? new Fault(`must be ${values.join(' or ')}`);
}

function databaseUrl(text: string): string | Fault {
  const isPostgres = URL.canParse(text) && ['postgresql:', 'postgres:'].includes(new URL(text).protocol);
  return isPostgres ? text : new Fault('must be a URL like postgresql://user:password@host:5432/database');
}

function otlpEndpoint(text: string): string | Fault {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password;
  return isPlain ? text : new Fault('must be a URL of http or https without a password');
}

function share(text: string): number | Fault {
  const isShare = /^\d(\.\d{1,9})?$/.test(text) && Number(text) <= 1;
  return isShare ? Number(text) : new Fault('must be a number from 0 to 1, like 0.1');
}

function jwksUrl(text: string): JwtKey | Fault {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(bare(url.hostname)));
  return url && isSafe && !url.username && !url.password
    ? { kind: 'url', url }
    : new Fault('must be a URL of https, or of http on this machine, without a password');
}

/** An IPv6 address stands in brackets in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function publicKey(text: string): JwtKey | Fault {
  return (
    readPublicKey(text) ??
    new Fault('must be a public key in PEM: RSA of 2048 bits or more, EC (P-256, P-384, P-521) or Ed25519')
  );
}

function secret(text: string): JwtKey | Fault {
  const key = Buffer.from(text);
  return key.length >= 32 ? { kind: 'secret', key } : new Fault('must have at least 32 bytes');
}

function internalHosts(text: string): InternalHosts | Fault {
  const hosts = readInternalHosts(entriesOf(text));
  return hosts ?? new Fault('must be host names, addresses and networks, like crm.internal,10.20.0.0/16');
}

function waits(text: string): readonly number[] | Fault {
  const given = entriesOf(text).map(seconds);
  const areSeconds =
    given.length >= 1 && given.length <= 20 && given.every((wait) => typeof wait === 'number');
  return areSeconds ? given : new Fault('must be 1 to 20 durations, like 5s,5m,2h');
}

function entriesOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function origins(text: string): string[] | Fault {
  const given = entriesOf(text);
  const areOrigins = given.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin);
  return areOrigins ? given : new Fault('must be origins like https://desk.example.com, comma separated');
}
