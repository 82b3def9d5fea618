import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { OperatorError } from './errors.js';

export type Config = {
  host: string;
  port: number;
  database: DatabaseConfig;
  poolSize: number;
  hasDemoData: boolean;
  corsOrigins: readonly string[];
  logLevel: LogLevel;
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
};

class Fault {
  readonly rule: string;

  constructor(rule: string) {
    this.rule = rule;
  }
}

/** Every setting there is, as README shows them. */
export const settings = {
  HOST: {
    fallback: '127.0.0.1',
    description: 'Address to listen on. Others than loopback need `AUTH=none`.',
    parse: (text) => text,
  },
  PORT: {
    fallback: '4000',
    description: 'Port to listen on, 0 for any free one.',
    parse: integer(0, 65_535),
  },
  AUTH: {
    fallback: null,
    description: '`none` says that everybody who reaches the port may do everything.',
    parse: oneOf(['none']),
  },
  DATABASE_URL: {
    fallback: null,
    description:
      'A PostgreSQL ≥ 15, as `postgresql://user:password@host:5432/database`. Without one the gateway runs its own.',
    parse: databaseUrl,
  },
  DATABASE_POOL_SIZE: {
    fallback: '10',
    description: 'The most connections to PostgreSQL.',
    parse: integer(1, 1_000),
  },
  DATA_DIR: {
    fallback: './data',
    description: 'Folder of the embedded PostgreSQL.',
    parse: (text) => resolve(text),
  },
  DEMO_DATA: {
    fallback: 'on',
    description: '`off` starts a new embedded PostgreSQL without the demo data.',
    parse: oneOf(['on', 'off']),
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
  const read = <T>(name: string, { fallback, parse }: Setting<T>): T | null => {
    const text = environment[name] || fallback;
    const value = text === null ? null : parse(text);
    if (!(value instanceof Fault)) return value;
    faults.push(`${name} ${value.rule}, is ${quote(name, text)}`);
    return null;
  };
  const host = read('HOST', settings.HOST) ?? '';
  const port = read('PORT', settings.PORT) ?? 0;
  const auth = read('AUTH', settings.AUTH);
  const url = read('DATABASE_URL', settings.DATABASE_URL);
  const poolSize = read('DATABASE_POOL_SIZE', settings.DATABASE_POOL_SIZE) ?? 1;
  const directory = read('DATA_DIR', settings.DATA_DIR) ?? '';
  const hasDemoData = read('DEMO_DATA', settings.DEMO_DATA) === 'on';
  const corsOrigins = read('CORS_ORIGINS', settings.CORS_ORIGINS) ?? [];
  const logLevel = read('LOG_LEVEL', settings.LOG_LEVEL) ?? 'info';
  if (!isLoopback(host) && auth !== 'none') {
    faults.push(
      `HOST ${host} can be reached by others and no credentials are asked for: say AUTH=none to allow that, or leave HOST at 127.0.0.1`,
    );
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const database: DatabaseConfig = url === null ? { kind: 'embedded', directory } : { kind: 'url', url };
  return { host, port, database, poolSize, hasDemoData, corsOrigins, logLevel };
}

/** A database URL may hold a password. */
function quote(name: string, text: string | null): string {
  return name === 'DATABASE_URL' ? 'something else' : `"${text}"`;
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

function oneOf<const T extends string>(values: readonly T[]): (text: string) => T | Fault {
  return (text) => values.find((value) => value === text) ?? new Fault(`must be ${values.join(' or ')}`);
}

function databaseUrl(text: string): string | Fault {
  const isPostgres = URL.canParse(text) && ['postgresql:', 'postgres:'].includes(new URL(text).protocol);
  return isPostgres ? text : new Fault('must be a URL like postgresql://user:password@host:5432/database');
}

function origins(text: string): string[] | Fault {
  const given = text
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
  const areOrigins = given.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin);
  return areOrigins ? given : new Fault('must be origins like https://desk.example.com, comma separated');
}
