import type { Config } from '../config.js';
import type { DatabaseFacts, SessionFacts } from '../db/examination.js';
import type { MigrationState } from '../db/migrate.js';
import { error, type Finding, warning } from './finding.js';

/** Beside the pool: migrations, an export, the hold on an embedded PostgreSQL. */
const otherConnections = 3;
const oldestVersion = 150_000;
const seconds = { clockWarning: 2, clockError: 60, writer: 60 } as const;

/** What of the server and of the role bites. */
export function serverFindings(config: Config, facts: DatabaseFacts, now: Date): Finding[] {
  const { session } = facts;
  return [
    ...versionFindings(session),
    ...(session.encoding === 'UTF8' ? [] : [encoding(session)]),
    ...durabilityFindings(session),
    ...writingFindings(session),
    ...(facts.isShared ? [pooler()] : []),
    ...roleFindings(config, facts),
    ...clockFindings(facts),
    ...connectionsFindings(config, session),
    ...waitFindings(facts, now),
  ];
}

function versionFindings({ version, versionNumber }: SessionFacts): Finding[] {
  if (versionNumber >= oldestVersion) return [];
  const what = `PostgreSQL ${version} is too old.`;
  return [
    error('version', { what, why: 'The gateway does not start on it.', fix: 'Upgrade it to 15 or newer.' }),
  ];
}

function encoding({ encoding }: SessionFacts): Finding {
  return error('encoding', {
    what: `The database has the encoding ${encoding}.`,
    why: 'Names and texts that it has no characters for are refused, or kept as something else.',
    fix: "Create another one: create database … encoding 'UTF8' template template0",
  });
}

/** What each loses when it is off. */
const durable: Readonly<Record<string, string>> = {
  fsync: 'When the machine fails, acknowledged changes are lost and the database may be broken.',
  full_page_writes: 'When the machine fails, the database may be broken.',
  synchronous_commit: 'When PostgreSQL fails, changes that were acknowledged just before are lost.',
};

function durabilityFindings({ settings }: SessionFacts): Finding[] {
  return Object.entries(durable).flatMap(([name, why]) => {
    if (settings[name] !== 'off') return [];
    const fix = `Set ${name} = on, in postgresql.conf or where the database or the role has it off.`;
    return [error('durability', { what: `${name} is off.`, why, fix })];
  });
}

function writingFindings({ isInRecovery, settings, schema, canCreate, role }: SessionFacts): Finding[] {
  const why = 'The gateway cannot write there.';
  if (isInRecovery) {
    const fix = 'Let DATABASE_URL lead to the primary: target_session_attrs, a proxy or the service name.';
    return [error('read-only', { what: 'The database is a standby.', why, fix })];
  }
  const findings: Finding[] = [];
  if (settings['default_transaction_read_only'] === 'on') {
    const fix = 'Reset default_transaction_read_only where the database or the role has it on.';
    findings.push(error('read-only', { what: 'Transactions are read-only by default.', why, fix }));
  }
  if (schema !== 'public') {
    const what =
      schema === null ? 'The search_path finds no schema.' : `The search_path begins with ${schema}.`;
    const fix =
      'Reset search_path where the database or the role has it set: public has to be the first schema.';
    findings.push(
      error('search-path', { what, why: 'Half of the statements look for tables in public.', fix }),
    );
  } else if (!canCreate) {
    findings.push(
      error('privileges', {
        what: `The role ${role} may create nothing in the schema public.`,
        why: 'Migrations cannot be applied, so that no newer version starts.',
        fix: `grant create on schema public to ${role}`,
      }),
    );
  }
  return findings;
}

function pooler(): Finding {
  return error('pooler', {
    what: 'Something between here and PostgreSQL shares sessions or drops their settings.',
    why: 'Times, locks and prepared statements of the gateway need a session of their own.',
    fix: 'Let the pooler pool sessions and pass options on (PgBouncer: pool_mode = session), or go around it.',
  });
}

function roleFindings(
  { database }: Config,
  { session: { role, isSuperuser }, privileges }: DatabaseFacts,
): Finding[] {
  const findings: Finding[] = [];
  if (isSuperuser && database.kind === 'url') {
    findings.push(
      warning('superuser', {
        what: `The role ${role} is a superuser.`,
        why: 'Who gets hold of its password has the whole server.',
        fix: 'Let DATABASE_URL name a role that owns the database and nothing else.',
      }),
    );
  }
  if (privileges.closed.length > 0) {
    findings.push(
      error('privileges', {
        what: `The role ${role} may not read and write ${listed(privileges.closed)}.`,
        why: 'Calls fail that need it.',
        fix: `Give it all tables and sequences: reassign owned by … to ${role}`,
      }),
    );
  } else if (privileges.foreign.length > 0) {
    findings.push(
      warning('owner', {
        what: `${listed(privileges.foreign)} belong to another role than ${role}.`,
        why: 'Migrations of newer versions change tables, which takes their owner.',
        fix: `Give it all tables and sequences: reassign owned by … to ${role}`,
      }),
    );
  }
  return findings;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function clockFindings({ clockAheadSeconds }: DatabaseFacts): Finding[] {
  const apart = Math.abs(clockAheadSeconds);
  if (apart < seconds.clockWarning) return [];
  const tell = apart < seconds.clockError ? warning : error;
  return [
    tell('clock', {
      what: `The database’s clock is ${apart.toFixed(1)} s ${clockAheadSeconds > 0 ? 'ahead of' : 'behind'} this machine’s.`,
      why: 'What expires, completes itself or is told by its time does so too early or too late.',
      fix: 'Let both machines keep their time by NTP.',
    }),
  ];
}

function connectionsFindings({ poolSize }: Config, { freeConnections, settings }: SessionFacts): Finding[] {
  const needed = poolSize + otherConnections;
  const findings: Finding[] = [];
  if (needed > freeConnections) {
    findings.push(
      warning('connections', {
        what: `A gateway takes up to ${needed} connections, and ${Math.max(0, freeConnections)} are there for all gateways.`,
        why: 'Calls are refused when there is none left; each replica takes as many.',
        fix: 'Lower DATABASE_POOL_SIZE, or raise max_connections or the limit of the role or the database.',
      }),
    );
  }
  const idle = Number(settings['idle_session_timeout']);
  if (idle > 0 && idle < 600_000) {
    findings.push(
      warning('idle-sessions', {
        what: `idle_session_timeout ends sessions after ${idle / 1_000} s.`,
        why: 'The gateway keeps connections, and calls that come after a pause wait for new ones, or meet a broken one.',
        fix: 'alter role … set idle_session_timeout = 0',
      }),
    );
  }
  return findings;
}

/** What keeps others waiting. */
function waitFindings({ oldestWriter, idleSlots }: DatabaseFacts, now: Date): Finding[] {
  const findings: Finding[] = [];
  const age = oldestWriter ? (now.getTime() - oldestWriter.since.getTime()) / 1_000 : 0;
  if (oldestWriter && age > seconds.writer) {
    findings.push(
      warning('long-transaction', {
        what: `${oldestWriter.who} has a transaction open that wrote something, for ${Math.round(age)} s.`,
        why: 'Whoever follows the changes gets none of later ones until it ends.',
        fix: 'End it: select pg_terminate_backend(pid), or rollback prepared.',
      }),
    );
  }
  if (idleSlots.length > 0) {
    findings.push(
      warning('replication-slot', {
        what: `Nobody reads from the replication slot ${listed(idleSlots)}.`,
        why: 'PostgreSQL keeps its log for it until the disk is full.',
        fix: 'Start the standby again, or select pg_drop_replication_slot(name).',
      }),
    );
  }
  return findings;
}

const migrationAdvices: Readonly<
  Record<Exclude<MigrationState['state'], 'applied'>, (names: string) => Finding>
> = {
  pending: (names) =>
    warning('migrations', {
      what: `The database lacks the migrations ${names}.`,
      why: 'The next start applies them, which may take a while.',
      fix: 'Apply them at a time that suits you: context-gateway migrate',
    }),
  foreign: (names) =>
    warning('migrations', {
      what: `The database has migrations of a newer version: ${names}.`,
      why: 'This version was not tested with them.',
      fix: 'Run the version that applied them.',
    }),
  changed: (names) =>
    error('migrations', {
      what: `The database was made by another version of ${names}.`,
      why: 'The gateway does not start on it.',
      fix: 'Run the version that made it, export, and import into an empty database with this one.',
    }),
  unfinished: (names) =>
    error('migrations', {
      what: `Another tool began ${names} and did not finish.`,
      why: 'The gateway does not start on it.',
      fix: 'Mend what was left half done, and say so: prisma migrate resolve.',
    }),
};

export function migrationFindings(migrations: readonly MigrationState[]): Finding[] {
  return (['pending', 'foreign', 'changed', 'unfinished'] as const).flatMap((state) => {
    const names = migrations.filter((migration) => migration.state === state).map(({ name }) => name);
    return names.length === 0 ? [] : [migrationAdvices[state](listed(names))];
  });
}
