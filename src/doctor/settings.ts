import { type Config, ConfigError, type Environment, isLoopback, readConfig, settings } from '../config.js';
import { error, type Finding, warning } from './finding.js';

/** What can be read of the settings: those at fault are as if they were not set. */
export type ReadSettings = {
  config: Config;
  findings: readonly Finding[];
  /** Whether it is known where the database is. */
  hasDatabase: boolean;
};

const names = Object.keys(settings);

export function readSettings(environment: Environment): ReadSettings {
  const unknown = misspelt(environment);
  try {
    return { config: readConfig(environment), findings: unknown, hasDatabase: true };
  } catch (caught) {
    if (!(caught instanceof ConfigError)) throw caught;
    const atFault = namesIn(caught.faults, environment);
    const rest = readSettings({
      ...environment,
      ...Object.fromEntries(atFault.map((name) => [name, undefined])),
    });
    return {
      config: rest.config,
      findings: [...caught.faults.map(settingFault), ...rest.findings],
      hasDatabase: rest.hasDatabase && !atFault.includes('DATABASE_URL') && !atFault.includes('DATA_DIR'),
    };
  }
}

/** Each fault begins with the setting's name; those of tokens are about each other, and go together. */
function namesIn(faults: readonly string[], environment: Environment): string[] {
  const named = names.filter((name) => faults.some((fault) => fault.startsWith(`${name} `)));
  const ofTokens = faults.some((fault) => fault.startsWith('JWT_'));
  return ofTokens ? [...named, ...Object.keys(environment).filter((name) => name.startsWith('JWT_'))] : named;
}

function settingFault(fault: string): Finding {
  return error('setting', {
    what: `${fault}.`,
    why: 'The gateway does not start with it.',
    fix: `Set ${fault.split(' ')[0]} to what keeps the rule, or unset it.`,
  });
}

/** Names that are nearly those of settings: what they say is not read. */
function misspelt(environment: Environment): Finding[] {
  return Object.keys(environment).flatMap((given) => {
    const meant = names.includes(given) ? undefined : names.find((name) => isNearly(given, name));
    if (meant === undefined) return [];
    return warning('unknown-setting', {
      what: `${given} is no setting, ${meant} is.`,
      why: 'What it says is not read.',
      fix: `Set ${meant} instead, or unset ${given}.`,
    });
  });
}

/** Short names are like others by chance: HOST and HOME. */
function isNearly(given: string, name: string): boolean {
  if (given.toUpperCase() === name) return true;
  const most = name.length >= 8 ? 2 : name.length >= 5 ? 1 : 0;
  return (
    most > 0 && Math.abs(given.length - name.length) <= most && distance(given.toUpperCase(), name) <= most
  );
}

/** How many letters must be added, left out or replaced. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [place, wanted] of [...other].entries()) {
      const replaced = (row[place] ?? 0) + Number(letter !== wanted);
      next.push(Math.min(replaced, (row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What the settings let others do. */
export function exposureFindings({ auth, graphql, corsOrigins, database, host }: Config): Finding[] {
  const findings: Finding[] = [];
  if (auth.isReachable && auth.isOff) {
    findings.push(
      warning('open-to-all', {
        what: `AUTH=none, and HOST ${host} can be reached by others.`,
        why: 'Everybody who reaches the port may read, change and delete everything.',
        fix: 'Make keys (context-gateway key create) and unset AUTH, or listen on 127.0.0.1.',
      }),
    );
  }
  if (auth.isReachable && graphql.hasGet) {
    findings.push(
      warning('development-profile', {
        what: `PROFILE is development, and HOST ${host} can be reached by others.`,
        why: 'Anybody can ask for the whole GraphQL schema, and gets names suggested.',
        fix: 'Set PROFILE=production.',
      }),
    );
  }
  const plain = corsOrigins.filter((origin) => !isEncrypted(origin));
  if (plain.length > 0) {
    findings.push(
      warning('cors-http', {
        what: `CORS_ORIGINS has ${plain.join(', ')}.`,
        why: 'Who is on the way to a page over http can make it call the gateway as its user.',
        fix: 'Serve those pages by https, and name them so.',
      }),
    );
  }
  if (database.kind === 'url' && !isSecure(new URL(database.url))) {
    findings.push(
      warning('database-tls', {
        what: `DATABASE_URL leads to ${new URL(database.url).hostname} without TLS.`,
        why: 'Customers’ data and the password can be read on the way.',
        fix: 'Add ?sslmode=verify-full to DATABASE_URL, with sslrootcert where the authority is your own.',
      }),
    );
  }
  return findings;
}

function isEncrypted(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol !== 'http:' || isLoopback(hostname);
}

/** A host that is a path, or none, is this machine. */
function isSecure({ hostname, searchParams }: URL): boolean {
  const host = searchParams.get('host') ?? hostname;
  const mode = searchParams.get('sslmode') ?? 'disable';
  const isHere = host === '' || host.startsWith('/') || isLoopback(host.replace(/^\[(.*)\]$/, '$1'));
  return isHere || !['disable', 'allow', 'prefer'].includes(mode) || searchParams.get('ssl') === 'true';
}
