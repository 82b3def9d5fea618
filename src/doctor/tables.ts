import type { Config } from '../config.js';
import type { TableFacts } from '../db/examination.js';
import { error, type Finding, warning } from './finding.js';

/** How late a sweep may be, whatever the interval: it does a little at a time. */
const lateSeconds = 3_600;

/** What the gateway's own tables tell. */
export function tableFindings({ auth, sweeping }: Config, facts: TableFacts, now: Date): Finding[] {
  const findings: Finding[] = [];
  if (auth.isReachable && !auth.isOff && auth.jwt === null && facts.keys === 0) {
    findings.push(
      error('credentials', {
        what: 'HOST can be reached by others, and there are no credentials.',
        why: 'The gateway does not start.',
        fix: 'Make a key (context-gateway key create), or set JWT_JWKS_URL, JWT_PUBLIC_KEY or JWT_SECRET.',
      }),
    );
  }
  if (facts.keys > 0 && facts.operatorKeys === 0 && auth.jwt === null) {
    findings.push(
      warning('operator', {
        what: 'No key has the role operator.',
        why: 'Nobody can delete services, export, or set the server mode by a call.',
        fix: 'context-gateway key create --role operator --all-tenants',
      }),
    );
  }
  if (facts.isInMaintenance) {
    findings.push(
      warning('maintenance', {
        what: 'The server is in maintenance.',
        why: 'Calls for data answer 503 on all gateways, and nothing expires.',
        fix: 'POST /server/mode {"mode":"production"}, with an operator’s credentials.',
      }),
    );
  }
  const { oldestExpiry } = facts;
  const late = Math.max(lateSeconds, 10 * sweeping.intervalSeconds) * 1_000;
  if (!facts.isInMaintenance && oldestExpiry && oldestExpiry.getTime() + late < now.getTime()) {
    findings.push(
      warning('sweep', {
        what: `Services that expired on ${oldestExpiry.toISOString()} are still there.`,
        why: 'No gateway has swept since: what is due is neither deleted nor completed, and the database grows.',
        fix: 'Run a gateway on this database, with a shorter SWEEP_INTERVAL where one runs; look into its log.',
      }),
    );
  }
  if (facts.unanalyzed.length > 0) {
    findings.push(
      warning('statistics', {
        what: `PostgreSQL has no statistics of ${facts.unanalyzed.join(', ')}.`,
        why: 'As long as it takes full tables for empty ones, it looks through them from end to end.',
        fix: 'analyze',
      }),
    );
  }
  return findings;
}
