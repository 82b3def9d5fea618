import { gatewayGraphql, gatewayRest } from './candidates/gateway.js';
import type { ConversationResult } from './conversations.js';
import type { Measurement, Results, Round } from './results.js';
import {
  conversationTargets,
  growthTarget,
  isReached,
  memoryNeedsSeconds,
  ratioTarget,
  type Target,
} from './targets.js';

const gateways = [gatewayRest.title, gatewayGraphql.title];

const header = [
  ['services', 'work', 'connections', 'who', 'per second', 'slowest–fastest', 'p50 ms', 'p99 ms'],
  ['CPU µs: server', 'PostgreSQL', 'gateway REST ÷', 'gateway GraphQL ÷'],
].flat();

/** Everything that was measured, with the gateway's ratios to the others and what is wanted of them. */
export function formatTable(results: Results, conversation: ConversationResult | null): string {
  const rows = [
    ...results.measurements().map((measurement) => measurementRow(results, measurement)),
    ...growthRows(results),
    ...(conversation ? conversationRows(conversation) : []),
  ];
  return layOut([header, ...rows]);
}

export const legend = [
  'Medians of the rounds. ÷ is the gateway to the other in the same round: of p50 at one connection, else of the requests',
  'per second. ✓ reached, ✗ missed; missing one fails nothing. All servers are up at the same time, idle until their turn.',
  'The limit needs no load generator: where that shares a core with PostgreSQL, only the limit leaves PostgreSQL a core to itself.',
].join('\n');

function measurementRow(results: Results, measurement: Measurement): string[] {
  const { services, work, connections, title } = measurement;
  const median = results.median(measurement);
  if (!median) return [];
  const isGateway = gateways.includes(title);
  const ratios = gateways.map((gateway) => (isGateway ? '' : ratioCell(results, gateway, measurement)));
  const range = results.range(measurement).map(whole).join('–');
  return [
    whole(services),
    work,
    String(connections),
    title,
    whole(median.perSecond),
    range,
    ...[median.p50Milliseconds, median.p99Milliseconds].map(fine),
    ...[median.serverMicroseconds, median.databaseMicroseconds].map(whole),
    ...ratios,
  ];
}

function ratioCell(results: Results, gateway: string, other: Measurement): string {
  const of = ({ p50Milliseconds, perSecond }: Round) => (other.connections > 1 ? perSecond : p50Milliseconds);
  const ratio = results.ratio({ ...other, title: gateway }, other, of);
  return ratio === null ? '' : verdict(ratio, ratioTarget(gateway, other));
}

/** How much longer a lone request takes with the most services than with the fewest. */
function growthRows(results: Results): string[][] {
  const sizes = [...new Set(results.measurements().map(({ services }) => services))];
  const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (sizes.length < 2) return [];
  return (['associate', 'screen pop'] as const).map((work) => {
    const growth = gateways.map((title) => {
      const at = (services: number) =>
        results.median({ work, connections: 1, services, title })?.p50Milliseconds;
      const [small, large] = [at(fewest), at(most)];
      return small && large ? verdict(large / small, growthTarget) : '';
    });
    const range = `${whole(fewest)}→${whole(most)}`;
    return [range, work, '1', 'growth of p50', ...Array.from({ length: 6 }, () => ''), ...growth];
  });
}

function conversationRows(result: ConversationResult): string[][] {
  const { callsPerSecond, p99Milliseconds, megabytes, megabytesPerMinute } = conversationTargets;
  const isLong = result.seconds >= memoryNeedsSeconds;
  const size = result.megabytes;
  const slope = result.megabytesPerMinute;
  const memory = size === null ? 'unknown' : verdict(size, isLong ? megabytes : undefined, inMegabytes);
  const growth =
    slope === null ? '' : `${verdict(slope, isLong ? megabytesPerMinute : undefined, inMegabytes)} a minute`;
  const calls = verdict(result.calls / result.seconds, callsPerSecond, whole);
  const who = `gateway, REST: ${Math.round(result.seconds)} s, ${result.conversations} × 33 calls`;
  return [
    [
      '',
      'conversation',
      '64',
      who,
      calls,
      '',
      fine(result.p50Milliseconds),
      verdict(result.p99Milliseconds, p99Milliseconds, fine),
    ],
    [
      '',
      'conversation',
      '64',
      `memory at the end: ${memory}${isLong ? `; second half: ${growth}` : ', judged after 5 min'}`,
    ],
  ];
}

function verdict(
  value: number,
  target: Target | undefined,
  show = (number: number) => number.toFixed(2),
): string {
  if (!target) return show(value);
  const bound = 'least' in target ? `≥ ${target.least}` : `≤ ${target.most}`;
  return `${show(value)} ${bound} ${isReached(value, target) ? '✓' : '✗'}`;
}

function whole(value: number | null): string {
  return value === null ? '' : Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}

function inMegabytes(value: number): string {
  return `${Math.round(value)} MB`;
}

function fine(value: number | null): string {
  return value === null ? '' : value.toFixed(2);
}

function layOut(rows: readonly (readonly string[])[]): string {
  // What stands last in its row may be as long as it likes.
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => (column === row.length - 1 ? 0 : (row[column]?.length ?? 0)))),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [first = '', ...others] = lines;
  return [first, '─'.repeat(first.length), ...others].join('\n');
}
